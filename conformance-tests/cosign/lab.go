// A private sigstore: a registry and an issuer of tokens in this process, and sigstore's own Fulcio, Rekor 2 and
// timestamp authority beside it.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

const person = "ci@lab.example"

type lab struct {
	bin, work, registry, issuer string
	tokens                      *rsa.PrivateKey
	running                     []*exec.Cmd
	since                       string
	fulcio, rekor, tsa          string
}

func start(bin, work string) (*lab, error) {
	tokens, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	l := &lab{bin: bin, work: work, tokens: tokens, since: time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)}
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	if l.registry, err = serve(registry.New(registry.WithReferrersSupport(true), quiet)); err != nil {
		return nil, err
	}
	issuer := http.NewServeMux()
	address, err := serve(issuer)
	if err != nil {
		return nil, err
	}
	l.issuer = "http://" + address
	l.discovery(issuer)
	if err := l.services(); err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

func serve(handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(listener, handler) //nolint:errcheck // it ends with the process
	return listener.Addr().String(), nil
}

// discovery is as much of OpenID Connect as Fulcio asks for.
func (l *lab) discovery(mux *http.ServeMux) {
	reply := func(path string, body any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(body) }) //nolint:errcheck
	}
	reply("/.well-known/openid-configuration", map[string]any{
		"issuer": l.issuer, "jwks_uri": l.issuer + "/keys",
		"authorization_endpoint": l.issuer + "/auth", "token_endpoint": l.issuer + "/token",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
	public := l.tokens.PublicKey
	reply("/keys", map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

func (l *lab) token() (string, error) {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{
		"iss": l.issuer, "aud": "sigstore", "sub": person, "email": person, "email_verified": true,
		"iat": now, "nbf": now - 5, "exp": now + 600,
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`)) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, l.tokens, crypto.SHA256, digest[:])
	return signed + "." + encode(signature), err
}

func (l *lab) services() error {
	ports, err := freePorts(7)
	if err != nil {
		return err
	}
	config := fmt.Sprintf("oidc-issuers:\n  %[1]s:\n    issuer-url: %[1]s\n    client-id: sigstore\n    type: email\n", l.issuer)
	if err := l.write("fulcio.yaml", []byte(config)); err != nil {
		return err
	}
	if err := l.keyPair("rekor", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }); err != nil {
		return err
	}
	l.fulcio, l.rekor, l.tsa = "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[3], "http://127.0.0.1:"+ports[6]
	if err := os.MkdirAll(l.path("log"), 0o755); err != nil {
		return err
	}
	starts := [][]string{
		{"fulcio", "serve", "--ca", "ephemeralca", "--ct-log-url", "", "--config-path", l.path("fulcio.yaml"),
			"--host", "127.0.0.1", "--port", ports[0], "--grpc-host", "127.0.0.1", "--grpc-port", ports[1],
			"--metrics-port", ports[2], "--legacy-unix-domain-socket", l.path("fulcio.sock")},
		{"posix", "serve", "--http-port", ports[3], "--grpc-port", ports[4], "--http-metrics-port", ports[5],
			"--hostname", "rekor.lab", "--storage-dir", l.path("log"), "--signer-filepath", l.path("rekor.pem"),
			"--checkpoint-interval", "1s"},
		{"timestamp-server", "serve", "--host", "127.0.0.1", "--port", ports[6], "--timestamp-signer", "memory",
			"--disable-ntp-monitoring"},
	}
	for _, arguments := range starts {
		if err := l.run(arguments[0], arguments[1:]...); err != nil {
			return err
		}
	}
	return l.ready()
}

// freePorts are different ones that nobody listens on.
func freePorts(count int) ([]string, error) {
	ports := []string{}
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

func (l *lab) run(name string, arguments ...string) error {
	command := exec.Command(filepath.Join(l.bin, name), arguments...)
	output, err := os.Create(l.path(name + ".log"))
	if err != nil {
		return err
	}
	command.Stdout, command.Stderr, command.Dir = output, output, l.work
	if err := command.Start(); err != nil {
		return err
	}
	l.running = append(l.running, command)
	return nil
}

// ready waits for each service, up to half a minute.
func (l *lab) ready() error {
	deadline := time.Now().Add(30 * time.Second)
	for _, address := range []string{l.fulcio + "/api/v2/trustBundle", l.rekor + "/healthz", l.tsa + "/ping"} {
		for {
			if _, err := fetch(address); err == nil {
				break
			} else if time.Now().After(deadline) {
				return fmt.Errorf("%s does not answer: %w", address, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func fetch(address string) ([]byte, error) {
	client := http.Client{Timeout: 2 * time.Second}
	reply, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", reply.Status)
	}
	return io.ReadAll(reply.Body)
}

func (l *lab) stop() {
	for _, command := range l.running {
		command.Process.Kill() //nolint:errcheck // it may have ended
		command.Wait()         //nolint:errcheck
	}
}

func (l *lab) path(name string) string { return filepath.Join(l.work, name) }

func (l *lab) write(name string, content []byte) error {
	return os.WriteFile(l.path(name), content, 0o600)
}

func (l *lab) read(name string) string {
	content, err := os.ReadFile(l.path(name))
	if err != nil {
		return ""
	}
	return string(content)
}

// keyPair writes NAME.pem and NAME.pub.
func (l *lab) keyPair(name string, generate func() (crypto.Signer, error)) error {
	key, err := generate()
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return errors.Join(
		l.write(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		l.write(name+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	)
}

// keys are those that cosign imports, by name.
func (l *lab) keys() error {
	kinds := map[string]func() (crypto.Signer, error){
		"p256":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"other":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"p384":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"p521":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
		"rsa2048": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"rsa4096": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 4096) },
		"ed25519": func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		},
	}
	for name, generate := range kinds {
		if err := l.keyPair(name, generate); err != nil {
			return err
		}
		if err := l.must("import-key-pair", "--key", l.path(name+".pem"), "--output-key-prefix", l.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// cosign runs it; the error says what it wrote.
func (l *lab) cosign(arguments ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(l.bin, "cosign"), arguments...)
	command.Dir = l.work
	command.Env = []string{"COSIGN_PASSWORD=", "HOME=" + l.work, "PATH=/usr/bin:/bin", "SIGSTORE_NO_CACHE=true"}
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		return fmt.Errorf("cosign %s: %w: %s", arguments[0], err, lines[len(lines)-1])
	}
	return nil
}

func (l *lab) must(arguments ...string) error {
	if err := l.cosign(arguments...); err != nil {
		return fmt.Errorf("%w (%s)", err, strings.Join(arguments, " "))
	}
	return nil
}

// roots writes the trust roots and signing configurations: `empty` for keys alone, `lab` for everything.
func (l *lab) roots() error {
	fulcio, err := fetch(l.fulcio + "/api/v2/trustBundle")
	if err != nil {
		return err
	}
	var bundle struct {
		Chains []struct{ Certificates []string } `json:"chains"`
	}
	if err := json.Unmarshal(fulcio, &bundle); err != nil || len(bundle.Chains) != 1 {
		return fmt.Errorf("fulcio has no chain: %w", err)
	}
	stamps, err := fetch(l.tsa + "/api/v1/timestamp/certchain")
	if err != nil {
		return err
	}
	since, operator := "start-time="+l.since, ",operator=lab"
	return errors.Join(
		l.write("fulcio-chain.pem", []byte(strings.Join(bundle.Chains[0].Certificates, ""))),
		l.write("tsa-chain.pem", stamps),
		l.must("signing-config", "create", "--out", l.path("empty.config.json")),
		l.must("trusted-root", "create", "--out", l.path("empty.root.json")),
		l.must("signing-config", "create", "--out", l.path("lab.config.json"),
			"--fulcio", "url="+l.fulcio+",api-version=1,"+since+operator,
			"--rekor", "url="+l.rekor+",api-version=2,"+since+operator, "--rekor-config", "ANY",
			"--oidc-provider", "url="+l.issuer+",api-version=1,"+since+operator,
			"--tsa", "url="+l.tsa+"/api/v1/timestamp,api-version=1,"+since+operator, "--tsa-config", "ANY"),
		l.must("signing-config", "create", "--out", l.path("key.config.json"),
			"--rekor", "url="+l.rekor+",api-version=2,"+since+operator, "--rekor-config", "ANY",
			"--tsa", "url="+l.tsa+"/api/v1/timestamp,api-version=1,"+since+operator, "--tsa-config", "ANY"),
		l.must("trusted-root", "create", "--out", l.path("lab.root.json"),
			"--fulcio", "url="+l.fulcio+",certificate-chain="+l.path("fulcio-chain.pem")+","+since,
			"--rekor", "url=http://rekor.lab,public-key="+l.path("rekor.pub")+","+since+",origin=rekor.lab",
			"--tsa", "url="+l.tsa+"/api/v1/timestamp,certificate-chain="+l.path("tsa-chain.pem")+","+since),
	)
}
