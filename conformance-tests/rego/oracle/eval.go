package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

// keptQueries is how many prepared queries are kept; when there are more, all
// are dropped, since an asker works through its modules one after another.
const keptQueries = 256

// patience is how long one evaluation may take. It must be far above what our
// engine is given, so that a comparison is never between two time-outs.
const patience = 20 * time.Second

// notJSON is the code of an answer that cannot be written.
const notJSON = "not_json"

type evaluator struct {
	seed     maphash.Seed
	prepared map[uint64]preparation
}

type preparation struct {
	query    rego.PreparedEvalQuery
	problems []problem
}

func newEvaluator() *evaluator {
	return &evaluator{seed: maphash.MakeSeed(), prepared: map[uint64]preparation{}}
}

// evaluate answers a query over modules, data and an input.
func (e *evaluator) evaluate(asked question) reply {
	ready := e.prepare(asked)
	if ready.problems != nil {
		return reply{Load: ready.problems}
	}
	var options []rego.EvalOption
	if len(asked.Input) > 0 {
		var input any
		if err := util.UnmarshalJSON(asked.Input, &input); err != nil {
			return reply{Load: []problem{{Code: "question", Message: err.Error()}}}
		}
		value, err := ast.InterfaceToValue(input)
		if err != nil {
			return reply{Load: []problem{{Code: "question", Message: err.Error()}}}
		}
		options = append(options, rego.EvalParsedInput(value))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	results, err := ready.query.Eval(ctx, options...)
	if err != nil {
		found := problems(err)[0]
		return reply{Error: &found}
	}
	return resultReply(results)
}

func resultReply(results rego.ResultSet) reply {
	if len(results) == 0 {
		return reply{Undefined: true}
	}
	given := reply{}
	for _, result := range results {
		values := map[string]any{}
		for name, value := range result.Bindings {
			values[name] = value
		}
		for at, expression := range result.Expressions {
			values[fmt.Sprintf("#%d", at)] = expression.Value
		}
		row := map[string]json.RawMessage{}
		for name, value := range values {
			text, err := json.Marshal(value)
			if err != nil {
				// OPA keeps numbers as they were written, such as ".5", which is no JSON.
				return reply{Error: &problem{Code: notJSON, Message: err.Error()}}
			}
			row[name] = text
		}
		given.Result = append(given.Result, row)
	}
	return given
}

func (e *evaluator) prepare(asked question) preparation {
	var hash maphash.Hash
	hash.SetSeed(e.seed)
	for _, module := range asked.Modules {
		hash.WriteString(module)
		hash.WriteByte(0)
	}
	fmt.Fprintf(&hash, "\x00%s\x00%s\x00%v%v", asked.Query, asked.Data, asked.V0, asked.Strict)
	key := hash.Sum64()
	if ready, ok := e.prepared[key]; ok {
		return ready
	}
	if len(e.prepared) >= keptQueries {
		clear(e.prepared)
	}
	ready := prepareNew(asked)
	e.prepared[key] = ready
	return ready
}

func prepareNew(asked question) preparation {
	options := []func(*rego.Rego){
		rego.Query(asked.Query),
		rego.SetRegoVersion(parserOptions(asked.V0).RegoVersion),
		rego.StrictBuiltinErrors(asked.Strict),
	}
	for at, module := range asked.Modules {
		options = append(options, rego.Module(fmt.Sprintf("test-%d.rego", at), module))
	}
	if len(asked.Data) > 0 {
		var data map[string]any
		if err := util.UnmarshalJSON(asked.Data, &data); err != nil {
			return preparation{problems: []problem{{Code: "question", Message: err.Error()}}}
		}
		options = append(options, rego.Store(inmem.NewFromObject(data)))
	}
	query, err := rego.New(options...).PrepareForEval(context.Background())
	if err != nil {
		return preparation{problems: problems(err)}
	}
	return preparation{query: query}
}
