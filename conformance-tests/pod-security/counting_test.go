package podsecurity

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// countedEnv marks the inner run, whose output the outer one counts.
const countedEnv = "WAYGUARD_COUNTED_RUN"

// verdict is the line that Go prints for a sub-test: one for each level,
// version, check and side (pass or fail).
var verdict = regexp.MustCompile(`^\s+--- (PASS|FAIL|SKIP): `)

// noise are the lines that say nothing beyond a verdict.
var noise = regexp.MustCompile(`^\s*(=== |--- (PASS|SKIP): )`)

// TestMain closes the run with `N passed, N failed`, which Go itself does not
// print: the test binary runs itself once more and counts. With -v, -json or
// -list the output is Go's, untouched.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(countedEnv) != "" || testing.Verbose() || flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	os.Exit(runCounted())
}

func runCounted() int {
	inner := exec.Command(os.Args[0], append(os.Args[1:], "-test.v=true")...)
	inner.Env = append(os.Environ(), countedEnv+"=1")
	inner.Stderr = os.Stderr
	output, err := inner.StdoutPipe()
	if err == nil {
		err = inner.Start()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "cannot run the suite: %v\n", err)
		return 1
	}
	count := map[string]int{}
	lines := bufio.NewReader(output)
	for {
		// A line may be long: failures quote whole Pods.
		line, err := lines.ReadString('\n')
		if found := verdict.FindStringSubmatch(line); found != nil {
			count[found[1]]++
		}
		if line != "" && !noise.MatchString(line) {
			fmt.Print(line)
		}
		if err != nil {
			if err != io.EOF {
				fmt.Fprintf(os.Stderr, "cannot read the suite's output: %v\n", err)
			}
			break
		}
	}
	err = inner.Wait()
	if err != nil && count["FAIL"] == 0 {
		count["FAIL"] = 1 // it failed before the first sub-test
	}
	fmt.Printf("%d passed, %d failed", count["PASS"], count["FAIL"])
	if count["SKIP"] > 0 {
		fmt.Printf(", %d skipped", count["SKIP"])
	}
	fmt.Println()
	// No verdict at all is a failure: a filter that matches nothing tests nothing.
	if err != nil || count["PASS"] == 0 {
		return 1
	}
	return 0
}
