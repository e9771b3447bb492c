package testrepository

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/status"
)

// byGit is the index of TestRepositories by the Git repository that they are of.
const byGit = "spec.url"

// Indices gives for each index of TestRepositories what it has of one.
func Indices() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		byGit: func(o client.Object) []string {
			if repo, ok := o.(*v1alpha1.TestRepository); ok && setsStatuses(repo) {
				return []string{gitRepository(repo.Spec.URL)}
			}
			return nil
		},
	}
}

// checkContexts refuses a repository whose commit statuses would be those of an older one: a
// commit has one status for each context, and whoever ended last would decide.
func (r *Reconciler) checkContexts(ctx context.Context, repo *v1alpha1.TestRepository) error {
	if !setsStatuses(repo) {
		return nil
	}
	var same v1alpha1.TestRepositoryList
	ofURL := client.MatchingFields{byGit: gitRepository(repo.Spec.URL)}
	if err := r.List(ctx, &same, ofURL, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing the TestRepositories of %s: %w", repo.Spec.URL, err)
	}
	if len(same.Items) < 2 {
		return nil
	}
	environments, err := r.environments(ctx, same.Items)
	if err != nil {
		return err
	}
	roots := func(repo *v1alpha1.TestRepository) []string {
		var roots []string
		for _, e := range repo.Spec.Environments {
			if env := environments[e.Name]; env != nil && env.Admits(repo.Namespace, repo.Name) {
				roots = append(roots, status.Prefix(repo, r.ControllerName)+"/"+e.Name)
			}
		}
		return roots
	}
	return taken(repo, same.Items, roots)
}

// environments gives those that the repositories name, as far as they exist.
func (r *Reconciler) environments(ctx context.Context, repos []v1alpha1.TestRepository) (
	map[string]*v1alpha1.TestEnvironment, error) {
	environments := map[string]*v1alpha1.TestEnvironment{}
	for i := range repos {
		for _, e := range repos[i].Spec.Environments {
			if _, known := environments[e.Name]; known {
				continue
			}
			env := &v1alpha1.TestEnvironment{}
			if err := r.Get(ctx, client.ObjectKey{Name: e.Name}, env); client.IgnoreNotFound(err) != nil {
				return nil, fmt.Errorf("reading the TestEnvironment %q: %w", e.Name, err)
			} else if err != nil {
				env = nil
			}
			environments[e.Name] = env
		}
	}
	return environments, nil
}

// taken is nil when no older repository among the same ones has contexts that repo would set,
// too; one that may not set its own holds up nobody. roots gives the contexts of a repository's
// environments: only those that exist and admit it, so that nobody can hold up others by
// naming their URL.
func taken(repo *v1alpha1.TestRepository, same []v1alpha1.TestRepository,
	roots func(*v1alpha1.TestRepository) []string) error {
	older := slices.Clone(same)
	slices.SortFunc(older, func(a, b v1alpha1.TestRepository) int { return byAge(&a, &b) })
	owners := map[string]string{}
	for i := range older {
		other := &older[i]
		if byAge(other, repo) >= 0 {
			break
		}
		if other.DeletionTimestamp != nil || firstTaken(roots(other), owners) != "" {
			continue
		}
		for _, root := range roots(other) {
			owners[root] = other.Namespace + "/" + other.Name
		}
	}
	root := firstTaken(roots(repo), owners)
	if root == "" {
		return nil
	}
	return fault.New(fault.ContextTaken, fault.Place{Field: "spec.statusPrefix"},
		"set another spec.statusPrefix, or use other environments",
		"the commit statuses below %q are those of the TestRepository %q, which is of the same Git repository",
		root, owners[root])
}

// byAge orders by creation; within a second some order is as good as another, as long as it
// stays.
func byAge(a, b *v1alpha1.TestRepository) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// firstTaken gives the first owned context that one of the roots would set, too: its own, or
// one that is an environment's here and a suite's there.
func firstTaken(roots []string, owners map[string]string) string {
	for _, root := range roots {
		for _, owned := range slices.Sorted(maps.Keys(owners)) {
			if owned == root || path.Dir(owned) == root || path.Dir(root) == owned {
				return owned
			}
		}
	}
	return ""
}

// setsStatuses says whether the repository's forge shows commit statuses.
func setsStatuses(repo *v1alpha1.TestRepository) bool {
	return repo.Spec.Provider != "" && repo.Spec.Provider != v1alpha1.ProviderPlain
}

// defaultPorts of the schemes that lead to one Git repository.
var defaultPorts = map[string]string{"https": "443", "http": "80", "ssh": "22"}

// gitRepository gives one text for all URLs of a Git repository, as far as they tell that it
// is one: with or without a user, .git at the end, or the port that goes without saying, as that of
// SSH, which is no other forge's. Forges take names in upper and lower case for the same.
func gitRepository(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := u.Hostname()
	if port := u.Port(); port != "" && port != defaultPorts[u.Scheme] && u.Scheme != "ssh" {
		host += ":" + port
	}
	return strings.ToLower(host + strings.TrimSuffix(path.Clean("/"+u.Path), ".git"))
}
