package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// question is one line asked. With a text it is about its syntax, else about a
// query over modules.
type question struct {
	// Text is a module, or a query if Query is also set to "query".
	Text string `json:"text"`
	Kind string `json:"kind"` // "module", "query", "eval" or "measure"
	V0   bool   `json:"v0"`

	// Modules are Rego sources; their names are test-0.rego, test-1.rego …
	Modules []string        `json:"modules"`
	Data    json.RawMessage `json:"data"`
	Input   json.RawMessage `json:"input"`
	// Inputs are many at once, instead of Input: each is answered with a line.
	Inputs []struct {
		Input json.RawMessage `json:"input"`
	} `json:"inputs"`
	Query string `json:"query"`
	// Strict makes the error of a builtin an error of the evaluation.
	Strict bool `json:"strict"`
}

// reply is one line answered.
type reply struct {
	// Tree is the canonical form of what was parsed (see tree.go).
	Tree string `json:"tree,omitempty"`
	// Result has one entry for each way in which the query holds.
	Result []map[string]json.RawMessage `json:"result,omitempty"`
	// Undefined: the query holds in no way.
	Undefined bool `json:"undefined,omitempty"`
	// Load is what is wrong with the modules or the query.
	Load []problem `json:"load,omitempty"`
	// Error is what went wrong in the evaluation.
	Error *problem `json:"error,omitempty"`
	// Measured is what an evaluation costs (see measure.go).
	Measured json.RawMessage `json:"measured,omitempty"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
}

// answerLine answers one line with one, or with as many as it has inputs.
func answerLine(evaluator *evaluator, line []byte, write func(reply) error) error {
	var asked question
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return write(reply{Load: []problem{{Code: "question", Message: err.Error()}}})
	}
	if asked.Inputs == nil {
		return write(answer(evaluator, asked))
	}
	for _, one := range asked.Inputs {
		asked.Input = one.Input
		if err := write(answer(evaluator, asked)); err != nil {
			return err
		}
	}
	return nil
}

func answer(evaluator *evaluator, asked question) (given reply) {
	// OPA's compiler panics on a few texts that it should refuse.
	defer func() {
		if cause := recover(); cause != nil {
			given = reply{Load: []problem{{Code: "panic", Message: fmt.Sprint(cause)}}}
		}
	}()
	switch asked.Kind {
	case "module":
		return parseModule(asked.Text, asked.V0)
	case "query":
		return parseQuery(asked.Text, asked.V0)
	case "measure":
		return measureReply(asked)
	default:
		return evaluator.evaluate(asked)
	}
}

func parserOptions(v0 bool) ast.ParserOptions {
	version := ast.RegoV1
	if v0 {
		version = ast.RegoV0
	}
	return ast.ParserOptions{RegoVersion: version}
}

func parseModule(text string, v0 bool) reply {
	module, err := ast.ParseModuleWithOpts("test.rego", text, parserOptions(v0))
	if err != nil {
		return reply{Load: problems(err)}
	}
	return reply{Tree: dumpModule(module)}
}

func parseQuery(text string, v0 bool) reply {
	options := parserOptions(v0)
	options.SkipRules = true
	body, err := ast.ParseBodyWithOpts(text, options)
	if err != nil {
		return reply{Load: problems(err)}
	}
	if len(body) == 0 {
		return reply{Load: []problem{{Code: "rego_parse_error", Message: "empty query"}}}
	}
	return reply{Tree: dumpBody(body)}
}

// problems lists the errors that an OPA error is made of.
func problems(err error) []problem {
	var many ast.Errors
	if errors.As(err, &many) {
		found := make([]problem, 0, len(many))
		for _, one := range many {
			found = append(found, problemOf(one))
		}
		return found
	}
	var collected rego.Errors
	if errors.As(err, &collected) {
		var found []problem
		for _, one := range collected {
			found = append(found, problems(one)...)
		}
		return found
	}
	var one *ast.Error
	if errors.As(err, &one) {
		return []problem{problemOf(one)}
	}
	var halted *topdown.Error
	if errors.As(err, &halted) {
		found := problem{Code: halted.Code, Message: halted.Message}
		if halted.Location != nil {
			found.File, found.Row, found.Col = halted.Location.File, halted.Location.Row, halted.Location.Col
		}
		return []problem{found}
	}
	return []problem{{Code: "other", Message: err.Error()}}
}

func problemOf(err *ast.Error) problem {
	found := problem{Code: err.Code, Message: err.Message}
	if err.Location != nil {
		found.File, found.Row, found.Col = err.Location.File, err.Location.Row, err.Location.Col
	}
	return found
}
