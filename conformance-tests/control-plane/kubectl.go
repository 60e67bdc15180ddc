package main

import (
	"os"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // exec and OIDC credentials in a kubeconfig
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

// runKubectl is kubectl of the same release as the API server, so that a
// machine without kubectl, or with one too old for it, can use the sandbox.
func runKubectl() int {
	// kubectl logs while its command is being built, before any flag is parsed,
	// so -v has to be looked up by hand. A malformed one is reported by the
	// parser later.
	_, _ = logs.GlogSetter(cmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		// Prints the message in kubectl's words and exits with kubectl's code.
		util.CheckErr(err)
	}
	return 0
}
