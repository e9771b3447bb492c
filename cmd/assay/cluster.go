package main

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // kubeconfigs with an OIDC provider work as they do in kubectl
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// clusterFlags say which cluster, as in kubectl.
type clusterFlags struct{ kubeconfig, context, namespace string }

func (f *clusterFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "`FILE` that says how to reach the cluster (default: $KUBECONFIG or ~/.kube/config)")
	flags.StringVar(&f.context, "context", "", "`NAME` of the kubeconfig's context (default: the current one)")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "`NAMESPACE` of the TestRepository (default: the context's)")
}

// cluster is a connection to an API server.
type cluster struct {
	client.WithWatch
	// namespace to work in.
	namespace string
}

// connect reads the kubeconfig. No API server is asked yet, so that it need not answer; what
// it warns of later goes to warnings.
func (f *clusterFlags) connect(warnings io.Writer) (*cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: f.context}
	overrides.Context.Namespace = f.namespace
	kubeconfig := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := kubeconfig.ClientConfig()
	if err != nil {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name a file with --kubeconfig or $KUBECONFIG", "reading the kubeconfig: %w", err)
	}
	namespace, _, err := kubeconfig.Namespace()
	if err != nil {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name one with --namespace", "reading the kubeconfig's namespace: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), authenticationv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	// Without a log of its own the client complains after 30 s, on the standard error, that nobody set one.
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Log: logr.New(log.NullLogSink{})})
	if err != nil {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "mend the kubeconfig", "connecting to the cluster: %w", err)
	}
	return &cluster{c, namespace}, nil
}

// user gives the name by which the API server knows who asks, or the login name where it
// does not say.
func (c *cluster) user(ctx context.Context) string {
	const longest = 256 // of spec.cause.by
	name := os.Getenv("USER")
	var review authenticationv1.SelfSubjectReview
	if err := c.Create(ctx, &review); err == nil && review.Status.UserInfo.Username != "" {
		name = review.Status.UserInfo.Username
	}
	return name[:min(len(name), longest)]
}

// classify makes a fault of what the API server answered, or that it did not.
func classify(err error) error {
	var unknownAuthority x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var netErr net.Error
	wrap := func(reason fault.Reason, remedy string) error {
		return fault.New(reason, fault.Place{}, remedy, "%w", err)
	}
	switch {
	case err == nil || errors.As(err, new(*fault.Fault)):
		return err
	case meta.IsNoMatchError(err):
		return wrap(fault.InvalidSpec, "install Assay in this cluster, or name another with --context")
	case apierrors.IsUnauthorized(err):
		return wrap(fault.AuthenticationFailed, "log in to the cluster")
	case apierrors.IsForbidden(err):
		return wrap(fault.AuthenticationFailed, "ask whoever runs the cluster for this right")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return wrap(fault.InvalidSpec, "")
	case apierrors.IsTooManyRequests(err):
		return wrap(fault.RateLimited, "try again later")
	case apierrors.ReasonForError(err) == "" && (errors.As(err, &unknownAuthority) || errors.As(err, &wrongName)):
		return wrap(fault.HostNotTrusted, "mend certificate-authority in the kubeconfig")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &netErr):
		return wrap(fault.HostUnreachable, "see whether the cluster of the kubeconfig answers")
	case apierrors.ReasonForError(err) != "":
		return wrap(fault.HostFailed, "try again later")
	}
	return err
}
