package runner

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

const (
	// maxTargets is how many catalogs of a repository are kept in the cluster.
	maxTargets = 64
	// MaxSuites is how many suites of a catalog are kept there.
	MaxSuites = 1000
)

// Target is a catalog that is kept in the cluster: that of a branch, for an environment.
type Target struct {
	// Repository is the name of the TestRepository.
	Repository string
	// Environment is the name of the TestEnvironment.
	Environment string
	// Branch without refs/heads/, and Commit at its head.
	Branch, Commit string
	// Default says whether it is the default branch.
	Default bool
}

// Targets gives the catalogs to keep: of each watched branch, for each environment, those of
// the default branch first, then by branch. At most 64 are kept; left counts the others.
func Targets(repo *v1alpha1.TestRepository) (targets []Target, left int) {
	if repo.CatalogPolicy() == v1alpha1.CatalogNone {
		return nil, 0
	}
	heads := slices.Clone(repo.Status.Heads)
	isDefault := func(h v1alpha1.Head) bool { return h.Branch == repo.Status.DefaultBranch }
	slices.SortFunc(heads, func(a, b v1alpha1.Head) int {
		switch {
		case isDefault(a) != isDefault(b) && isDefault(a):
			return -1
		case isDefault(a) != isDefault(b):
			return 1
		}
		return strings.Compare(a.Branch, b.Branch)
	})
	for _, h := range heads {
		for _, e := range repo.Spec.Environments {
			targets = append(targets, Target{repo.Name, e.Name, h.Branch, h.Commit, isDefault(h)})
		}
	}
	most := min(len(targets), maxTargets)
	return targets[:most:most], len(targets) - most
}

// SuiteName computes the name of the object of a suite: repository.environment.suite on the
// default branch, and with a hash before the suite on others. The names of suites have no
// dots; where those of repository or environment have some, or cannot be part of a name, the
// hash tells them apart. So no two repositories of a namespace share a name.
func (t Target) SuiteName(suite string) string { return t.Prefix() + suite }

// Prefix is what comes before the suite in the names of the target's objects, and of no
// other's: it ends with the last dot.
func (t Target) Prefix() string {
	plain := t.Repository + "." + t.Environment + "."
	odd := len(validation.IsDNS1123Label(t.Repository)) > 0 || len(validation.IsDNS1123Label(t.Environment)) > 0
	if t.Default && !odd {
		return plain
	}
	branch := t.Branch
	if t.Default { // its objects stay when the default branch is renamed
		branch = ""
	}
	hash := digest([]string{t.Repository, t.Environment, branch})
	return label(t.Repository) + "." + label(t.Environment) + "." + hash + "."
}

// Marks are the labels by which the objects of a suite are found.
func (t Target) Marks(suite string) map[string]string {
	return map[string]string{
		v1alpha1.ManagedByLabel:   v1alpha1.ManagedBy,
		v1alpha1.RepositoryLabel:  t.Repository,
		v1alpha1.EnvironmentLabel: t.Environment,
		v1alpha1.SuiteLabel:       suite,
		v1alpha1.BranchLabel:      BranchLabel(t.Branch),
	}
}

// BranchLabel gives a label for a branch: its name where that is the value of a label, else
// one with a hash.
func BranchLabel(branch string) string {
	if len(validation.IsValidLabelValue(branch)) == 0 {
		return branch
	}
	return join(maxLabel, label(branch), digest([]string{branch}))
}

// NewSuite gives the object that shows a suite of the target: named for both, owned by the
// repository, in whose namespace it lives, with what it was made of in its annotations. The
// suite's own annotations stay in Git.
func NewSuite(repo *v1alpha1.TestRepository, t Target, s catalog.Suite) *v1alpha1.TestSuite {
	object := &v1alpha1.TestSuite{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.TestSuiteKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       repo.Namespace,
			Name:            t.SuiteName(s.Name),
			Labels:          map[string]string{},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(repo, repositoryKind())},
			Annotations: map[string]string{
				v1alpha1.BranchAnnotation:        t.Branch,
				v1alpha1.AppliedCommitAnnotation: t.Commit,
				v1alpha1.DigestAnnotation:        s.Digest,
			},
		},
		Spec: *s.Spec.DeepCopy(),
	}
	if s.File != "" {
		object.Annotations[v1alpha1.FileAnnotation] = s.File
	}
	for key, value := range s.Labels {
		object.Labels[key] = value
	}
	for key, value := range t.Marks(s.Name) {
		object.Labels[key] = value
	}
	return object
}
