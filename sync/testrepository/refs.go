package testrepository

import (
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/git"
)

// wantedRefs are the prefixes of what a poll looks at: of each glob the part before the first
// character with a meaning, and none for the default branch, which comes anyway. So a poll of
// a monorepo costs what its watched branches cost, whatever else there is.
func wantedRefs(repo *v1alpha1.TestRepository) []string {
	var prefixes []string
	for _, glob := range repo.Spec.Branches {
		if i := strings.IndexAny(glob, `*?[{\`); i >= 0 {
			glob = glob[:i]
		}
		prefixes = append(prefixes, git.Branches+glob)
	}
	if wantsTags(repo) {
		prefixes = append(prefixes, git.Tags)
	}
	return prefixes
}
