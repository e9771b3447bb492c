package gateway

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestReadGoesPastTheCacheForWhatItLacks: what a cache does not have yet, or has of a predecessor of the same name, is
// asked of the API server; what it has is not.
func TestReadGoesPastTheCacheForWhatItLacks(t *testing.T) {
	pod := func(uid types.UID, where string) client.Object {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", UID: uid, Labels: map[string]string{where: ""}}}
	}
	with := func(objects ...client.Object) client.Client {
		return fake.NewClientBuilder().WithObjects(objects...).Build()
	}
	for _, c := range []struct {
		name        string
		cache, live client.Client
		want        string // the label of the pod that is found; empty: none
	}{
		{"the cache has it", with(pod("1", "cache")), with(pod("1", "live")), "cache"},
		{"the cache has nothing", with(), with(pod("1", "live")), "live"},
		{"the cache has its predecessor", with(pod("0", "cache")), with(pod("1", "live")), "live"},
		{"another has its name", with(pod("2", "cache")), with(pod("2", "live")), ""},
		{"nobody has it", with(), with(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &gateway{client: c.live, cache: c.cache}
			got, err := read[corev1.Pod](t.Context(), g, types.NamespacedName{Namespace: "n", Name: "p"}, "1")
			if c.want == "" {
				if !errors.Is(err, errGone) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil || len(got.Labels) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			if _, ok := got.Labels[c.want]; !ok {
				t.Errorf("got that of %v", got.Labels)
			}
		})
	}
}
