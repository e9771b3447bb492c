package main

import (
	"context"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// somebody is an API server that knows who asks.
type somebody struct {
	client.Writer
	name string
}

func (s somebody) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	o.(*authenticationv1.SelfSubjectReview).Status.UserInfo.Username = s.name
	return nil
}

func TestTheCommandGrantsToWhoeverTheControllerIs(t *testing.T) {
	for user, want := range map[string]string{
		"system:serviceaccount:ours:assay-controller": "kubectl create rolebinding assay -n shop --clusterrole=assay-repository --serviceaccount=ours:assay-controller",
		"ada": "kubectl create rolebinding assay -n shop --clusterrole=assay-repository --user=ada",
	} {
		grantee, err := granteeOf(t.Context(), somebody{name: user})
		if got := grantee.Command("shop", v1alpha1.RepositoryRole); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}
