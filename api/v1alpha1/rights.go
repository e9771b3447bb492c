package v1alpha1

import "fmt"

// The ClusterRoles that are granted to the controller namespace by namespace.
const (
	// EnvironmentRole lets it create and remove pods where suites run.
	EnvironmentRole = "assay-environment"
	// RepositoryRole lets it read Secrets where TestRepositories with a credential are.
	RepositoryRole = "assay-repository"
)

// Grantee is who gets a right, as a flag of `kubectl create rolebinding`, such as
// --serviceaccount=assay-system:assay-controller.
type Grantee string

// Command is what grants the role in the namespace.
func (g Grantee) Command(namespace, role string) string {
	if g == "" {
		g = "--serviceaccount=assay-system:assay-controller"
	}
	return fmt.Sprintf("kubectl create rolebinding assay -n %s --clusterrole=%s %s", namespace, role, string(g))
}
