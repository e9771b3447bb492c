package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// cluster is the one that KUBECONFIG names.
type cluster struct {
	client client.Client
}

func newCluster() (cluster, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return cluster{}, fmt.Errorf("cluster: %w: set KUBECONFIG", err)
	}
	config.QPS = -1 // the API server has limits of its own
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return cluster{}, err
		}
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return cluster{}, fmt.Errorf("cluster: %w", err)
	}
	return cluster{c}, nil
}

// apply makes the objects stand in the cluster, by server-side apply and in their order.
func (c cluster) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, o := range objects {
		err := c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("shop-demo"), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("apply %s %s/%s: %w", o.GetKind(), o.GetNamespace(), o.GetName(), err)
		}
	}
	return nil
}

// controllerAvailable is a [condition].
func (c cluster) controllerAvailable(ctx context.Context) (bool, string, error) {
	var d appsv1.Deployment
	if err := c.client.Get(ctx, client.ObjectKey{Namespace: "assay-system", Name: "assay-controller"}, &d); err != nil {
		return false, "", err
	}
	if d.Status.AvailableReplicas == 0 {
		return false, "starts", nil
	}
	return true, "is there", nil
}

// rolledOut says whether a Deployment runs as it was applied, and no pod of before is left.
func (c cluster) rolledOut(ctx context.Context, namespace, name string) (bool, string, error) {
	var d appsv1.Deployment
	if err := c.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &d); err != nil {
		return false, "", err
	}
	s := d.Status
	if s.ObservedGeneration < d.Generation || s.UpdatedReplicas < *d.Spec.Replicas || s.AvailableReplicas < *d.Spec.Replicas {
		return false, "starts", nil
	}
	var pods corev1.PodList
	if err := c.client.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels)); err != nil {
		return false, "", err
	}
	if len(pods.Items) > int(*d.Spec.Replicas) {
		return false, "the old pod ends", nil
	}
	return true, "runs", nil
}
