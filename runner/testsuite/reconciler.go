package testsuite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fluxcd/pkg/runtime/patch"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/runner/runs"
)

const (
	// fieldOwner is the field manager of every write.
	fieldOwner = "assay-controller"
	// maxWrites is how many objects a turn writes, so that a large repository does not keep
	// the others waiting; the next turn goes on.
	maxWrites = 200
	// retry is when to look again after a host did not answer.
	retry = time.Minute
	// maxProblem is how many characters status.catalogs has for a problem.
	maxProblem = 2048
	// recheck is when to look again at a catalog that cannot be rendered: a credential may be
	// what somebody mends.
	recheck = 10 * time.Minute
	// maxCompared is how many comparisons with the API server's view are remembered.
	maxCompared = 10_000
)

// Reconciler shows catalogs as TestSuites.
type Reconciler struct {
	client.Client
	// Live reads from the API server, not from a cache: what the cache has of our own last
	// writes must not be taken for drift.
	Live client.Reader
	// Catalogs renders the heads of branches.
	Catalogs *catalogs.Catalogs
	// Events records drift.
	Events events.EventRecorder

	// compared remembers which objects are as written: compared -> bool.
	compared *lru.Cache
	once     sync.Once
}

// Reconcile makes the TestSuites of one repository show what Git has.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	r.once.Do(func() { r.compared = lru.New(maxCompared) })
	repo := &v1alpha1.TestRepository{}
	if err := r.Get(ctx, req.NamespacedName, repo); err != nil {
		if apierrors.IsNotFound(err) {
			forget(req.String())
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	// Its objects go with it: they are owned by it. Nobody knows what a repository has that
	// was never polled.
	if !repo.DeletionTimestamp.IsZero() || repo.Spec.Suspend || repo.Status.DefaultBranch == "" {
		return ctrl.Result{}, nil
	}
	patcher := patch.NewSerialPatcher(repo, r.Client)
	t, err := r.look(ctx, repo)
	if err != nil {
		return ctrl.Result{}, err
	}
	for i := range t.shown {
		if err = t.show(ctx, &t.shown[i]); err != nil {
			break
		}
	}
	if err == nil {
		err = t.prune(ctx)
	}
	if ctx.Err() != nil {
		return ctrl.Result{}, ctx.Err()
	}
	t.conclude()
	written := patcher.Patch(ctx, repo, patch.WithOwnedConditions{Conditions: []string{v1alpha1.DriftedCondition}}, patch.WithFieldOwner(fieldOwner))
	err = errors.Join(err, kerrors.FilterOut(written, apierrors.IsNotFound)) // it is several errors in one
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: 50 * time.Millisecond}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: t.again}, nil
}

// turn is one look at a repository.
type turn struct {
	*Reconciler
	repo *v1alpha1.TestRepository
	// objects that the repository owns, by name. They are the cache's, and only read.
	objects map[string]*v1alpha1.TestSuite
	passes  map[runner.Place]*v1alpha1.LastPass
	shown   []shown
	// writes that are left to this turn.
	writes int
	// again is when to look again, 0 for not before something happens.
	again time.Duration
}

// shown is a catalog that the cluster shows.
type shown struct {
	target runner.Target
	// entry of status.catalogs: first what it was, then what it is.
	entry v1alpha1.CatalogStatus
	// catalog of the head, if it could be rendered.
	catalog  catalog.Catalog
	rendered bool
	// before is the catalog that was last written, once somebody asks.
	before *catalog.Catalog
	// drifted are the suites that somebody changed in the cluster; mended counts those that
	// are as in Git again.
	drifted []string
	mended  int
	// refused says why objects cannot be written.
	refused []error
}

// look gathers what the turn needs.
func (r *Reconciler) look(ctx context.Context, repo *v1alpha1.TestRepository) (*turn, error) {
	t := &turn{Reconciler: r, repo: repo, objects: map[string]*v1alpha1.TestSuite{}, writes: maxWrites}
	targets, left := runner.Targets(repo)
	if left > 0 {
		ctrl.LoggerFrom(ctx).Info("more catalogs than are kept in the cluster", "left", left)
	}
	seen := map[runner.Place][]string{}
	for _, target := range targets {
		s := shown{target: target, entry: v1alpha1.CatalogStatus{Environment: target.Environment, Branch: target.Branch}}
		if i := slices.IndexFunc(repo.Status.Catalogs, func(c v1alpha1.CatalogStatus) bool {
			return c.Environment == target.Environment && c.Branch == target.Branch
		}); i >= 0 {
			s.entry = *repo.Status.Catalogs[i].DeepCopy()
		}
		s.entry.Heads = runner.Heads(s.entry.Heads, target.Commit)
		seen[runner.Place{Environment: target.Environment, Branch: target.Branch}] = s.entry.Heads
		t.shown = append(t.shown, s)
	}
	var suites v1alpha1.TestSuiteList
	if err := r.List(ctx, &suites, client.UnsafeDisableDeepCopy, client.InNamespace(repo.Namespace), client.MatchingFields{ownerIndex: string(repo.UID)}); err != nil {
		return nil, fmt.Errorf("listing TestSuites: %w", err)
	}
	for i := range suites.Items {
		t.objects[suites.Items[i].Name] = &suites.Items[i]
	}
	var all v1alpha1.TestRunList
	if err := r.List(ctx, &all, runs.OfRepository(repo.Namespace, repo.Name)); err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	t.passes = runner.Passes(all.Items, func(environment, branch string) []string {
		return seen[runner.Place{Environment: environment, Branch: branch}]
	})
	return t, nil
}

// show renders a catalog and writes what differs. A catalog that is broken leaves what stands;
// a host that does not answer is asked again.
func (t *turn) show(ctx context.Context, s *shown) error {
	if t.writes <= 0 {
		return nil
	}
	rendered, err := t.Catalogs.Verified(ctx, t.repo, s.target.Commit, s.target.Environment)
	switch {
	case err == nil:
	case fault.ReasonOf(err) == fault.CatalogNotFound: // the commit has no suites, and that is fine
	case fault.Of(err) == fault.User:
		s.entry.Problem = short(fault.Summary(fault.Here(err)), maxProblem)
		t.lookAgain(recheck)
		return nil
	default:
		ctrl.LoggerFrom(ctx).V(1).Info("no catalog", "environment", s.target.Environment, "branch", s.target.Branch, "fault", fault.Summary(err))
		t.lookAgain(max(fault.RetryAfter(err), retry))
		return nil
	}
	s.catalog, s.rendered, s.entry.Problem = rendered, true, ""
	if n := len(rendered.Suites); n > runner.MaxSuites {
		s.catalog.Suites = rendered.Suites[:runner.MaxSuites]
		s.entry.Problem = fmt.Sprintf("the first %d of %d suites are shown: a TestRepository shows no more of a catalog", runner.MaxSuites, n)
	}
	known, err := t.keepAll(ctx, s)
	if err != nil || t.writes <= 0 {
		s.rendered = false // as far as this turn goes
		return err
	}
	s.entry.Suites, s.entry.Drifted = int32(len(rendered.Suites)), v1alpha1.NameSuites(s.drifted)
	s.entry.Passed = runner.Summarize(known, s.entry.Heads)
	if len(s.refused) > 0 {
		s.entry.Problem = short(fault.Summary(errors.Join(s.refused...)), maxProblem)
		t.lookAgain(retry)
		return nil
	}
	s.entry.Commit = s.target.Commit
	return nil
}

// keepAll keeps the suites in their order, until the turn is at its end.
func (t *turn) keepAll(ctx context.Context, s *shown) ([]runner.KnownSuite, error) {
	known := make([]runner.KnownSuite, 0, len(s.catalog.Suites))
	for i := range s.catalog.Suites {
		suite := &s.catalog.Suites[i]
		object, err := t.keep(ctx, s, suite)
		if err != nil || t.writes <= 0 {
			return nil, err
		}
		k := runner.KnownSuite{Name: suite.Name, Digest: suite.Digest, Suspended: suite.Spec.Suspend}
		if object != nil {
			k.LastPassed = object.Status.LastPassed
		}
		known = append(known, k)
	}
	return known, nil
}

// prune deletes the objects of suites, environments and branches that are gone.
func (t *turn) prune(ctx context.Context) error {
	owners := map[string]*shown{}
	for i := range t.shown {
		owners[t.shown[i].target.Prefix()] = &t.shown[i]
	}
	for name, object := range t.objects {
		prefix, suite := split(name)
		if s, watched := owners[prefix]; watched {
			if _, has := s.catalog.Suite(suite); has || !s.rendered {
				continue
			}
		}
		if !t.mayWrite() {
			return nil
		}
		err := t.Delete(ctx, object.DeepCopy(), client.Preconditions{UID: &object.UID})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("deleting the TestSuite %q: %w", name, err)
		}
		ctrl.LoggerFrom(ctx).V(1).Info("pruned TestSuite", "testsuite", name)
	}
	return nil
}

// conclude puts together what stands on the repository.
func (t *turn) conclude() {
	t.repo.Status.Catalogs = nil
	var beside []render.Rendered
	for _, s := range t.shown {
		if s.target.Default && s.rendered {
			beside = append(beside, render.Rendered{Environment: s.target.Environment, Catalog: s.catalog})
		}
	}
	for i := range t.shown {
		s := &t.shown[i]
		switch {
		case !s.target.Default:
			s.entry.Apart = nil
		case s.rendered:
			s.entry.Apart = render.Apart(s.target.Environment, beside)
		}
		t.repo.Status.Catalogs = append(t.repo.Status.Catalogs, s.entry)
	}
	t.tellRepository()
}

// mayWrite takes a write of the turn's, or has another turn follow.
func (t *turn) mayWrite() bool {
	if t.writes--; t.writes <= 0 {
		t.lookAgain(10 * time.Millisecond)
		return false
	}
	return true
}

func (t *turn) lookAgain(after time.Duration) {
	if t.again == 0 || after < t.again {
		t.again = after
	}
}
