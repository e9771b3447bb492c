package status

import "github.com/assay-dev/assay/api/v1alpha1"

// Renewed gives how the environment of a run stands now that the run has ended, in a state and
// a line; ok says whether the run has any part in that, beside one about the change. all are
// runs of the commit, and of others.
func Renewed(by *v1alpha1.TestRun, all []v1alpha1.TestRun) (state v1alpha1.RunState, line string, ok bool) {
	repository := &v1alpha1.TestRepository{}
	repository.Namespace, repository.Name = by.Namespace, by.Spec.RepositoryRef.Name
	runs := ofCommit(ComposeInput{Repository: repository, Commit: by.Spec.Commit, Runs: all})
	for _, m := range speakers(runs, runs) {
		if m.Run.Spec.Environment != by.Spec.Environment {
			continue
		}
		for _, s := range suitesOf(m) {
			ok = ok || s.run.Name == by.Name
		}
		return m.Run.Status.State, describe(m), ok && by.Spec.Cause.Type.Rules().Renews
	}
	return "", "", false
}
