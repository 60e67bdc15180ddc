package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// library is a folder of policies with nothing to complain about.
func library() map[string]string {
	return map[string]string{
		"images/latest-tag/policy.rego": `package images.latest_tag

import data.lib.images

deny contains {"msg": "no tag"} if {
	some c in input.review.object.spec.containers
	images.untagged(c.image)
}
`,
		"images/latest-tag/policy_test.rego": `package images.latest_tag_test

import data.images.latest_tag

test_an_image_without_a_tag_is_denied if {
	latest_tag.deny == {{"msg": "no tag"}} with input.review.object.spec.containers as [{"image": "nginx"}]
}

test_an_image_with_a_tag_is_allowed if {
	latest_tag.deny == set() with input.review.object.spec.containers as [{"image": "nginx:1"}]
}
`,
		"images/latest-tag/samples/allowed/tagged.yaml":  "apiVersion: v1\nkind: Pod\n",
		"images/latest-tag/samples/denied/untagged.yaml": "apiVersion: v1\nkind: Pod\n",
		"bundles/all.yaml": "kind: Bundle\n",
		"lib/images.rego": `package lib.images

untagged(image) if not contains(image, ":")
`,
		"lib/images_test.rego": `package lib.images_test

import data.lib.images

test_a_bare_name_has_no_tag if images.untagged("nginx")
`,
	}
}

// check runs the program over the files and returns its exit code and output.
func check(t *testing.T, files map[string]string) (int, string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, talk bytes.Buffer
	code := run([]string{folder}, &out, &talk)
	return code, out.String() + talk.String()
}

func TestAGoodLibraryPasses(t *testing.T) {
	code, output := check(t, library())
	if code != exitFine || !strings.HasSuffix(output, "\n13 passed, 0 failed\n") {
		t.Fatalf("exit %d\n%s", code, output)
	}
	if !strings.Contains(output, "tests      3 passed, 0 failed\n") {
		t.Errorf("the tests are not counted apart:\n%s", output)
	}
}

func TestEachDefectIsNamed(t *testing.T) {
	const policy = "images/latest-tag/"
	cases := map[string]struct {
		spoil    func(files map[string]string)
		expected string
	}{
		"a syntax error": {
			func(f map[string]string) { f[policy+"policy.rego"] += "deny if {\n" },
			"strict: 1 error occurred: images/latest-tag/policy.rego:10",
		},
		"an unused import": {
			func(f map[string]string) {
				f["lib/images.rego"] = "package lib.images\n\nimport data.foo\n\nuntagged(_) if true\n"
			},
			"strict: lib/images.rego:3: rego_compile_error: import data.foo unused",
		},
		"a builtin that reaches the network": {
			func(f map[string]string) {
				f["lib/images.rego"] = "package lib.images\n\nuntagged(i) if http.send({\"url\": i})\n"
			},
			"undefined function http.send",
		},
		"spaces for tabs": {
			func(f map[string]string) {
				f[policy+"policy.rego"] = strings.ReplaceAll(f[policy+"policy.rego"], "\t", "  ")
			},
			"formatting: images/latest-tag/policy.rego: differs",
		},
		"a test that fails": {
			func(f map[string]string) {
				f[policy+"policy_test.rego"] = strings.ReplaceAll(f[policy+"policy_test.rego"], "nginx:1", "nginx")
			},
			"tests: images/latest-tag/policy_test.rego:9: data.images.latest_tag_test.test_an_image_with_a_tag_is_allowed is not true",
		},
		"a test that is put off": {
			func(f map[string]string) {
				f[policy+"policy_test.rego"] += "\ntodo_test_later if false\n"
			},
			"todo_test_later is skipped",
		},
		"no test file": {
			func(f map[string]string) { delete(f, policy+"policy_test.rego") },
			"layout: images/latest-tag: has no policy_test.rego",
		},
		"a test file without tests": {
			func(f map[string]string) { f[policy+"policy_test.rego"] = "package images.latest_tag_test\n" },
			"layout: images/latest-tag/policy_test.rego: holds no rule",
		},
		"no allowed sample": {
			func(f map[string]string) { delete(f, policy+"samples/allowed/tagged.yaml") },
			"layout: images/latest-tag: has no sample that it allows",
		},
		"no denied sample": {
			func(f map[string]string) { delete(f, policy+"samples/denied/untagged.yaml") },
			"layout: images/latest-tag: has no sample that it denies",
		},
		"a package of another name": {
			func(f map[string]string) {
				f[policy+"policy_test.rego"] = strings.Replace(f[policy+"policy_test.rego"], "latest_tag_test", "tests", 1)
			},
			"layout: images/latest-tag/policy_test.rego: package is `images.tests`; its folder asks for `images.latest_tag_test`",
		},
		"a library file without tests": {
			func(f map[string]string) { delete(f, "lib/images_test.rego") },
			"layout: lib/images.rego: has no tests beside it",
		},
		"Rego outside any policy": {
			func(f map[string]string) { f["images/stray.rego"] = "package images.stray\n" },
			"layout: images/stray.rego: is in no policy's folder",
		},
		"an empty policy folder": {
			func(f map[string]string) { f["images/empty/README.md"] = "" },
			"layout: images/empty: has no policy.rego",
		},
		"a class of claims without tests": {
			func(f map[string]string) { f["provision/disk/class.rego"] = "package provision.disk\n" },
			"layout: provision/disk: has no class_test.rego",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := library()
			c.spoil(files)
			code, output := check(t, files)
			if code != exitFailed || !strings.Contains(output, c.expected) {
				t.Errorf("exit %d, expected %q in\n%s", code, c.expected, output)
			}
		})
	}
}

func TestAPolicyThatOnlyWarnsNeedsNoDeniedSample(t *testing.T) {
	files := library()
	for name, text := range files {
		files[name] = strings.ReplaceAll(strings.ReplaceAll(text, "deny contains", "warn contains"), ".deny ==", ".warn ==")
	}
	delete(files, "images/latest-tag/samples/denied/untagged.yaml")
	if code, output := check(t, files); code != exitFine {
		t.Errorf("exit %d\n%s", code, output)
	}
}

func TestAFolderWithoutRegoIsNoSuccess(t *testing.T) {
	code, output := check(t, map[string]string{"notes.md": ""})
	if code != exitOurs || !strings.Contains(output, "no .rego file under") {
		t.Errorf("exit %d\n%s", code, output)
	}
}
