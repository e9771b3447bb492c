package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	fluxclient "github.com/fluxcd/pkg/runtime/client"
	fluxctrl "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/metrics"
	"github.com/fluxcd/pkg/runtime/pprof"
	"github.com/fluxcd/pkg/runtime/probes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	authenticationv1 "k8s.io/client-go/kubernetes/typed/authentication/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/gitea"
	"github.com/assay-dev/assay/providers/plain"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/certificate"
	"github.com/assay-dev/assay/runner/gateway"
	"github.com/assay-dev/assay/runner/pods"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/runner/schedule"
	"github.com/assay-dev/assay/runner/slots"
	"github.com/assay-dev/assay/runner/testenvironment"
	"github.com/assay-dev/assay/runner/testrun"
	"github.com/assay-dev/assay/runner/testsuite"
	"github.com/assay-dev/assay/status/publish"
	"github.com/assay-dev/assay/sync/git"
	"github.com/assay-dev/assay/sync/githubapp"
	"github.com/assay-dev/assay/sync/testrepository"
)

// The one place that knows everybody: tables, and nothing clever.
var (
	forges = map[v1alpha1.ProviderName]providers.Open{
		v1alpha1.ProviderGitea: gitea.Open,
		v1alpha1.ProviderPlain: plain.Open,
	}
	deliveries = map[string]pods.Delivery{
		"image-volume":   pods.ImageVolume,
		"init-container": pods.InitContainer,
	}
)

const (
	controllerName = "assay-controller"
	leaseName      = "assay-controller-leader"
	// cacheBytes is what trees that were read may take in memory. A folder of tests is
	// usually well under a megabyte.
	cacheBytes = 64 << 20
)

// runController builds the parts, wires them, and runs until the context ends.
func runController(ctx context.Context, f controllerFlags) error {
	config := fluxclient.GetConfigOrDie(f.client)
	config.Wrap(countTraffic)
	mgr, err := ctrl.NewManager(config, managerOptions(f))
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	probes.SetupChecks(mgr, mgr.GetLogger())
	if err := runs.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if err := pods.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	// Pods are started past the cache, and those that ask the gateway are found past it where it does not know them yet.
	uncached, err := client.New(config, client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	key, err := controllerKey(ctx, uncached, f.namespace)
	if err != nil {
		return err
	}
	execOptions, err := execOptions(ctx, mgr, f)
	if err != nil {
		return err
	}
	execOptions.Key = key
	gatewayHost, err := f.gatewayHost()
	if err != nil {
		return err
	}
	certificates := certificate.New(uncached, types.NamespacedName{Namespace: f.namespace, Name: f.gatewaySecret}, gatewayHost)
	if err := certificates.Refresh(ctx); err != nil {
		return err
	}
	execOptions.GatewayCA = certificates.Authority

	grantee, err := granteeOf(ctx, uncached)
	if err != nil {
		return err
	}

	reach, err := git.NewReach(f.localHosts...)
	if err != nil {
		return fmt.Errorf("--allow-local-hosts: %w", err)
	}
	apps := githubapp.New(githubapp.Options{Dial: reach.Dial, CheckHost: reach.CheckHost})
	access := testrepository.NewAccess(mgr.GetAPIReader(), forges, apps)
	access.Grantee, access.Reach = grantee, reach
	remote := git.New(git.Options{AllowHTTP: f.allowHTTP, Reach: reach})
	source := testrepository.NewSource(access, git.NewCache(remote, cacheBytes), remote)
	rendered := catalogs.New(source, 0)
	contents, err := testrun.NewContents(mgr.GetClient(), source, rendered, filepath.Join(f.dataDir, "contents"), 0)
	if err != nil {
		return err
	}
	events := mgr.GetEventRecorder(controllerName)

	if err := (&testrepository.Reconciler{
		Client: mgr.GetClient(), Access: access, Refs: remote, Commits: source, Key: key, Events: events,
		ControllerName: f.name,
		Metrics:        fluxctrl.NewMetrics(mgr, metrics.MustMakeRecorder()),
	}).SetupWithManager(mgr, testrepository.Options{Concurrent: f.concurrent, RateLimiter: f.rateLimiter}); err != nil {
		return err
	}
	if err := (&testrun.Reconciler{
		Client: mgr.GetClient(), Source: source, Catalogs: rendered, Contents: contents,
		Executor: pods.New(uncached, mgr.GetClient(), execOptions), Slots: slots.New(time.Now), Key: key, Admission: source, Events: events,
		Retention: testrun.Retention{Pods: f.keepPods, Runs: f.keepRuns},
	}).SetupWithManager(mgr, testrun.Options{Concurrent: f.concurrent}); err != nil {
		return err
	}
	if err := (&schedule.Reconciler{Client: mgr.GetClient(), Catalogs: rendered, Key: key, Events: events, Now: time.Now}).SetupWithManager(mgr); err != nil {
		return err
	}
	if err := (&testsuite.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Catalogs: rendered, Events: events,
	}).SetupWithManager(ctx, mgr, testsuite.Options{Concurrent: f.concurrent}); err != nil {
		return err
	}
	if err := (&testsuite.ByHand{Client: mgr.GetClient(), Events: events}).SetupWithManager(mgr); err != nil {
		return err
	}
	if err := (&testenvironment.Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Grantee: grantee}).SetupWithManager(mgr); err != nil {
		return err
	}
	if err := (&publish.Reconciler{
		Client: mgr.GetClient(), Forges: access, Key: key, Events: events, Controller: f.name,
	}).SetupWithManager(mgr, publish.Options{}); err != nil {
		return err
	}
	reviewer, err := authenticationv1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	if err := addGateway(mgr, f, certificates, gateway.New(uncached, mgr.GetClient(), reviewer.TokenReviews(), key, contents, gateway.Options{})); err != nil {
		return err
	}
	if f.webhookAddr != "" {
		if err := addWebhook(mgr, config, f); err != nil {
			return err
		}
	}
	return mgr.Start(ctx)
}

// addGateway has every replica serve test pods: what it needs is in the API server and in Git.
func addGateway(mgr ctrl.Manager, f controllerFlags, certificates *certificate.Keeper, handler http.Handler) error {
	listener, err := tls.Listen("tcp", f.gatewayAddr, certificates.Config())
	if err != nil {
		return fmt.Errorf("listening for the gateway: %w", err)
	}
	server := &manager.Server{Name: "gateway", ShutdownTimeout: &f.gracefulStop, Listener: listener, Server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}}
	if err := errors.Join(mgr.Add(certificates), mgr.Add(server)); err != nil {
		return fmt.Errorf("adding the gateway: %w", err)
	}
	return nil
}

func managerOptions(f controllerFlags) ctrl.Options {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // the kinds of one program contradict each other
		}
	}
	ours := labels.SelectorFromSet(labels.Set{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy})
	return ctrl.Options{
		Scheme:                        scheme,
		HealthProbeBindAddress:        f.healthAddr,
		Metrics:                       metricsOptions(f),
		LeaderElection:                f.leaderElection.Enable,
		LeaderElectionReleaseOnCancel: f.leaderElection.ReleaseOnCancel,
		LeaseDuration:                 &f.leaderElection.LeaseDuration,
		RenewDeadline:                 &f.leaderElection.RenewDeadline,
		RetryPeriod:                   &f.leaderElection.RetryPeriod,
		LeaderElectionID:              leaseName,
		GracefulShutdownTimeout:       &f.gracefulStop,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject:         map[client.Object]cache.ByObject{&corev1.Pod{}: {Label: ours}},
		},
		// Secrets are read by name and never kept.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.Namespace{}}}},
	}
}

// metricsOptions has metrics, and profiles where they were asked for, read by those alone whose token says that they may:
// they name the repositories and environments of everybody.
func metricsOptions(f controllerFlags) metricsserver.Options {
	o := metricsserver.Options{
		BindAddress: f.metricsAddr, SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }},
	}
	if f.profiling {
		o.ExtraHandlers = pprof.GetHandlers()
	}
	return o
}

// execOptions finds out how assay-exec gets into test pods.
func execOptions(ctx context.Context, mgr ctrl.Manager, f controllerFlags) (pods.Options, error) {
	o := pods.Options{ExecImage: f.execImage, GatewayURL: f.gatewayURL}
	if o.ExecImage == "" {
		pod := &corev1.Pod{}
		key := types.NamespacedName{Namespace: f.namespace, Name: os.Getenv("POD_NAME")}
		if err := mgr.GetAPIReader().Get(ctx, key, pod); err != nil {
			return pods.Options{}, fmt.Errorf("reading the controller's own pod %q, for its image: %w", key, err)
		}
		o.ExecImage = pod.Spec.Containers[0].Image
	}
	var ok bool
	if o.Delivery, ok = deliveries[f.execDelivery]; ok {
		return o, nil
	}
	delivery, err := bestDelivery(mgr.GetConfig(), mgr.GetHTTPClient())
	o.Delivery = delivery
	return o, err
}

// bestDelivery is the image volume where the API server knows it by default: from 1.36 on.
func bestDelivery(config *rest.Config, httpClient *http.Client) (pods.Delivery, error) {
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return "", fmt.Errorf("making a client: %w", err)
	}
	info, err := d.ServerVersion()
	if err != nil {
		return "", fmt.Errorf("asking the API server for its version: %w", err)
	}
	version, err := utilversion.ParseGeneric(info.GitVersion)
	if err != nil {
		return "", fmt.Errorf("the version %q of the API server: %w", info.GitVersion, err)
	}
	if version.AtLeast(utilversion.MustParseGeneric("1.36.0")) {
		return pods.ImageVolume, nil
	}
	return pods.InitContainer, nil
}
