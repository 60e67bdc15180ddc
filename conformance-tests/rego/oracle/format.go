package main

import (
	"encoding/json"
	"regexp"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// layout is a module of OPA's tests as OPA lays it out.
type layout struct {
	Source    string `json:"source"`
	Text      string `json:"text"`
	V0        bool   `json:"v0"`
	Formatted string `json:"formatted"`
	// Stable: OPA reads it as it read the text, and lays it out as it is.
	Stable bool `json:"stable"`
}

// writeLayouts writes each module of the corpus that OPA can lay out.
func writeLayouts(lines *json.Encoder) error {
	folder, err := opaFolder()
	if err != nil {
		return err
	}
	texts, err := corpusTexts(folder)
	if err != nil {
		return err
	}
	for _, text := range texts {
		for _, v0 := range []bool{true, false} {
			formatted, ok := layoutOf(text.text, v0)
			if !ok {
				continue
			}
			again, fine := layoutOf(formatted, v0)
			stable := fine && again == formatted && readsAlike(text.text, formatted, v0)
			if err := lines.Encode(layout{text.source, text.text, v0, formatted, stable}); err != nil {
				return err
			}
		}
	}
	return nil
}

func regoVersion(v0 bool) ast.RegoVersion {
	if v0 {
		return ast.RegoV0
	}
	return ast.RegoV1
}

// layoutOf formats; OPA's panic on a text counts as refusing it.
func layoutOf(text string, v0 bool) (formatted string, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	options := format.Opts{
		RegoVersion:   regoVersion(v0),
		ParserOptions: &ast.ParserOptions{RegoVersion: regoVersion(v0)},
	}
	out, err := format.SourceWithOpts("a.rego", []byte(text), options)
	return string(out), err == nil
}

// imports are put in order by the formatter, and those that are implied dropped.
var imports = regexp.MustCompile(`\(import [^()]*\) ?`)

func readsAlike(one, other string, v0 bool) bool {
	first, second := read("module", one, v0), read("module", other, v0)
	if first.Tree == "" || second.Tree == "" {
		return false
	}
	return imports.ReplaceAllString(first.Tree, "") == imports.ReplaceAllString(second.Tree, "")
}
