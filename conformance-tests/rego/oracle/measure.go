package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

// batches is how many batches of evaluations are timed; the quickest counts, so
// that what else runs on the machine does not.
const batches = 6

// batchTime is about how long one batch takes.
const batchTime = 10 * time.Millisecond

// measured is what evaluations of one prepared query with a parsed input cost.
type measured struct {
	// Nanoseconds of processor time of one evaluation, garbage collection included.
	Nanoseconds float64 `json:"nanoseconds"`
	// Elements of the collection that it gives.
	Elements int `json:"elements"`
}

// measure times a question that has one query, modules, an input and perhaps
// data. OPA is given its best: the query prepared, the input parsed, the store
// of parsed values.
func measure(asked question) (*measured, error) {
	var data map[string]any
	if len(asked.Data) > 0 {
		if err := util.UnmarshalJSON(asked.Data, &data); err != nil {
			return nil, err
		}
	}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	options := []func(*rego.Rego){
		rego.Query(asked.Query),
		rego.SetRegoVersion(parserOptions(asked.V0).RegoVersion),
		rego.Store(store),
	}
	for at, module := range asked.Modules {
		options = append(options, rego.Module(fmt.Sprintf("test-%d.rego", at), module))
	}
	ctx := context.Background()
	query, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	var input any
	if err := util.UnmarshalJSON(asked.Input, &input); err != nil {
		return nil, err
	}
	value, err := ast.InterfaceToValue(input)
	if err != nil {
		return nil, err
	}
	once := func() (rego.ResultSet, error) { return query.Eval(ctx, rego.EvalParsedInput(value)) }

	results, err := once()
	if err != nil {
		return nil, err
	}
	found := &measured{}
	if len(results) > 0 {
		if list, ok := results[0].Expressions[0].Value.([]any); ok {
			found.Elements = len(list)
		}
	}
	rounds := 1
	for {
		spent, err := batch(rounds, once)
		if err != nil {
			return nil, err
		}
		if spent > batchTime/2 {
			break
		}
		rounds *= 2
	}
	runtime.GC()
	for range batches {
		spent, err := batch(rounds, once)
		if err != nil {
			return nil, err
		}
		each := float64(spent.Nanoseconds()) / float64(rounds)
		if found.Nanoseconds == 0 || each < found.Nanoseconds {
			found.Nanoseconds = each
		}
	}
	return found, nil
}

func batch(rounds int, once func() (rego.ResultSet, error)) (time.Duration, error) {
	before := processor()
	for range rounds {
		if _, err := once(); err != nil {
			return 0, err
		}
	}
	return processor() - before, nil
}

// processor is the time that this process has had on processors.
func processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func measureReply(asked question) reply {
	found, err := measure(asked)
	if err != nil {
		return reply{Load: problems(err)}
	}
	text, err := json.Marshal(found)
	if err != nil {
		return reply{Load: problems(err)}
	}
	return reply{Measured: text}
}
