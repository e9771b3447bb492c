package runner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

func TestSuiteNames(t *testing.T) {
	if got := (Target{Repository: "shop", Environment: "staging", Branch: "main", Default: true}).SuiteName("api"); got != "shop.staging.api" {
		t.Errorf("the plain name is %q", got)
	}
	renamed := Target{Repository: "a.b", Environment: "c", Branch: "main", Default: true}
	before := renamed.SuiteName("api")
	if renamed.Branch = "trunk"; renamed.SuiteName("api") != before {
		t.Error("the names of the default branch change with its name")
	}
	long := strings.Repeat("x", 63)
	seen := map[string]string{}
	words := []string{"a", "b", "a.b", "b.c", "c", "A", "a_b", long, before[strings.IndexByte(before, '.')+1 : len(before)-4]}
	for _, repository := range []string{"a", "a.b", "a.b.c", long} {
		for _, environment := range words {
			for _, branch := range []string{"", "main", "release/1", "b.c", "release-1"} {
				target := Target{Repository: repository, Environment: environment, Branch: branch, Default: branch == ""}
				name := target.SuiteName("s" + long[1:])
				if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
					t.Errorf("%+v: %q is no name: %s", target, name, problems)
				}
				where := fmt.Sprintf("%+v", target)
				if other, taken := seen[target.Prefix()]; taken {
					t.Errorf("%s and %s share %q", where, other, name)
				}
				seen[target.Prefix()] = where
			}
		}
	}
}

func TestTargets(t *testing.T) {
	repo := &v1alpha1.TestRepository{}
	repo.Name = "shop"
	repo.Spec.Environments = []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}}
	repo.Status.DefaultBranch = "main"
	repo.Status.Heads = []v1alpha1.Head{{Branch: "b", Commit: "2"}, {Branch: "a", Commit: "1"}, {Branch: "main", Commit: "3"}}
	got, left := Targets(repo)
	want := []Target{
		{"shop", "staging", "main", "3", true}, {"shop", "prod", "main", "3", true},
		{"shop", "staging", "a", "1", false}, {"shop", "prod", "a", "1", false},
		{"shop", "staging", "b", "2", false}, {"shop", "prod", "b", "2", false},
	}
	if diff := cmp.Diff(want, got); diff != "" || left != 0 {
		t.Errorf("%d left out, %s", left, diff)
	}
	for i := range 40 {
		repo.Status.Heads = append(repo.Status.Heads, v1alpha1.Head{Branch: fmt.Sprint("x", i), Commit: "4"})
	}
	if got, left = Targets(repo); len(got) != 64 || left != 22 || !got[0].Default {
		t.Errorf("%d are kept and %d left out", len(got), left)
	}
	repo.Spec.Catalog = v1alpha1.CatalogNone
	if got, left = Targets(repo); got != nil || left != 0 {
		t.Errorf("with None %d are kept", len(got))
	}
}

func TestNewSuiteLeavesOutWhatIsNotItsOwn(t *testing.T) {
	suite := catalog.Suite{File: "tests/a.yaml", Digest: "sha256:1"}
	suite.Name, suite.Namespace = "api", "elsewhere"
	suite.Labels = map[string]string{"team": "shop", v1alpha1.RepositoryLabel: "mine", "app.kubernetes.io/managed-by": "me"}
	suite.Annotations = map[string]string{"a": "b"}
	repo := &v1alpha1.TestRepository{}
	repo.Namespace, repo.Name, repo.UID = "team", "shop", "1"
	got := NewSuite(repo, Target{"shop", "prod", "feature/x", strings.Repeat("1", 40), false}, suite)
	if got.Namespace != "team" || got.Annotations["a"] != "" || got.Labels["team"] != "shop" ||
		got.Labels[v1alpha1.RepositoryLabel] != "shop" || got.Labels[v1alpha1.ManagedByLabel] != v1alpha1.ManagedBy {
		t.Errorf("the object is %+v", got.ObjectMeta)
	}
	for key, value := range got.Labels {
		if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
			t.Errorf("the label %s: %q is no value: %s", key, value, problems)
		}
	}
}
