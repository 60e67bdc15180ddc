// Command control-plane is a whole Kubernetes control plane in one file: etcd,
// the API server, the controller manager and kubectl, linked as libraries.
//
// The black-box tests and `wayguard sandbox` need a real API server, and should
// not need a container runtime, an image or a download of binaries to get one.
// The Go module proxy already carries everything; `go build` makes the rest.
//
// The part to play is the first argument, or the name under which the program
// is called. Links named `etcd`, `kube-apiserver`, `kube-controller-manager`
// and `kubectl` therefore make a folder that serves as KUBEBUILDER_ASSETS.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJobs name time zones, and the machine may have no database of them

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the client's metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info on /metrics
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// A part runs to its end with os.Args as if it were a program of its own, and
// returns the exit code.
type part struct {
	name string
	run  func() int
}

// parts lists what this program can be, in the order in which a control plane
// is started.
var parts = []part{
	{"etcd", func() int { etcdmain.Main(os.Args); return 0 }},
	{"kube-apiserver", func() int { return cli.Run(apiserver.NewAPIServerCommand()) }},
	{"kube-controller-manager", func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) }},
	{"kubectl", runKubectl},
}

func main() {
	if chosen := find(filepath.Base(os.Args[0])); chosen != nil {
		os.Exit(chosen.run())
	}
	if len(os.Args) > 1 {
		if chosen := find(os.Args[1]); chosen != nil {
			// Each part reads os.Args, kubectl even for the names of its plugins.
			os.Args = os.Args[1:]
			os.Exit(chosen.run())
		}
	}
	names := make([]string, 0, len(parts))
	for _, p := range parts {
		names = append(names, "`"+p.name+"`")
	}
	fmt.Fprintf(os.Stderr, "control-plane: the first argument must be one of %s\n", strings.Join(names, ", "))
	os.Exit(3)
}

// find returns the part of that name, or nil.
func find(name string) *part {
	i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return &parts[i]
}
