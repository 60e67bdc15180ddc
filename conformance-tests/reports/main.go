// Command reports reads what wayguard writes with other people's code, and says what does not fit.
//
//	reports sarif FILE…        the raw document against the SARIF 2.1.0 schema, then into go-sarif's types
//	reports openreports FILE…  reports of openreports.io/v1alpha1 into the types of its API, no field left over
//
// Each FILE is told as `FILE: fine (N results)`; otherwise the command ends with 1.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	openreports "github.com/openreports/reports-api/apis/openreports.io/v1alpha1"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/xeipuuv/gojsonschema"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return errors.New("usage: reports sarif|openreports FILE…")
	}
	readers := map[string]func([]byte) (int, error){"sarif": readSarif, "openreports": readOpenReports}
	read, known := readers[arguments[0]]
	if !known {
		return fmt.Errorf("no reader %q", arguments[0])
	}
	for _, file := range arguments[1:] {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		count, err := read(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		fmt.Printf("%s: fine (%d results)\n", file, count)
	}
	return nil
}

func readSarif(raw []byte) (int, error) {
	schema, err := sarifSchema()
	if err != nil {
		return 0, err
	}
	// The raw document: types would drop what the schema has no room for.
	result, err := gojsonschema.Validate(gojsonschema.NewStringLoader(schema), gojsonschema.NewBytesLoader(raw))
	if err != nil {
		return 0, err
	}
	if !result.Valid() {
		return 0, fmt.Errorf("not valid: %v", result.Errors())
	}
	report, err := sarif.FromBytes(raw)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, run := range report.Runs {
		count += len(run.Results)
	}
	return count, nil
}

// The schema is a constant in the module's source, which it does not export.
func sarifSchema() (string, error) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return "", fmt.Errorf("where is go-sarif? %w", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "pkg/report/v210/sarif/schema.go"))
	if err != nil {
		return "", err
	}
	parts := strings.SplitN(string(source), "`", 3)
	if len(parts) != 3 {
		return "", errors.New("go-sarif keeps its schema in another way")
	}
	return parts[1], nil
}

func readOpenReports(raw []byte) (int, error) {
	count := 0
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return 0, err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		text, err := yaml.ToJSON(document)
		if err != nil {
			return 0, err
		}
		var kind struct{ Kind string }
		if err := json.Unmarshal(text, &kind); err != nil {
			return 0, err
		}
		results, summary, err := openReport(kind.Kind, text)
		if err != nil {
			return 0, err
		}
		if err := sums(results, summary); err != nil {
			return 0, err
		}
		count += len(results)
	}
}

func openReport(kind string, text []byte) ([]openreports.ReportResult, openreports.ReportSummary, error) {
	switch kind {
	case "Report":
		var report openreports.Report
		err := strict(text, &report)
		return report.Results, report.Summary, err
	case "ClusterReport":
		var report openreports.ClusterReport
		err := strict(text, &report)
		return report.Results, report.Summary, err
	}
	return nil, openreports.ReportSummary{}, fmt.Errorf("unexpected kind %q", kind)
}

// A field that the types have no room for would be lost on whoever reads it.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// The summary is what dashboards show; each result has what they list.
func sums(results []openreports.ReportResult, summary openreports.ReportSummary) error {
	counts := map[openreports.Result]int{}
	for _, result := range results {
		counts[result.Result]++
		if result.Policy == "" || result.Source == "" || result.Description == "" || len(result.Subjects) == 0 {
			return fmt.Errorf("a result without policy, source, message or object: %+v", result)
		}
	}
	told := map[openreports.Result]int{"fail": summary.Fail, "warn": summary.Warn, "error": summary.Error, "skip": summary.Skip}
	for result, count := range told {
		if counts[result] != count {
			return fmt.Errorf("the summary has %d %s, its results %d", count, result, counts[result])
		}
	}
	return nil
}
