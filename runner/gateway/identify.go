package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// Where the API server says which pod a token is bound to.
const (
	podNameKey = "authentication.kubernetes.io/pod-name"
	podUIDKey  = "authentication.kubernetes.io/pod-uid"
)

// maxToken is more than any service account token has.
const maxToken = 16 << 10

var (
	notOurs = &refusal{status: http.StatusForbidden, message: "the token's pod is not a live test pod"}
	runGone = &refusal{status: http.StatusNotFound, message: "the run is gone"}
)

// caller is a live pod that the controller made, and its run.
type caller struct {
	pod *corev1.Pod
	run *v1alpha1.TestRun
}

// identify gives the pod whose token the request carries, the very one that the token is bound to.
func (g *gateway) identify(r *http.Request) (caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || len(token) > maxToken {
		return caller{}, &refusal{status: http.StatusUnauthorized, message: "a bearer token is needed"}
	}
	account, valid, err := g.tokens.AuthenticateToken(r.Context(), token)
	if err != nil {
		return caller{}, fmt.Errorf("reviewing a token: %w", err)
	}
	if !valid {
		return caller{}, &refusal{status: http.StatusUnauthorized, message: "the token is not valid for the audience " + Audience}
	}
	name, uid, ok := boundPod(account.User)
	if !ok {
		return caller{}, &refusal{status: http.StatusForbidden, message: "the token is not bound to a pod"}
	}
	pod, err := read[corev1.Pod](r.Context(), g, name, uid)
	if errors.Is(err, errGone) {
		return caller{}, notOurs
	} else if err != nil {
		return caller{}, err
	}
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if ended || !g.key.IsPod(pod) {
		return caller{}, notOurs
	}
	return g.known(r, pod)
}

// known gives the pod with its run, which may have recorded another pod in its place.
func (g *gateway) known(r *http.Request, pod *corev1.Pod) (caller, error) {
	name := types.NamespacedName{Namespace: pod.Labels[v1alpha1.RunNamespaceLabel], Name: pod.Labels[v1alpha1.RunLabel]}
	run, err := read[v1alpha1.TestRun](r.Context(), g, name, types.UID(pod.Labels[v1alpha1.RunUIDLabel]))
	if errors.Is(err, errGone) {
		return caller{}, runGone
	} else if err != nil {
		return caller{}, err
	}
	another := func(a v1alpha1.Attempt) bool { return a.Pod == pod.Name && a.PodUID != "" && a.PodUID != pod.UID }
	for _, suite := range run.Status.Suites {
		if slices.ContainsFunc(suite.Attempts, another) {
			return caller{}, notOurs
		}
	}
	return caller{pod, run}, nil
}

// boundPod reads the pod of a service account's token, system:serviceaccount:NAMESPACE:NAME.
func boundPod(account user.Info) (pod types.NamespacedName, uid types.UID, ok bool) {
	name, extra := strings.Split(account.GetName(), ":"), account.GetExtra()
	names, uids := extra[podNameKey], extra[podUIDKey]
	if len(name) != 4 || name[0] != "system" || name[1] != "serviceaccount" || len(names) != 1 || len(uids) != 1 {
		return types.NamespacedName{}, "", false
	}
	return types.NamespacedName{Namespace: name[2], Name: names[0]}, types.UID(uids[0]), true
}
