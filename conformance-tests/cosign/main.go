// Has cosign sign images in each way that it knows, asks cosign what it accepts, and writes both down: one JSON file
// for each image, with the evidence beside it and cosign's verdicts. Our verdicts are compared with them by
// images/tests/cosign.rs. Everything runs on loopback; nothing outlives the program.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	bin := flag.String("bin", "", "folder with cosign, fulcio, posix (Rekor 2) and timestamp-server")
	out := flag.String("out", "", "folder for the cases")
	flag.Parse()
	if *bin == "" || *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := record(*bin, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func record(bin, out string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "cosign-cases-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	lab, err := start(bin, work)
	if err != nil {
		return err
	}
	defer lab.stop()
	return lab.recordAll(out)
}
