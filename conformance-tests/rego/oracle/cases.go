package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/open-policy-agent/opa/v1/test/cases"
)

// writeCases writes OPA's conformance cases, those of Rego v0 first.
func writeCases(lines *json.Encoder) error {
	folder, err := opaFolder()
	if err != nil {
		return err
	}
	for _, version := range []string{"v0", "v1"} {
		set, err := cases.Load(filepath.Join(folder, "v1/test/cases/testdata", version))
		if err != nil {
			return err
		}
		for _, one := range set.Sorted().Cases {
			line := struct {
				V0 bool `json:"v0"`
				cases.TestCase
			}{version == "v0", one}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}
