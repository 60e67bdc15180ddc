package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Folders directly below the root that hold no policies.
const (
	libraries = "lib"     // Rego that policies import
	bundles   = "bundles" // which policies work together
)

// The category whose folders hold classes of claims: `class.rego`, what of it
// ships, its tests, and what it makes of its samples.
const classes = "provision"

// checkLayout demands of every <category>/<policy> folder what makes a policy
// trustworthy: its tests, samples on both sides, and a package that is found
// where its name says.
func checkLayout(folder string, modules map[string]*ast.Module) (*outcome, error) {
	result := &outcome{name: "layout"}
	policies, err := policyFolders(folder)
	if err != nil {
		return nil, err
	}
	for _, policy := range policies {
		before := len(result.problems)
		if strings.HasPrefix(policy, classes+"/") {
			checkClass(result, folder, policy, modules)
		} else {
			checkPolicy(result, folder, policy, modules)
		}
		if len(result.problems) == before {
			result.passed++
		}
	}
	for _, name := range sortedNames(modules) {
		if !strings.HasPrefix(name, libraries+"/") || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		if test := strings.TrimSuffix(name, ".rego") + "_test.rego"; !exists(folder, test) {
			result.fail("%s: has no tests beside it; write `%s`", name, test)
		} else {
			result.passed++
		}
	}
	for _, name := range sortedNames(modules) {
		if strings.Count(name, "/") == 0 || (strings.Count(name, "/") == 1 && !strings.HasPrefix(name, libraries+"/")) {
			result.fail("%s: is in no policy's folder; policies live in `<category>/<policy>/policy.rego`", name)
		}
	}
	return result, nil
}

// policyFolders lists <category>/<policy>, sorted.
func policyFolders(folder string) ([]string, error) {
	categories, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, category := range categories {
		if !category.IsDir() || category.Name() == libraries || category.Name() == bundles {
			continue
		}
		policies, err := os.ReadDir(filepath.Join(folder, category.Name()))
		if err != nil {
			return nil, err
		}
		for _, policy := range policies {
			if policy.IsDir() {
				found = append(found, category.Name()+"/"+policy.Name())
			}
		}
	}
	return found, nil
}

func checkPolicy(result *outcome, folder, policy string, modules map[string]*ast.Module) {
	code := policy + "/policy.rego"
	tests := policy + "/policy_test.rego"
	if !exists(folder, code) {
		result.fail("%s: has no policy.rego", policy)
		return
	}
	if !exists(folder, tests) {
		result.fail("%s: has no policy_test.rego", policy)
	}
	module, parsed := modules[code]
	if !parsed {
		return // the strict check says why
	}
	expected := "data." + strings.ReplaceAll(strings.ReplaceAll(policy, "/", "."), "-", "_")
	expectPackage(result, code, module, expected)
	expectTests(result, tests, modules, expected)
	if countSamples(folder, policy+"/samples/allowed") == 0 {
		result.fail("%s: has no sample that it allows; put one into samples/allowed", policy)
	}
	// A policy that only warns or fills in has nothing that it could deny.
	if slices.ContainsFunc(module.Rules, denies) && countSamples(folder, policy+"/samples/denied") == 0 {
		result.fail("%s: has no sample that it denies; put one into samples/denied", policy)
	}
}

func checkClass(result *outcome, folder, class string, modules map[string]*ast.Module) {
	code, tests := class+"/class.rego", class+"/class_test.rego"
	for _, name := range []string{code, tests, class + "/class.yaml"} {
		if !exists(folder, name) {
			result.fail("%s: has no %s", class, strings.TrimPrefix(name, class+"/"))
			return
		}
	}
	expected := "data." + strings.ReplaceAll(strings.ReplaceAll(class, "/", "."), "-", "_")
	if module, parsed := modules[code]; parsed {
		expectPackage(result, code, module, expected)
	}
	expectTests(result, tests, modules, expected)
	if countSamples(folder, class+"/samples") == 0 {
		result.fail("%s: has no sample; put one into samples", class)
	}
	if countSamples(folder, class+"/samples") != countSamples(folder, class+"/golden") {
		result.fail("%s: not every sample has what comes of it in golden", class)
	}
}

// expectTests demands a module of tests in the package beside the one it tests.
func expectTests(result *outcome, tests string, modules map[string]*ast.Module, tested string) {
	module, parsed := modules[tests]
	if !parsed {
		return // the strict check says why
	}
	expectPackage(result, tests, module, tested+"_test")
	if !slices.ContainsFunc(module.Rules, isTest) {
		result.fail("%s: holds no rule whose name begins with `test_`", tests)
	}
}

func expectPackage(result *outcome, name string, module *ast.Module, expected string) {
	if found := module.Package.Path.String(); found != expected {
		result.fail("%s: package is `%s`; its folder asks for `%s`", name,
			strings.TrimPrefix(found, "data."), strings.TrimPrefix(expected, "data."))
	}
}

func isTest(rule *ast.Rule) bool {
	return strings.HasPrefix(string(rule.Head.Name), "test_")
}

func denies(rule *ast.Rule) bool {
	return rule.Head.Name == "deny" || rule.Head.Name == "violation"
}

// countSamples counts the YAML files below a folder; one that is not there has none.
func countSamples(folder, path string) int {
	files, err := filepath.Glob(filepath.Join(folder, path, "*.yaml"))
	if err != nil {
		return 0
	}
	return len(files)
}

func exists(folder, name string) bool {
	info, err := os.Stat(filepath.Join(folder, name))
	return err == nil && info.Mode().IsRegular()
}

func sortedNames(modules map[string]*ast.Module) []string {
	names := make([]string, 0, len(modules))
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
