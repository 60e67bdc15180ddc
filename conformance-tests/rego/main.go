// Command rego-check has Open Policy Agent itself judge a folder of policies.
//
// Our engine compiles Rego on its own; a policy that only our engine accepts, or
// that OPA reads in another way, must not get into the library. Four checks:
//
//	strict      every file compiles together under `opa check --strict`
//	formatting  every file is as `opa fmt` would write it
//	layout      every policy has tests, and samples it allows and denies
//	tests       every test_ rule in a _test.rego file passes
//
// Problems are listed on standard output, one a line, then each check's count
// and the sum as `N passed, N failed`. Exit codes are those of wayguard itself:
// 0 all passed, 1 the folder could not be read, 2 something failed, 3 usage.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Exit codes, as in the rest of the suite.
const (
	exitFine   = 0
	exitOurs   = 1
	exitFailed = 2
	exitUsage  = 3
)

// outcome is what one check found: how many things it looked at and found good,
// and a line for each that it did not.
type outcome struct {
	name     string
	passed   int
	problems []string
}

func (o *outcome) fail(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, talk io.Writer) int {
	if len(args) != 1 || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprintln(talk, "usage: rego-check FOLDER   (the folder that holds <category>/<policy>/policy.rego)")
		return exitUsage
	}
	outcomes, err := checkAll(args[0])
	if err != nil {
		fmt.Fprintf(talk, "rego-check: %v\n", err)
		return exitOurs
	}
	var passed, failed int
	for _, o := range outcomes {
		for _, problem := range o.problems {
			fmt.Fprintf(out, "%s: %s\n", o.name, problem)
		}
		passed += o.passed
		failed += len(o.problems)
	}
	for _, o := range outcomes {
		fmt.Fprintf(out, "%-10s %d passed, %d failed\n", o.name, o.passed, len(o.problems))
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return exitFailed
	}
	return exitFine
}

// checkAll runs every check that can run: tests need files that compile, the
// others need only files that parse, and each file that does not is reported.
func checkAll(folder string) ([]*outcome, error) {
	sources, err := readSources(folder)
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		// A mistyped folder would otherwise pass for ever.
		return nil, errors.New("no .rego file under `" + folder + "`")
	}
	strict, modules := checkStrict(sources)
	layout, err := checkLayout(folder, modules)
	if err != nil {
		return nil, err
	}
	outcomes := []*outcome{strict, checkFormatting(sources), layout}
	if len(strict.problems) == 0 {
		tests, err := runTests(modules)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, tests)
	}
	return outcomes, nil
}
