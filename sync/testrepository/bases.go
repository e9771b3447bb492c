package testrepository

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/sync/git"
)

// findBases fills in the merge base of pull requests that are about to get runs, where the
// forge does not tell it. The tip of the target branch is no stand-in: what was merged there
// since would count as changed by the pull request. A base that cannot be found stays empty,
// so that everything runs: one odd history must not keep the rest of a repository waiting.
// Only for want of a place on the host is it an error: then the poll is made again.
func (r *Reconciler) findBases(ctx context.Context, repo *v1alpha1.TestRepository, at git.Endpoint, refs git.Refs, pulls []providers.PullRequest) error {
	for i := range pulls {
		pull := &pulls[i]
		if pull.Base != "" || skipReason(repo, *pull) != "" || len(unrun(repo, *pull)) == 0 {
			continue
		}
		tip, err := r.tip(ctx, at, refs, pull.TargetBranch)
		if err == nil && tip != "" {
			var base string
			var known bool
			if base, known, err = r.Refs.MergeBase(ctx, at, tip, pull.Head); err == nil && known {
				pull.Base = base
				continue
			}
		}
		if err != nil && fault.ReasonOf(err) == fault.HostBusy {
			return err
		}
		ctrl.LoggerFrom(ctx).Info("the merge base is unknown", "pullRequest", pull.Number, "commit", pull.Head, "reason", err)
	}
	return nil
}

// tip gives the head of a branch, which need not be one that is watched; empty when it is not there.
func (r *Reconciler) tip(ctx context.Context, at git.Endpoint, refs git.Refs, branch string) (string, error) {
	if tip, ok := refs.Hashes[git.Branches+branch]; ok {
		return tip, nil
	}
	refs, err := r.Refs.Refs(ctx, at, git.Branches+branch)
	return refs.Hashes[git.Branches+branch], err
}
