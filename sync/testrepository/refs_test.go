package testrepository

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/v1alpha1"
)

func TestPollsAskForWhatTheyLookAt(t *testing.T) {
	for name, tc := range map[string]struct{ branches, want []string }{
		"the default branch alone": {nil, nil},
		"names":                    {[]string{"main", "next"}, []string{"refs/heads/main", "refs/heads/next"}},
		"globs":                    {[]string{"release/*", "hotfix-?", "v[12]", "{a,b}", `odd\*name`}, []string{"refs/heads/release/", "refs/heads/hotfix-", "refs/heads/v", "refs/heads/", "refs/heads/odd"}},
	} {
		t.Run(name, func(t *testing.T) {
			repo := &v1alpha1.TestRepository{Spec: v1alpha1.TestRepositorySpec{Branches: tc.branches}}
			if diff := cmp.Diff(tc.want, wantedRefs(repo)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
