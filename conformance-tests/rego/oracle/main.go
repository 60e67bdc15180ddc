// Command rego-oracle answers, as Open Policy Agent does, questions about Rego.
//
//	rego-oracle answer    reads one question a line (JSON) and answers each with one line, until the input ends
//	rego-oracle corpus    writes every piece of Rego that OPA's own tests hold, with OPA's reading of it
//	rego-oracle layouts   writes every module that OPA's own tests hold, as OPA formats it
//	rego-oracle cases     writes OPA's conformance cases, one a line
//
// Our engine is compared with these answers. What a question and an answer look
// like is in question.go.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "rego-oracle: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: rego-oracle answer|corpus|layouts|cases")
	}
	buffered := bufio.NewWriter(out)
	defer buffered.Flush()
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	switch args[0] {
	case "answer":
		return answerAll(in, buffered, lines)
	case "corpus":
		return writeCorpus(lines)
	case "layouts":
		return writeLayouts(lines)
	case "cases":
		return writeCases(lines)
	default:
		return fmt.Errorf("there is no `%s`", args[0])
	}
}

// answerAll answers question by question, so that the asker may wait for each.
func answerAll(in io.Reader, out *bufio.Writer, lines *json.Encoder) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	evaluator := newEvaluator()
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			write := func(given reply) error { return lines.Encode(given) }
			if err := answerLine(evaluator, line, write); err != nil {
				return err
			}
			if reader.Buffered() == 0 {
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
