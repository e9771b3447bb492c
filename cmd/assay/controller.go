package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	fluxclient "github.com/fluxcd/pkg/runtime/client"
	fluxctrl "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/jitter"
	"github.com/fluxcd/pkg/runtime/leaderelection"
	"github.com/fluxcd/pkg/runtime/logger"
	"github.com/spf13/cobra"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
)

// controllerFlags are the flags of `assay controller`; those of Flux have Flux's names.
type controllerFlags struct {
	name, namespace                      string
	metricsAddr, healthAddr, gatewayAddr string
	webhookAddr                          string
	gatewayURL, gatewaySecret            string
	execImage, execDelivery              string
	dataDir                              string
	allowHTTP, profiling                 bool
	localHosts                           []string
	concurrent                           int
	keepPods, keepRuns                   time.Duration
	gracefulStop                         time.Duration

	client         fluxclient.Options
	rateLimiter    fluxctrl.RateLimiterOptions
	leaderElection leaderelection.Options
	logger         logger.Options
	jitter         jitter.IntervalOptions
}

const controllerNameHelp = "The name of this controller: a DNS label, such as that of its cluster. " +
	"Give each a name where several watch one Git repository: it is in the commit statuses " +
	"(assay/<name>/<environment>, unless spec.statusPrefix says otherwise) and finds the controller's comments again."

func newControllerCommand() *cobra.Command {
	var f controllerFlags
	cmd := &cobra.Command{
		Use:   "controller",
		Short: "Run the controller: poll repositories, run suites as pods, answer on the forge",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger.SetLogger(logger.NewLogger(f.logger))
			if err := errors.Join(f.validate(), f.jitter.SetGlobalJitter(nil)); err != nil {
				return err
			}
			return runController(cmd.Context(), f)
		},
	}
	f.bind(cmd)
	return cmd
}

func (f *controllerFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "controller-name", "", controllerNameHelp)
	flags.StringVar(&f.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "The namespace of the controller, with its own Secrets. Default: POD_NAMESPACE.")
	flags.StringVar(&f.metricsAddr, "metrics-addr", ":8080", "The address the metrics are served on, over TLS, to those who may get the path /metrics: see the ClusterRole assay-metrics-reader.")
	flags.BoolVar(&f.profiling, "profiling", false, "Serve profiles below /debug/pprof/ beside the metrics, to those who may get that path.")
	flags.StringVar(&f.healthAddr, "health-addr", ":9440", "The address the probes are served on.")
	flags.StringVar(&f.gatewayAddr, "gateway-addr", ":9090", "The address test pods are served on.")
	flags.StringVar(&f.webhookAddr, "webhook-addr", "", "The address forges are served on that say, at /hook/<namespace>/<name>, that a TestRepository has something new. Default: none, polling is enough.")
	flags.StringVar(&f.gatewayURL, "gateway-url", "", "The https URL at which test pods reach the gateway. Required.")
	flags.StringVar(&f.gatewaySecret, "gateway-tls-secret", "assay-gateway-tls", "The Secret, in the controller's namespace, with the gateway's certificate: "+
		"tls.crt, tls.key and ca.crt, as cert-manager writes them. Where it is empty the controller makes and renews them.")
	flags.StringVar(&f.execImage, "exec-image", "", "The image that holds assay-exec. Default: the image of the pod that POD_NAME and POD_NAMESPACE name.")
	flags.StringVar(&f.execDelivery, "exec-delivery", "auto", "How assay-exec gets into test pods: image-volume (Kubernetes 1.36 and later), init-container, or auto.")
	flags.StringVar(&f.dataDir, "data-dir", "/data", "A folder for what can be made again: packed contents.")
	flags.BoolVar(&f.allowHTTP, "insecure-allow-http", false, "Allow repositories with http:// URLs, whose credentials anybody on the way can read.")
	flags.StringSliceVar(&f.localHosts, "allow-local-hosts", nil, "Names, addresses or CIDRs of hosts that TestRepositories may name though they are loopback or link-local addresses, such as 127.0.0.1.")
	flags.IntVar(&f.concurrent, "concurrent", 32, "The number of repositories, of catalogs and of runs that are looked at at the same time. They wait for Git hosts most of the time; one host holds no more than 16 of each.")
	flags.DurationVar(&f.keepPods, "keep-pods", time.Hour, "How long pods stay after their run has ended.")
	flags.DurationVar(&f.keepRuns, "keep-runs", 7*24*time.Hour, "How long TestRuns stay after they have ended.")
	flags.DurationVar(&f.gracefulStop, "graceful-shutdown-timeout", 10*time.Second, "How long work under way may take to end.")
	f.client.BindFlags(flags)
	f.rateLimiter.BindFlags(flags)
	f.leaderElection.BindFlags(flags)
	f.logger.BindFlags(flags)
	f.jitter.BindFlags(flags)
}

func (f *controllerFlags) validate() error {
	if f.name != "" && len(utilvalidation.IsDNS1123Label(f.name)) > 0 {
		return fmt.Errorf("--controller-name=%q is no DNS label: use at most 63 lower-case letters, digits and dashes",
			f.name)
	}
	if _, err := f.gatewayHost(); err != nil {
		return err
	}
	if _, ok := deliveries[f.execDelivery]; !ok && f.execDelivery != "auto" {
		return fmt.Errorf("--exec-delivery=%q: use auto, image-volume or init-container", f.execDelivery)
	}
	if f.namespace == "" {
		return errors.New("--namespace is needed where POD_NAMESPACE does not say it")
	}
	if f.execImage == "" && os.Getenv("POD_NAME") == "" {
		return errors.New("--exec-image is needed where POD_NAME does not say which pod this is")
	}
	return nil
}

// gatewayHost is who the gateway's certificate is for.
func (f *controllerFlags) gatewayHost() (string, error) {
	u, err := url.Parse(f.gatewayURL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("--gateway-url=%q is no https URL: set it to the Service of the gateway, such as https://assay-gateway.assay-system.svc:9090", f.gatewayURL)
	}
	return u.Hostname(), nil
}
