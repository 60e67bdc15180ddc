package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/test/cases"
)

// opaFolder is where the OPA module lies that this program is built with.
func opaFolder() (string, error) {
	command := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa")
	command.Dir = os.Getenv("REGO_ORACLE_MODULE")
	out, err := command.Output()
	if err != nil {
		return "", errors.New("cannot find the OPA module; set REGO_ORACLE_MODULE to the folder of go.mod: " + err.Error())
	}
	return strings.TrimSpace(string(out)), nil
}

// piece is some Rego, or what might be some, with OPA's reading of it.
type piece struct {
	Source string `json:"source"`
	Text   string `json:"text"`
	Kind   string `json:"kind"`
	V0     bool   `json:"v0"`
	reply
}

// writeCorpus writes, for each text in OPA's tests, how OPA reads it as a module
// and as a query, in both languages.
func writeCorpus(lines *json.Encoder) error {
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
			for _, kind := range []string{"module", "query"} {
				found := piece{Source: text.source, Text: text.text, Kind: kind, V0: v0}
				found.reply = read(kind, text.text, v0)
				if err := lines.Encode(found); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// read parses; OPA's panic on a text counts as refusing it.
func read(kind, text string, v0 bool) (given reply) {
	defer func() {
		if cause := recover(); cause != nil {
			given = reply{Load: []problem{{Code: "panic"}}}
		}
	}()
	if kind == "module" {
		return parseModule(text, v0)
	}
	return parseQuery(text, v0)
}

type sourceText struct{ source, text string }

func corpusTexts(folder string) ([]sourceText, error) {
	var texts []sourceText
	err := filepath.WalkDir(filepath.Join(folder, "v1"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		switch {
		case strings.HasSuffix(path, ".rego"):
			text, err := os.ReadFile(path)
			texts = append(texts, sourceText{name, string(text)})
			return err
		case strings.HasSuffix(path, "_test.go"):
			found, err := goStrings(path)
			for _, text := range found {
				texts = append(texts, sourceText{name, text})
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, version := range []string{"v0", "v1"} {
		set, err := cases.Load(filepath.Join(folder, "v1/test/cases/testdata", version))
		if err != nil {
			return nil, err
		}
		for _, one := range set.Cases {
			texts = append(texts, sourceText{one.Note, one.Query})
			for _, module := range one.Modules {
				texts = append(texts, sourceText{one.Note, module})
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(texts, func(one sourceText) bool {
		known := seen[one.text]
		seen[one.text] = true
		return known || len(one.text) > 100_000
	}), nil
}

// goStrings lists the string literals of a Go file.
func goStrings(path string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && strings.TrimSpace(text) != "" {
				found = append(found, text)
			}
		}
		return true
	})
	return found, nil
}
