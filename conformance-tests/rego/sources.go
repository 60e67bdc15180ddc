package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// banned are the builtins that reach outside an evaluation. Our engine refuses
// them at load; OPA is told that they do not exist.
var banned = []string{"http.send", "opa.runtime", "net.lookup_ip_addr"}

// source is one .rego file; the name is relative to the folder given.
type source struct {
	name string
	text []byte
}

// readSources reads all Rego below the folder, in the order of their names.
// Data files stay out: samples are Kubernetes objects, not data documents.
func readSources(folder string) ([]source, error) {
	var sources []source
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".rego" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		sources = append(sources, source{name: filepath.ToSlash(name), text: text})
		return err
	})
	return sources, err
}

// parserOptions reads Rego v1 with the METADATA blocks, which are then checked
// for their own syntax too.
func parserOptions() ast.ParserOptions {
	return ast.ParserOptions{
		RegoVersion:       ast.RegoV1,
		ProcessAnnotation: true,
		Capabilities:      capabilities(),
	}
}

// capabilities is all of this OPA version without the banned builtins.
func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(ast.RegoV1))
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return slices.Contains(banned, b.Name)
	})
	return all
}

// checkStrict parses every file and, if all parse, compiles them as one set:
// what `opa check --strict` does. The modules are returned by name.
func checkStrict(sources []source) (*outcome, map[string]*ast.Module) {
	result := &outcome{name: "strict"}
	modules := make(map[string]*ast.Module, len(sources))
	for _, s := range sources {
		module, err := ast.ParseModuleWithOpts(s.name, string(s.text), parserOptions())
		if err != nil {
			result.fail("%v", err)
			continue
		}
		modules[s.name] = module
	}
	if len(result.problems) > 0 {
		result.passed = len(modules)
		// Compiling a part would blame good files for what the bad ones define.
		return result, modules
	}
	compiler := ast.NewCompiler().
		SetErrorLimit(0). // no limit: one run shows everything
		WithCapabilities(capabilities()).
		WithEnablePrintStatements(true).
		WithStrict(true).
		WithUseTypeCheckAnnotations(true)
	if compiler.Compile(modules); compiler.Failed() {
		for _, err := range compiler.Errors {
			result.fail("%v", err)
		}
		return result, modules
	}
	result.passed = len(sources)
	return result, modules
}

// checkFormatting lists the files that `opa fmt --fail` would not leave alone.
func checkFormatting(sources []source) *outcome {
	result := &outcome{name: "formatting"}
	for _, s := range sources {
		options := parserOptions()
		formatted, err := format.SourceWithOpts(s.name, s.text, format.Opts{
			RegoVersion:   ast.RegoV1,
			ParserOptions: &options,
			Capabilities:  options.Capabilities,
		})
		switch {
		case err != nil:
			// Already reported, with its place, by the strict check.
			result.fail("%s: cannot be formatted: it does not parse", s.name)
		case string(formatted) != string(s.text):
			result.fail("%s: differs from what `opa fmt` writes; run `opa fmt -w` on it", s.name)
		default:
			result.passed++
		}
	}
	return result
}
