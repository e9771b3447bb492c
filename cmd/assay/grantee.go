package main

import (
	"context"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// granteeOf asks the API server who we are, for the commands that grant us what we lack.
func granteeOf(ctx context.Context, c client.Writer) (v1alpha1.Grantee, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := c.Create(ctx, review); err != nil {
		return "", fmt.Errorf("asking the API server who the controller is: %w", err)
	}
	return granteeFor(review.Status.UserInfo.Username), nil
}

func granteeFor(user string) v1alpha1.Grantee {
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		return v1alpha1.Grantee("--serviceaccount=" + account)
	}
	return v1alpha1.Grantee("--user=" + user)
}
