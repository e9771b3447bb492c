package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Where the API server says which pod a token is bound to.
const (
	podNameKey = "authentication.kubernetes.io/pod-name"
	podUIDKey  = "authentication.kubernetes.io/pod-uid"
)

// maxToken is more than any service account token has.
const maxToken = 16 << 10

// identify gives the pod whose token the request carries: a live pod of ours, the very one
// that the token is bound to.
func (g *gateway) identify(r *http.Request) (*corev1.Pod, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || len(token) > maxToken {
		return nil, &refusal{status: http.StatusUnauthorized, message: "a bearer token is needed"}
	}
	review, err := g.reviewer.Create(r.Context(), &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{Audience}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("reviewing a token: %w", err)
	}
	if !review.Status.Authenticated || !slices.Contains(review.Status.Audiences, Audience) {
		return nil, &refusal{status: http.StatusUnauthorized, message: "the token is not valid for the audience " + Audience}
	}
	key, uid, ok := boundPod(review.Status.User)
	if !ok {
		return nil, &refusal{status: http.StatusForbidden, message: "the token is not bound to a pod"}
	}
	pod, err := read[corev1.Pod](r.Context(), g, key, uid)
	if errors.Is(err, errGone) {
		return nil, notOurs
	} else if err != nil {
		return nil, err
	}
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if pod.Labels[v1alpha1.ManagedByLabel] != v1alpha1.ManagedBy || ended {
		return nil, notOurs
	}
	return pod, nil
}

var notOurs = &refusal{status: http.StatusForbidden, message: "the token's pod is not a live test pod"}

// boundPod reads the pod of a service account's token, system:serviceaccount:NAMESPACE:NAME.
func boundPod(user authenticationv1.UserInfo) (pod types.NamespacedName, uid types.UID, ok bool) {
	account := strings.Split(user.Username, ":")
	names, uids := user.Extra[podNameKey], user.Extra[podUIDKey]
	if len(account) != 4 || account[0] != "system" || account[1] != "serviceaccount" || len(names) != 1 || len(uids) != 1 {
		return types.NamespacedName{}, "", false
	}
	return types.NamespacedName{Namespace: account[2], Name: names[0]}, types.UID(uids[0]), true
}
