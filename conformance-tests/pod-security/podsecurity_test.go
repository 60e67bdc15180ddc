// Package podsecurity runs upstream's own Pod Security suite against whatever
// enforces Pod Security in the cluster of KUBECONFIG: the API server's built-in
// plugin, or our webhook with the plugin switched off.
//
//	KUBECONFIG=… go test -count=1 -timeout 10m
//
// The suite makes a namespace per level and version, then dry-runs Pods, and
// Deployments around them: a Pod that breaks a control must be refused, its
// Deployment must be admitted with a warning, both in upstream's words, and
// what breaks nothing must pass.
package podsecurity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	suite "k8s.io/pod-security-admission/test"
)

// leftoverDeadline is how long a namespace of an earlier run may take to go.
const leftoverDeadline = 60 * time.Second

// TestPodSecurity is every check of every level in every version.
//
// No feature gates are handed over, as in upstream's own run against its
// webhook: then no negative case is skipped.
func TestPodSecurity(t *testing.T) {
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		// Not a skip: a suite that did not run must not look like one that passed.
		t.Fatal("KUBECONFIG is not set; it must name the cluster to test (`wayguard sandbox` prints one)")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("cannot read the kubeconfig `%s`: %v", path, err)
	}
	// The suite sends some thousand requests one after the other; the client's
	// default of 5 a second would be all that is measured.
	config.QPS, config.Burst = 1000, 1000
	suite.Run(t, suite.Options{ClientConfig: config, CreateNamespace: createNamespace})
}

// createNamespace makes a namespace afresh. The suite's names are fixed, so one
// that an earlier run left behind is removed first: changing its labels instead
// would test how fast label changes are noticed.
func createNamespace(client kubernetes.Interface, name string, labels map[string]string) (*corev1.Namespace, error) {
	ctx, cancel := context.WithTimeout(context.Background(), leftoverDeadline)
	defer cancel()
	var made *corev1.Namespace
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var err error
		made, err = suite.DefaultCreateNamespace(client, name, labels)
		if !apierrors.IsAlreadyExists(err) {
			return err == nil, err
		}
		err = client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
		// A conflict says that it is being deleted already.
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			err = nil
		}
		return false, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("namespace `%s` of an earlier run is still there after %s; "+
			"is a controller manager running that could remove it?", name, leftoverDeadline)
	}
	return made, err
}
