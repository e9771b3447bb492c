// Package pods carries attempts out as pods.
//
// In: an Attempt. Out: a Pod ([Build], a pure function) that the [Executor] creates, deletes and lists, and from a Pod
// what the runner wants to know of it ([Observe], pure too). It must not know Git, forges or how a verdict is reached.
package pods

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// Delivery is how assay-exec gets into a test pod.
type Delivery string

// The deliveries.
const (
	// ImageVolume mounts the image as a volume; it needs Kubernetes 1.36.
	ImageVolume Delivery = "ImageVolume"
	// InitContainer copies the program from an init container.
	InitContainer Delivery = "InitContainer"
)

// Options are the controller's part of a pod.
type Options struct {
	// ExecImage is the image that holds /assay-exec (or ExecPath). Required.
	ExecImage string
	// ExecPath of the program in that image, from its root. Default "assay-exec".
	ExecPath string
	// ExecPullPolicy of ExecImage. Default IfNotPresent.
	ExecPullPolicy corev1.PullPolicy
	// Delivery of assay-exec. Default ImageVolume.
	Delivery Delivery
	// GatewayURL as test pods reach it, such as http://assay-gateway.assay-system:8080. Required.
	GatewayURL string
	// GatewayCA is the PEM certificate of an https gateway; empty means the roots of assay-exec's system.
	GatewayCA []byte
}

// Build gives the pod of an attempt.
func Build(attempt runner.Attempt, o Options) *corev1.Pod { panic("being written") }

// Observe gives what can be seen of a pod that Build wrote; false when it is not one.
func Observe(pod *corev1.Pod) (runner.ObservedAttempt, bool) { panic("being written") }

// Executor runs attempts as pods. It implements runner.Executor.
type Executor struct {
	client  client.Client
	options Options
}

// New gives an executor that works through c: list, create, delete of pods in every namespace that environments name.
func New(c client.Client, o Options) *Executor { return &Executor{client: c, options: o} }

// Start creates the pod.
func (e *Executor) Start(ctx context.Context, attempt runner.Attempt) error { panic("being written") }

// Stop deletes the pod.
func (e *Executor) Stop(ctx context.Context, run *v1alpha1.TestRun, pod string) error {
	panic("being written")
}

// List reads the pods of the run.
func (e *Executor) List(ctx context.Context, run *v1alpha1.TestRun) ([]runner.ObservedAttempt, error) {
	panic("being written")
}
