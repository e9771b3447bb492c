package testrepository

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/sync/git"
)

const (
	tagsPrefix = "refs/tags/"
	// maxTag is what spec.tag of a run holds.
	maxTag = 256
)

// wantsTags says whether the host has to be asked for its tags. It is the one place to look
// for whoever can ask for less.
func wantsTags(repo *v1alpha1.TestRepository) bool { return repo.Spec.Tags != nil }

// checkTags refuses a range of versions that is none.
func checkTags(repo *v1alpha1.TestRepository) error {
	if !wantsTags(repo) {
		return nil
	}
	if _, err := tagRange(repo.Spec.Tags); err != nil {
		return fault.New(fault.InvalidSpec, fault.Place{Field: "spec.tags.semver"}, "write a range such as >=1.0.0 or ~2.1", "%q is no range of versions", repo.Spec.Tags.SemVer)
	}
	return nil
}

func tagRange(tags *v1alpha1.TagPolicy) (*semver.Constraints, error) {
	if tags.SemVer == "" {
		return semver.NewConstraint("*")
	}
	return semver.NewConstraint(tags.SemVer)
}

// followedTag gives the tag of the highest version that counts, as Flux does; of those that
// stand for one version, such as 1.0.0 and v1.0.0, the last by name. It is empty when there is
// none, or when [checkTags] refuses the range.
func followedTag(repo *v1alpha1.TestRepository, refs git.Refs) string {
	if !wantsTags(repo) {
		return ""
	}
	within, err := tagRange(repo.Spec.Tags)
	if err != nil {
		return ""
	}
	var best string
	var highest *semver.Version
	for ref := range refs.Hashes {
		tag, ok := strings.CutPrefix(ref, tagsPrefix)
		if !ok || len(tag) > maxTag || !tagMatches(repo.Spec.Tags.Match, tag) {
			continue
		}
		version, err := semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
		if err != nil || !within.Check(version) {
			continue
		}
		if highest == nil || version.GreaterThan(highest) || version.Equal(highest) && tag > best {
			best, highest = tag, version
		}
	}
	return best
}

func tagMatches(globs []string, tag string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool { return doublestar.MatchUnvalidated(glob, tag) })
}

// tag asks for a run in every environment that has none for the commit of the tag that is
// followed. The base is the commit that was followed before.
func (d *decision) tag(repo *v1alpha1.TestRepository, tag, commit string) {
	var done []string
	base := ""
	if before := repo.Status.Tag; before != nil {
		if before.Name == tag && before.Commit == commit {
			done = before.Environments
		} else {
			base = before.Commit
		}
	}
	for _, environment := range missing(repo, done) {
		d.Runs = append(d.Runs, v1alpha1.TestRunSpec{
			RepositoryRef: v1alpha1.LocalReference{Name: repo.Name},
			Environment:   environment,
			Commit:        commit,
			Base:          base,
			Tag:           tag,
			Cause:         v1alpha1.Cause{Type: v1alpha1.CausePush},
		})
	}
	d.Tag = &v1alpha1.TagHead{Name: tag, Commit: commit, Environments: environments(repo)}
}
