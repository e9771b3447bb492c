package testrepository

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/sync/git"
)

// hash makes a readable commit hash of a letter.
func hash(letter string) string { return strings.Repeat(letter, 40) }

func repository(change func(*v1alpha1.TestRepository)) *v1alpha1.TestRepository {
	repo := &v1alpha1.TestRepository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"},
		Spec: v1alpha1.TestRepositorySpec{
			URL:          "https://git.example/team/shop",
			Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}, {Name: "prod"}},
		},
	}
	if change != nil {
		change(repo)
	}
	return repo
}

func refs(pairs ...string) git.Refs {
	r := git.Refs{Default: "refs/heads/main", Hashes: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Hashes["refs/heads/"+pairs[i]] = hash(pairs[i+1])
	}
	return r
}

func tags(pairs ...string) git.Refs {
	r := git.Refs{Hashes: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Hashes["refs/tags/"+pairs[i]] = hash(pairs[i+1])
	}
	return r
}

// followed is a repository that has its runs of a tag.
func followed(tag, letter string) func(*v1alpha1.TestRepository) {
	return func(r *v1alpha1.TestRepository) {
		r.Spec.Tags = &v1alpha1.TagPolicy{}
		r.Status.Tag = &v1alpha1.TagHead{Name: tag, Commit: hash(letter), Environments: []string{"prod", "staging"}}
	}
}

// line gives a run as one line: cause, environment, base and commit by their letters.
func line(spec v1alpha1.TestRunSpec) string {
	short := func(h string) string { return h[:min(len(h), 1)] }
	what := "push " + spec.Branch
	if spec.Tag != "" {
		what = "tag " + spec.Tag + spec.Branch
	}
	if pull := spec.Cause.PullRequest; pull != nil {
		what = fmt.Sprintf("pull request %d into %s by %s", pull.Number, spec.Branch, spec.Cause.By)
	}
	return fmt.Sprintf("%s in %s: %s..%s", what, spec.Environment, short(spec.Base), short(spec.Commit))
}

func TestDecide(t *testing.T) {
	pull := providers.PullRequest{Number: 7, Head: hash("c"), Base: hash("a"), TargetBranch: "main", Author: "ada"}
	cases := []struct {
		name   string
		repo   func(*v1alpha1.TestRepository)
		refs   git.Refs
		pulls  []providers.PullRequest
		runs   []string
		closed []int64
	}{
		{
			name: "a repository seen for the first time runs its default branch, everything since there is no base",
			refs: refs("main", "a", "feature", "b"),
			runs: []string{"push main in prod: ..a", "push main in staging: ..a"},
		},
		{
			name: "a branch that has not moved calls for nothing",
			repo: func(r *v1alpha1.TestRepository) {
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("a"), Environments: []string{"prod", "staging"}}}
			},
			refs: refs("main", "a"),
		},
		{
			name: "a branch that moved is compared with where it was",
			repo: func(r *v1alpha1.TestRepository) {
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("a"), Environments: []string{"prod", "staging"}}}
			},
			refs: refs("main", "b"),
			runs: []string{"push main in prod: a..b", "push main in staging: a..b"},
		},
		{
			name: "an environment that is added gets its run of the head",
			repo: func(r *v1alpha1.TestRepository) {
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("a"), Environments: []string{"staging"}}}
			},
			refs: refs("main", "a"),
			runs: []string{"push main in prod: ..a"},
		},
		{
			name: "a force push is a move like any other: what is not there any more is for whoever compares to notice",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Environments = r.Spec.Environments[:1]
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("b"), Environments: []string{"staging"}}}
			},
			refs: refs("main", "a"),
			runs: []string{"push main in staging: b..a"},
		},
		{
			name: "a branch that was deleted calls for nothing",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches = []string{"release/*"}
				r.Status.Heads = []v1alpha1.Head{{Branch: "release/1", Commit: hash("b"), Environments: []string{"prod", "staging"}}}
			},
			refs: refs("main", "a"),
		},
		{
			name: "the default branch under another name is a branch seen for the first time",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Environments = r.Spec.Environments[:1]
				r.Status.Heads = []v1alpha1.Head{{Branch: "master", Commit: hash("a"), Environments: []string{"staging"}}}
			},
			refs: refs("main", "a"),
			runs: []string{"push main in staging: ..a"},
		},
		{
			name: "a repository that became empty calls for nothing",
			repo: func(r *v1alpha1.TestRepository) {
				r.Status.Heads = []v1alpha1.Head{{Branch: "main", Commit: hash("a"), Environments: []string{"prod", "staging"}}}
			},
			refs: git.Refs{},
		},
		{
			name: "HEAD on a branch that is not there calls for nothing",
			refs: git.Refs{Hashes: map[string]string{"refs/heads/other": hash("a")}},
		},
		{
			name: "globs choose branches",
			repo: func(r *v1alpha1.TestRepository) { r.Spec.Branches = []string{"release/*"} },
			refs: refs("main", "a", "release/1", "b", "release/1/hotfix", "c"),
			runs: []string{"push release/1 in prod: ..b", "push release/1 in staging: ..b"},
		},
		{
			name: "the tag of the highest version is followed",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches, r.Spec.Tags = []string{"none"}, &v1alpha1.TagPolicy{}
			},
			refs: tags("v1.9.0", "a", "v1.10.0", "b", "v2.0.0-rc.1", "c", "latest", "d", "v3", "e"),
			runs: []string{"tag v1.10.0 in prod: ..b", "tag v1.10.0 in staging: ..b"},
		},
		{
			name: "within a range, and of those that match",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches, r.Spec.Tags = []string{"none"}, &v1alpha1.TagPolicy{Match: []string{"v*"}, SemVer: ">=1.0.0-0 <2.0.0"}
			},
			refs: tags("v1.9.0", "a", "1.11.0", "b", "v2.0.0", "c", "v1.10.0-rc.1", "d"),
			runs: []string{"tag v1.10.0-rc.1 in prod: ..d", "tag v1.10.0-rc.1 in staging: ..d"},
		},
		{
			name: "a tag that moved on is compared with the one before",
			repo: followed("v1.0.0", "a"),
			refs: tags("v1.0.0", "a", "v1.1.0", "b"),
			runs: []string{"tag v1.1.0 in prod: a..b", "tag v1.1.0 in staging: a..b"},
		},
		{
			name: "a tag that was moved is a move",
			repo: followed("v1.0.0", "a"),
			refs: tags("v1.0.0", "b"),
			runs: []string{"tag v1.0.0 in prod: a..b", "tag v1.0.0 in staging: a..b"},
		},
		{
			name: "a tag that was taken back leaves the one before it",
			repo: followed("v1.1.0", "b"),
			refs: tags("v1.0.0", "a"),
			runs: []string{"tag v1.0.0 in prod: b..a", "tag v1.0.0 in staging: b..a"},
		},
		{
			name: "two tags of one version do not take turns",
			repo: followed("v1.0.0", "b"),
			refs: tags("1.0.0", "a", "v1.0.0", "b"),
		},
		{
			name: "an environment that is added gets its run of the tag",
			repo: func(r *v1alpha1.TestRepository) {
				followed("v1.0.0", "a")(r)
				r.Status.Tag.Environments = []string{"staging"}
			},
			refs: tags("v1.0.0", "a"),
			runs: []string{"tag v1.0.0 in prod: ..a"},
		},
		{
			name: "tags that nobody asked for call for nothing",
			repo: func(r *v1alpha1.TestRepository) { r.Spec.Branches = []string{"none"} },
			refs: tags("v1.0.0", "a"),
		},
		{
			name: "an empty repository calls for nothing",
			refs: git.Refs{},
		},
		{
			name:  "an open pull request runs against its merge base",
			repo:  func(r *v1alpha1.TestRepository) { r.Spec.Branches = []string{"none"} },
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{pull},
			runs:  []string{"pull request 7 into main by ada in prod: a..c", "pull request 7 into main by ada in staging: a..c"},
		},
		{
			name: "a pull request that has its runs calls for nothing",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches = []string{"none"}
				r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: hash("c"), Environments: []string{"prod", "staging"}}}
			},
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{pull},
		},
		{
			name: "a pull request that was pushed to again, by force or not, runs against the merge base of now",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches, r.Spec.Environments = []string{"none"}, r.Spec.Environments[:1]
				r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: hash("e"), Environments: []string{"staging"}}}
			},
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{pull},
			runs:  []string{"pull request 7 into main by ada in staging: a..c"},
		},
		{
			name: "a pull request whose merge base is unknown has none, rather than the tip of its target",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches, r.Spec.Environments = []string{"none"}, r.Spec.Environments[:1]
			},
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{{Number: 7, Head: hash("c"), TargetBranch: "main", Author: "ada"}},
			runs:  []string{"pull request 7 into main by ada in staging: ..c"},
		},
		{
			name:  "the code of a fork does not run",
			repo:  func(r *v1alpha1.TestRepository) { r.Spec.Branches = []string{"none"} },
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{{Number: 8, Head: hash("d"), Fork: true}},
		},
		{
			name:  "a draft does not run",
			repo:  func(r *v1alpha1.TestRepository) { r.Spec.Branches = []string{"none"} },
			refs:  refs("main", "a"),
			pulls: []providers.PullRequest{{Number: 9, Head: hash("d"), Draft: true}},
		},
		{
			name: "a pull request that is open no more is closed",
			repo: func(r *v1alpha1.TestRepository) {
				r.Spec.Branches = []string{"none"}
				r.Status.PullRequests = []v1alpha1.PullRequestHead{{Number: 7, Commit: hash("c")}}
			},
			refs:   refs("main", "a"),
			closed: []int64{7},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := decide(repository(c.repo), c.refs, openPulls{true, c.pulls})
			var runs []string
			for _, spec := range d.Runs {
				runs = append(runs, line(spec))
			}
			if diff := cmp.Diff(c.runs, runs); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.closed, d.Closed); diff != "" {
				t.Errorf("closed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecidingAgainCallsForNothing holds for every case: what a decision records, the next
// poll of the same host finds done.
func TestDecidingAgainCallsForNothing(t *testing.T) {
	repo := repository(func(r *v1alpha1.TestRepository) { r.Spec.Tags = &v1alpha1.TagPolicy{} })
	heads := refs("main", "a")
	heads.Hashes["refs/tags/v1.0.0"] = hash("a")
	pulls := []providers.PullRequest{{Number: 7, Head: hash("c")}, {Number: 8, Head: hash("d"), Fork: true}}
	first := decide(repo, heads, openPulls{true, pulls})
	if len(first.Runs) != 6 {
		t.Fatalf("%d runs, want 6", len(first.Runs))
	}
	repo.Status.Tag = first.Tag
	repo.Status.Heads, repo.Status.PullRequests = first.Heads, first.PullRequests
	if again := decide(repo, heads, openPulls{true, pulls}); len(again.Runs) != 0 || len(again.Closed) != 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestARangeThatIsNoneIsRefused(t *testing.T) {
	repo := repository(func(r *v1alpha1.TestRepository) { r.Spec.Tags = &v1alpha1.TagPolicy{SemVer: "newest"} })
	if err := checkTags(repo); fault.ReasonOf(err) != fault.InvalidSpec || !strings.Contains(err.Error(), `spec.tags.semver: "newest"`) {
		t.Errorf("got %v", err)
	}
	if d := decide(repo, tags("v1.0.0", "a"), openPulls{known: true}); len(d.Runs) != 0 {
		t.Errorf("followed %+v", d.Runs)
	}
}

// Two TestRepositories may be for one URL, say with other environments or another credential:
// each has its own runs.
func TestRepositoriesOnOneURLHaveTheirOwnRuns(t *testing.T) {
	names := map[string]bool{}
	for _, name := range []string{"shop", "shop-nightly"} {
		repo := repository(func(r *v1alpha1.TestRepository) { r.Name = name })
		for _, spec := range decide(repo, refs("main", "a"), openPulls{known: true}).Runs {
			run := runner.NewRun(repo, spec, "")
			if run.Spec.RepositoryRef.Name != name || names[run.Name] {
				t.Errorf("%s of %s", run.Name, run.Spec.RepositoryRef.Name)
			}
			names[run.Name] = true
		}
	}
	if len(names) != 4 {
		t.Errorf("%d runs, want 4", len(names))
	}
}
