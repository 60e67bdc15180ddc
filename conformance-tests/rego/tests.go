package main

import (
	"context"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
)

// runTests runs every test_ rule under OPA. A test that is skipped (todo_) is a
// failure: what is not finished does not get into the library.
func runTests(modules map[string]*ast.Module) (*outcome, error) {
	result := &outcome{name: "tests"}
	compiler := ast.NewCompiler().
		WithCapabilities(capabilities()).
		WithEnablePrintStatements(true).
		WithUseTypeCheckAnnotations(true)
	results, err := tester.NewRunner().
		SetCompiler(compiler).
		SetModules(modules).
		CapturePrintOutput(true).
		RaiseBuiltinErrors(true). // our engine is strict as well
		RunTests(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	for r := range results {
		switch {
		case r.Pass():
			result.passed++
		case r.Skip:
			result.fail("%s: %s.%s is skipped", r.Location.File, r.Package, r.Name)
		case r.Error != nil:
			result.fail("%s:%d: %s.%s: %v", r.Location.File, r.Location.Row, r.Package, r.Name, r.Error)
		default:
			result.fail("%s:%d: %s.%s is not true%s", r.Location.File, r.Location.Row, r.Package, r.Name, details(r))
		}
	}
	return result, nil
}

// details adds the failed cases of a table test, and what the test printed.
func details(r *tester.Result) string {
	var text strings.Builder
	for name, sub := range r.SubResults.Iter {
		if sub.Fail {
			text.WriteString("\n    case " + strings.Join(name, " / "))
		}
	}
	if printed := strings.TrimSpace(string(r.Output)); printed != "" {
		text.WriteString("\n    " + strings.ReplaceAll(printed, "\n", "\n    "))
	}
	return text.String()
}
