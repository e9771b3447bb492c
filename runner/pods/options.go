package pods

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/assay-dev/assay/runner/proof"
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
	// ExecImage is the image that holds assay-exec. Required.
	ExecImage string
	// ExecPath of the program in that image, from its root. Default "assay-exec".
	ExecPath string
	// ExecPullPolicy of ExecImage. Default IfNotPresent.
	ExecPullPolicy corev1.PullPolicy
	// Delivery of assay-exec. Default ImageVolume.
	Delivery Delivery
	// GatewayURL as test pods reach it, such as https://assay-gateway.assay-system.svc:9090. Required.
	GatewayURL string
	// Key proves that a pod is the controller's own. Required.
	Key *proof.Key
	// GatewayCA gives the PEM certificates of the gateway's authority as they are when a pod is made; nil, or none,
	// means the public ones.
	GatewayCA func() []byte
}

func (o Options) withDefaults() Options {
	if o.ExecPath == "" {
		o.ExecPath = "assay-exec"
	}
	if o.ExecPullPolicy == "" {
		o.ExecPullPolicy = corev1.PullIfNotPresent
	}
	if o.Delivery == "" {
		o.Delivery = ImageVolume
	}
	if o.GatewayCA == nil {
		o.GatewayCA = func() []byte { return nil }
	}
	return o
}
