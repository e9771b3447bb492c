package gateway

import (
	"context"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/authentication/user"
	typed "k8s.io/client-go/kubernetes/typed/authentication/v1"
)

// How long a review is believed. A token stays good for a while, as that of a pod that is gone is of no use; one that the
// API server does not know may be a moment old.
const (
	goodFor = time.Minute
	badFor  = time.Second
)

// atReview is how many reviews run at the same time: nobody has shown yet who is asking.
const atReview = 16

// reviewer has the API server say whose a token is.
type reviewer struct {
	reviews typed.TokenReviewInterface
	turn    chan struct{}
}

// newTokens gives a reviewer that asks once for a token, however often it comes at the same time or soon again.
func newTokens(reviews typed.TokenReviewInterface) authenticator.Token {
	return cache.New(&reviewer{reviews, make(chan struct{}, atReview)}, false, goodFor, badFor)
}

// AuthenticateToken asks the API server. A token that is not for the audience is not valid.
func (r *reviewer) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	review, err := r.reviews.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{Audience}},
	}, metav1.CreateOptions{})
	if err != nil || !review.Status.Authenticated || !slices.Contains(review.Status.Audiences, Audience) {
		return nil, false, err
	}
	extra := map[string][]string{}
	for key, values := range review.Status.User.Extra {
		extra[key] = values
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: review.Status.User.Username, Extra: extra}}, true, nil
}
