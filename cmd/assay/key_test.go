package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func emptyKey() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "assay-system", Name: keySecret}}
}

// TestControllerKeyIsMadeOnce: whoever starts later, or loses the race, has the key of the first.
func TestControllerKeyIsMadeOnce(t *testing.T) {
	raced := false
	c := fake.NewClientBuilder().WithObjects(emptyKey()).WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if !raced { // another replica was faster
				raced = true
				if _, err := controllerKey(ctx, c, "assay-system"); err != nil {
					return err
				}
			}
			return c.Update(ctx, o, opts...)
		}}).Build()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", Labels: map[string]string{"app.kubernetes.io/managed-by": "assay"}}}
	first, err := controllerKey(t.Context(), c, "assay-system")
	if err != nil {
		t.Fatal(err)
	}
	first.SignPod(pod)
	kept := &corev1.Secret{}
	if err := c.Get(t.Context(), types.NamespacedName{Namespace: "assay-system", Name: keySecret}, kept); err != nil || bytes.Equal(kept.Data[keyEntry], nil) {
		t.Fatalf("%v, %v", kept.Data, err)
	}
	second, err := controllerKey(t.Context(), c, "assay-system")
	if err != nil || !second.IsPod(pod) || !raced {
		t.Errorf("the second is another: %v", err)
	}
}

func TestControllerKeySaysWhatIsMissing(t *testing.T) {
	short := emptyKey()
	short.Data = map[string][]byte{keyEntry: []byte("short")}
	forbidden := interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
		return apierrors.NewForbidden(corev1.Resource("secrets"), keySecret, errors.New("no"))
	}}
	for name, c := range map[string]struct {
		client client.Client
		want   string
	}{
		"no Secret": {fake.NewClientBuilder().Build(), "apply the manifests"},
		"no right":  {fake.NewClientBuilder().WithInterceptorFuncs(forbidden).Build(), "apply the manifests"},
		"too short": {fake.NewClientBuilder().WithObjects(short).Build(), "the key has 5 bytes: it needs 32"},
	} {
		if _, err := controllerKey(t.Context(), c.client, "assay-system"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
