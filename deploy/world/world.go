// Package world is what the end-to-end tests and the benchmarks stand on: a real cluster with
// Assay installed, and a real Gitea, both found by environment variables that
// deploy/dev/cluster.sh prints.
//
// It makes repositories and pull requests as a developer would, by Git and the forge's API,
// and tenants as a platform team would. It knows nothing of what is tested.
package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"code.gitea.io/sdk/gitea"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// ShellImage is an image with a shell that deploy/dev/install.sh loads.
const ShellImage = "assay.dev/tools/shell:dev"

// World is a cluster and a Git host.
type World struct {
	// Client of the cluster, as an administrator.
	Client client.WithWatch
	// Config of that client.
	Config *rest.Config
	// Gitea is the forge's API, as the administrator.
	Gitea *gitea.Client
	// GiteaURL, User and Token are how repositories are reached.
	GiteaURL, User, Token string
}

// Connect finds the world by KUBECONFIG, GITEA_URL, GITEA_USER and GITEA_TOKEN.
func Connect() (*World, error) {
	w := &World{GiteaURL: os.Getenv("GITEA_URL"), User: os.Getenv("GITEA_USER"), Token: os.Getenv("GITEA_TOKEN")}
	if os.Getenv("KUBECONFIG") == "" || w.GiteaURL == "" || w.User == "" || w.Token == "" {
		return nil, errors.New(`KUBECONFIG, GITEA_URL, GITEA_USER and GITEA_TOKEN are needed: eval "$(deploy/dev/cluster.sh)"`)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	var err error
	if w.Config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")); err != nil {
		return nil, fmt.Errorf("reading KUBECONFIG: %w", err)
	}
	w.Config.QPS, w.Config.Burst = 100, 200
	if w.Client, err = client.NewWithWatch(w.Config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("reaching the cluster: %w", err)
	}
	if w.Gitea, err = gitea.NewClient(w.GiteaURL, gitea.SetToken(w.Token)); err != nil {
		return nil, fmt.Errorf("reaching Gitea: %w", err)
	}
	return w, nil
}

// Until asks every tenth of a second whether done, until it is, errs, or the context ends.
func Until(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	if err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, done); err != nil {
		return fmt.Errorf("waiting until %s: %w", what, err)
	}
	return nil
}

// Controller gives the controller's pod.
func (w *World) Controller(ctx context.Context) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := w.Client.List(ctx, &pods, client.InNamespace("assay-system"), client.MatchingLabels{"app.kubernetes.io/name": "assay-controller"})
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp.IsZero() {
			return &pods.Items[i], nil
		}
	}
	return nil, errors.New("no controller pod in assay-system: deploy/dev/install.sh")
}
