// The cases: how an image is signed, and by which flags cosign and by which authority we are asked about it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
)

// scenario is one image and everything that is asked about it.
type scenario struct {
	Name    string            `json:"name"`
	Digest  string            `json:"digest"`
	Bundles []string          `json:"bundles"`
	Legacy  []layer           `json:"legacy"`
	Roots   map[string]string `json:"roots"`
	// Not is why cosign itself could not sign so.
	Not       string     `json:"not,omitempty"`
	Questions []question `json:"questions"`
}

type layer struct {
	Kind        string            `json:"kind"`
	Payload     string            `json:"payload"`
	Annotations map[string]string `json:"annotations"`
}

// question is one verification: cosign's flags, the authority that says the same, and cosign's answer.
type question struct {
	About     string         `json:"about"`
	Flags     []string       `json:"flags"`
	Authority map[string]any `json:"authority"`
	// Attestation is the predicate type asked for; empty: a signature.
	Attestation string `json:"attestation,omitempty"`
	Accepted    bool   `json:"accepted"`
	Cosign      string `json:"cosign,omitempty"`
}

const (
	vuln       = "https://cosign.sigstore.dev/attestation/vuln/v1"
	cyclonedx  = "https://cyclonedx.org/bom"
	spdx       = "https://spdx.dev/Document"
	provenance = "https://slsa.dev/provenance/v1"
	openvex    = "https://openvex.dev/ns"
)

// curveHash is the flag without which cosign verifies with SHA-256 what it signed with the hash that fits the curve.
var curveHash = map[string]string{
	"p384": "--signature-digest-algorithm=sha384",
	"p521": "--signature-digest-algorithm=sha512",
}

// predicates are what is attested, by cosign's short names for the types.
var predicates = map[string]string{
	"vuln":            `{"invocation":{"uri":"https://ci.example/1","event_id":"1","builder.id":"ci"},"scanner":{"uri":"pkg:github/aquasecurity/trivy@0.69.0","version":"0.69.0","db":{"uri":"db","version":"2","lastUpdate":"2026-11-22T06:00:00Z"},"result":{"SchemaVersion":2,"ArtifactName":"app","Results":[{"Target":"app","Vulnerabilities":[{"VulnerabilityID":"CVE-2026-0001","PkgName":"openssl","InstalledVersion":"3.0.0","FixedVersion":"3.0.1","Severity":"HIGH"}]}]}},"metadata":{"scanStartedOn":"2026-11-22T12:00:00Z","scanFinishedOn":"2026-11-22T12:01:00Z"}}`,
	"cyclonedx":       `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"library","name":"zlib","version":"1.3.1"}]}`,
	"spdxjson":        `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"app","packages":[{"SPDXID":"SPDXRef-1","name":"zlib"}]}`,
	"slsaprovenance1": `{"buildDefinition":{"buildType":"https://ci.example/build","externalParameters":{"source":"git+https://git.example/team/app"},"resolvedDependencies":[{"uri":"git+https://git.example/team/app","digest":{"gitCommit":"0123"}}]},"runDetails":{"builder":{"id":"https://ci.example/builder"}}}`,
	"openvex":         `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://vex.example/1","author":"team","timestamp":"2026-11-22T12:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2026-0001"},"status":"not_affected","justification":"vulnerable_code_not_in_execute_path","products":[{"@id":"pkg:oci/app"}]}]}`,
}

func (l *lab) recordAll(out string) error {
	if err := l.keys(); err != nil {
		return err
	}
	if err := l.roots(); err != nil {
		return err
	}
	for kind, predicate := range predicates {
		if err := l.write(kind+".json", []byte(predicate)); err != nil {
			return err
		}
	}
	scenarios := []*scenario{}
	for _, key := range []string{"p256", "p384", "rsa2048", "rsa4096", "p521", "ed25519"} {
		scenarios = append(scenarios, l.byKey(key), l.byKeyLegacy(key))
	}
	scenarios = append(scenarios, l.byKeyAsFile(), l.attestedByKey(), l.byKeyLogged("p256"), l.byKeyLogged("p384"), l.byKeyLogged("rsa2048"),
		l.keyless(), l.keylessAttested())
	for _, one := range scenarios {
		content, err := json.MarshalIndent(one, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, one.Name+".json"), append(content, '\n'), 0o644); err != nil {
			return err
		}
		fmt.Printf("%-24s %d bundles, %d layers, %d questions %s\n", one.Name, len(one.Bundles), len(one.Legacy), len(one.Questions), one.Not)
	}
	borrowed, err := l.borrowed(scenarios)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(borrowed, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, borrowed.Name+".json"), append(content, '\n'), 0o644)
}

// signed makes an image, has it signed by each list of arguments, and reads what is then beside it.
func (l *lab) signed(title string, roots []string, signings ...[]string) (*scenario, string) {
	one := &scenario{Name: title, Bundles: []string{}, Legacy: []layer{}, Roots: map[string]string{}}
	for _, root := range roots {
		one.Roots[root] = l.read(root + ".root.json")
	}
	reference, err := l.image(title)
	if err != nil {
		one.Not = err.Error()
		return one, ""
	}
	for _, arguments := range signings {
		full := append([]string{arguments[0], "--allow-http-registry", "-y"}, arguments[1:]...)
		if err := l.cosign(append(full, reference.Name())...); err != nil {
			one.Not = err.Error()
		}
	}
	if err := l.collect(one, reference); err != nil {
		one.Not = err.Error()
	}
	return one, reference.Name()
}

func (l *lab) image(title string) (name.Digest, error) {
	tag, err := name.NewTag(l.registry + "/lab/" + title + ":v1")
	if err != nil {
		return name.Digest{}, err
	}
	image, err := random.Image(64, 1)
	if err != nil {
		return name.Digest{}, err
	}
	if err := remote.Write(tag, image); err != nil {
		return name.Digest{}, err
	}
	digest, err := image.Digest()
	return tag.Context().Digest(digest.String()), err
}

func (l *lab) collect(one *scenario, reference name.Digest) error {
	one.Digest = reference.DigestStr()
	index, err := remote.Referrers(reference)
	if err != nil {
		return err
	}
	manifests, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, referrer := range manifests.Manifests {
		layers, err := layersOf(reference.Context().Digest(referrer.Digest.String()))
		if err != nil {
			return err
		}
		for _, each := range layers {
			one.Bundles = append(one.Bundles, each.Payload)
		}
	}
	hex := strings.TrimPrefix(reference.DigestStr(), "sha256:")
	for _, kind := range []string{"sig", "att"} {
		layers, err := layersOf(reference.Context().Tag("sha256-" + hex + "." + kind))
		if err != nil {
			continue // There is none.
		}
		for _, each := range layers {
			each.Kind = kind
			one.Legacy = append(one.Legacy, each)
		}
	}
	return nil
}

func layersOf(reference name.Reference) ([]layer, error) {
	image, err := remote.Image(reference)
	if err != nil {
		return nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	out := []layer{}
	for index, each := range layers {
		reader, err := each.Compressed()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		out = append(out, layer{Payload: string(content), Annotations: manifest.Layers[index].Annotations})
	}
	return out, nil
}

// ask has cosign verify, and writes down what it said.
func (l *lab) ask(one *scenario, reference, about, attestation string, flags []string, authority map[string]any) {
	command := []string{"verify"}
	if attestation != "" {
		command = []string{"verify-attestation", "--type", attestation}
	}
	command = append(append(command, "--allow-http-registry"), flags...)
	err := l.cosign(append(command, reference)...)
	shown := []string{}
	for _, flag := range flags {
		shown = append(shown, strings.ReplaceAll(flag, l.work+"/", ""))
	}
	authority["name"] = "lab"
	asked := question{About: about, Flags: shown, Authority: authority, Attestation: attestation, Accepted: err == nil}
	if err != nil {
		asked.Cosign = err.Error()
	}
	one.Questions = append(one.Questions, asked)
}

func (l *lab) keyAuthority(keys ...string) map[string]any {
	all := []any{}
	for _, key := range keys {
		all = append(all, map[string]any{"pem": l.read(key + ".pub")})
	}
	return map[string]any{"keys": all}
}

func with(authority map[string]any, more map[string]any) map[string]any {
	for field, value := range more {
		authority[field] = value
	}
	return authority
}

func (l *lab) offline(key string) []string {
	return []string{"--key", l.path(key + ".pub"), "--insecure-ignore-tlog=true", "--trusted-root", l.path("empty.root.json")}
}

func (l *lab) withConfig(verb, key, config, root string) []string {
	return []string{verb, "--key", l.path(key + ".key"), "--signing-config", l.path(config + ".config.json"), "--trusted-root", l.path(root + ".root.json")}
}

func (l *lab) byKey(key string) *scenario {
	one, reference := l.signed("key-"+key, nil, l.withConfig("sign", key, "empty", "empty"))
	l.ask(one, reference, "its key", "", l.offline(key), l.keyAuthority(key))
	if hash := curveHash[key]; hash != "" {
		l.ask(one, reference, "its key and the hash of its curve", "", append(l.offline(key), hash), l.keyAuthority(key))
	}
	l.ask(one, reference, "another key", "", l.offline("other"), l.keyAuthority("other"))
	return one
}

func (l *lab) byKeyLegacy(key string) *scenario {
	old := []string{"--use-signing-config=false", "--new-bundle-format=false", "--tlog-upload=false"}
	sign := append([]string{"sign", "--key", l.path(key + ".key")}, old...)
	attest := append([]string{"attest", "--key", l.path(key + ".key"), "--type", "vuln", "--predicate", l.path("vuln.json")}, old...)
	one, reference := l.signed("legacy-"+key, nil, sign, attest)
	flags := func(key string) []string {
		return []string{"--key", l.path(key + ".pub"), "--insecure-ignore-tlog=true", "--new-bundle-format=false"}
	}
	legacy := map[string]any{"legacy": true}
	l.ask(one, reference, "its key", "", flags(key), with(l.keyAuthority(key), legacy))
	if hash := curveHash[key]; hash != "" {
		l.ask(one, reference, "its key and the hash of its curve", "", append(flags(key), hash), with(l.keyAuthority(key), legacy))
	}
	l.ask(one, reference, "its key", vuln, flags(key), with(l.keyAuthority(key), legacy))
	l.ask(one, reference, "another key", "", flags("other"), with(l.keyAuthority("other"), legacy))
	l.ask(one, reference, "another type", spdx, flags(key), with(l.keyAuthority(key), legacy))
	return one
}

func (l *lab) attestedByKey() *scenario {
	signings := [][]string{}
	for kind := range predicates {
		attest := append(l.withConfig("attest", "p256", "empty", "empty"), "--type", kind, "--predicate", l.path(kind+".json"))
		signings = append(signings, attest)
	}
	one, reference := l.signed("attested", nil, signings...)
	for _, kind := range []string{vuln, cyclonedx, spdx, provenance, openvex} {
		l.ask(one, reference, "its key", kind, l.offline("p256"), l.keyAuthority("p256"))
		l.ask(one, reference, "another key", kind, l.offline("other"), l.keyAuthority("other"))
	}
	l.ask(one, reference, "a type that is not there", "https://example.com/none", l.offline("p256"), l.keyAuthority("p256"))
	return one
}

func (l *lab) byKeyLogged(key string) *scenario {
	one, reference := l.signed("key-logged-"+key, []string{"lab"}, l.withConfig("sign", key, "key", "lab"))
	flags := func(key string) []string {
		return []string{"--key", l.path(key + ".pub"), "--trusted-root", l.path("lab.root.json"), "--use-signed-timestamps"}
	}
	evidence := func() map[string]any { return map[string]any{"trustRoot": "lab", "timestamps": "required"} }
	l.ask(one, reference, "its key", "", flags(key), with(l.keyAuthority(key), evidence()))
	if hash := curveHash[key]; hash != "" {
		l.ask(one, reference, "its key and the hash of its curve", "", append(flags(key), hash), with(l.keyAuthority(key), evidence()))
	}
	l.ask(one, reference, "another key", "", flags("other"), with(l.keyAuthority("other"), evidence()))
	return one
}

func (l *lab) identity(issuer, subject string) map[string]any {
	return map[string]any{"sct": "off", "timestamps": "required", "keyless": map[string]any{
		"trustRoot": "lab", "identities": []any{map[string]any{"issuer": issuer, "subject": subject}},
	}}
}

func (l *lab) keylessFlags(issuer, subject string) []string {
	return []string{"--trusted-root", l.path("lab.root.json"), "--certificate-identity", subject,
		"--certificate-oidc-issuer", issuer, "--insecure-ignore-sct", "--use-signed-timestamps"}
}

func (l *lab) keylessSigning(verb string) []string {
	token, err := l.token()
	if err != nil {
		token = err.Error()
	}
	return []string{verb, "--signing-config", l.path("lab.config.json"), "--trusted-root", l.path("lab.root.json"), "--identity-token", token}
}

func (l *lab) keyless() *scenario {
	one, reference := l.signed("keyless", []string{"lab"}, l.keylessSigning("sign"))
	l.askIdentities(one, reference, "")
	pattern := []string{"--trusted-root", l.path("lab.root.json"), "--certificate-identity-regexp", "^ci@lab\\.[a-z]+$",
		"--certificate-oidc-issuer-regexp", "^http://127\\.0\\.0\\.1:[0-9]+$", "--insecure-ignore-sct", "--use-signed-timestamps"}
	authority := l.identity("", "")
	authority["keyless"].(map[string]any)["identities"] = []any{map[string]any{
		"issuerRegex": "http://127\\.0\\.0\\.1:[0-9]+", "subjectRegex": "ci@lab\\.[a-z]+"}}
	l.ask(one, reference, "a pattern", "", pattern, authority)
	l.ask(one, reference, "a key", "", []string{"--key", l.path("other.pub"), "--trusted-root", l.path("lab.root.json"),
		"--use-signed-timestamps"}, with(l.keyAuthority("other"), map[string]any{"trustRoot": "lab"}))
	strict := []string{"--trusted-root", l.path("lab.root.json"), "--certificate-identity", person,
		"--certificate-oidc-issuer", l.issuer, "--use-signed-timestamps"}
	l.ask(one, reference, "an SCT as well", "", strict, with(l.identity(l.issuer, person), map[string]any{"sct": "required"}))
	return one
}

func (l *lab) keylessAttested() *scenario {
	attest := append(l.keylessSigning("attest"), "--type", "vuln", "--predicate", l.path("vuln.json"))
	one, reference := l.signed("keyless-attested", []string{"lab"}, attest)
	l.askIdentities(one, reference, vuln)
	return one
}

func (l *lab) askIdentities(one *scenario, reference, attestation string) {
	for _, each := range [][3]string{
		{"its identity", l.issuer, person},
		{"another subject", l.issuer, "somebody@lab.example"},
		{"another issuer", "https://token.example", person},
	} {
		l.ask(one, reference, each[0], attestation, l.keylessFlags(each[1], each[2]), l.identity(each[1], each[2]))
	}
}

// borrowed hangs everybody's bundles on an image that nobody signed.
func (l *lab) borrowed(scenarios []*scenario) (*scenario, error) {
	reference, err := l.image("borrowed")
	if err != nil {
		return nil, err
	}
	described, err := remote.Head(reference)
	if err != nil {
		return nil, err
	}
	one := &scenario{Name: "borrowed", Bundles: []string{}, Legacy: []layer{}, Roots: map[string]string{"lab": l.read("lab.root.json")}}
	for _, from := range scenarios {
		for _, bundle := range from.Bundles {
			if err := attach(reference, described, bundle); err != nil {
				return nil, err
			}
		}
	}
	if err := l.collect(one, reference); err != nil {
		return nil, err
	}
	l.ask(one, reference.Name(), "a key that signed another image", "", l.offline("p256"), l.keyAuthority("p256"))
	l.ask(one, reference.Name(), "an identity that signed another image", "", l.keylessFlags(l.issuer, person), l.identity(l.issuer, person))
	l.ask(one, reference.Name(), "a key that attested another image", vuln, l.offline("p256"), l.keyAuthority("p256"))
	return one, nil
}

// attach hangs a bundle on an image.
func attach(reference name.Digest, described *v1.Descriptor, bundle string) error {
	const kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, "application/vnd.oci.image.manifest.v1+json"), kind)
	image, err := mutate.Append(image, mutate.Addendum{Layer: static.NewLayer([]byte(bundle), kind)})
	if err != nil {
		return err
	}
	subject := v1.Descriptor{MediaType: described.MediaType, Size: described.Size, Digest: described.Digest}
	attached, ok := mutate.Subject(image, subject).(v1.Image)
	if !ok {
		return fmt.Errorf("an image with a subject is no image")
	}
	digest, err := partial.Descriptor(attached)
	if err != nil {
		return err
	}
	return remote.Write(reference.Context().Digest(digest.Digest.String()), attached)
}

// byKeyAsFile has the manifest signed as a file would be, and hangs the bundle on the image.
func (l *lab) byKeyAsFile() *scenario {
	one := &scenario{Name: "manifest-as-file", Bundles: []string{}, Legacy: []layer{}, Roots: map[string]string{}}
	reference, err := l.image(one.Name)
	if err == nil {
		err = l.signManifest(reference)
	}
	if err == nil {
		err = l.collect(one, reference)
	}
	if err != nil {
		one.Not = err.Error()
	}
	l.ask(one, reference.Name(), "its key", "", l.offline("p256"), l.keyAuthority("p256"))
	l.ask(one, reference.Name(), "another key", "", l.offline("other"), l.keyAuthority("other"))
	return one
}

func (l *lab) signManifest(reference name.Digest) error {
	described, err := remote.Get(reference)
	if err != nil {
		return err
	}
	if err := l.write("manifest", described.Manifest); err != nil {
		return err
	}
	arguments := append(l.withConfig("sign-blob", "p256", "empty", "empty"), "-y", "--bundle", l.path("manifest.bundle"), l.path("manifest"))
	if err := l.must(arguments...); err != nil {
		return err
	}
	return attach(reference, &described.Descriptor, l.read("manifest.bundle"))
}
