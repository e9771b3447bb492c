package runner

import (
	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// Admitted says whether the repository may run in the environment of the name, which is nil when there is none.
func Admitted(repo *v1alpha1.TestRepository, name string, env *v1alpha1.TestEnvironment) error {
	place := fault.Place{Repository: repo.Spec.URL, Field: "spec.environments"}
	if env == nil {
		return fault.New(fault.EnvironmentNotFound, place, "create it, or take it out of the TestRepository",
			"there is no TestEnvironment %q", name)
	}
	if !env.Admits(repo.Namespace, repo.Name) {
		return fault.New(fault.EnvironmentNotAdmitted, place, "its owner can add it to spec.repositories",
			"the TestEnvironment %q does not admit the TestRepository %q", name, repo.Namespace+"/"+repo.Name)
	}
	return nil
}
