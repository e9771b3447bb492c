//go:build apiserver

package testsuite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/catalogs/catalogstest"
)

func TestAPIServerCatalogIsShown(t *testing.T) {
	many := make([]string, 150)
	for i := range many {
		many[i] = fmt.Sprintf("s%03d=1m", i)
	}
	source := catalogstest.Commits{
		commit(1): tree("api=5m", "web=5m"), commit(2): tree("api=5m", "web=5m"), commit(3): tree("api=7m", "web=5m"),
		commit(4): tree("api=7m"), commit(5): tree("api=7m", "api=8m"), commit(6): tree(many...), commit(7): tree("api=9m"),
	}
	source[commit(8)] = tree("api=5m", "big=5m")
	source[commit(8)]["tests/big.yaml"].Data = append(source[commit(8)]["tests/big.yaml"].Data, "  args: ["+strings.Repeat(strings.Repeat("x", 10_000)+", ", 30)+"y]\n"...)
	source[catalogstest.Unsigned] = tree("api=1m", "web=1m", "new=1m")
	l := newLab(t, source)
	stop := l.start()
	t.Cleanup(func() { stop() })
	shop := l.repository(t, "shop", commit(1))
	other := l.repository(t, "other", commit(4))
	others := []string{"other.staging.api", "other.prod.api"}
	all := append([]string{"shop.staging.api", "shop.staging.web", "shop.prod.api", "shop.prod.web"}, others...)

	t.Run("the controller has the rights that it needs, and no more", func(t *testing.T) {
		for right, want := range map[string]bool{
			"get": true, "list": true, "watch": true, "create": true, "patch": true, "delete": true, "patch status": true,
			"update": false, "deletecollection": false, "update status": false, "update finalizers": false,
		} {
			verb, subresource, _ := strings.Cut(right, " ")
			if got := l.may(t, verb, subresource); got != want {
				t.Errorf("it may %s: %t, want %t", right, got, want)
			}
		}
	})
	t.Run("each suite has an object for each environment", func(t *testing.T) {
		l.shows(t, shop, "main", commit(1))
		l.shows(t, other, "main", commit(4))
		l.untilSuites(t, all...)
		s := l.suite(t, "shop.staging.api")
		want := map[string]string{
			"stage": "staging", v1alpha1.RepositoryLabel: "shop", v1alpha1.EnvironmentLabel: "staging", v1alpha1.SuiteLabel: "api",
			v1alpha1.BranchLabel: "main", v1alpha1.ManagedByLabel: v1alpha1.ManagedBy,
		}
		if diff := cmp.Diff(want, s.Labels); diff != "" {
			t.Error(diff)
		}
		if s.Annotations[v1alpha1.FileAnnotation] != "tests/api.yaml" || s.Annotations[v1alpha1.AppliedCommitAnnotation] != commit(1) || !metav1.IsControlledBy(s, shop) {
			t.Errorf("the object is %+v", s.ObjectMeta)
		}
	})
	t.Run("nothing is written when nothing changed", func(t *testing.T) {
		before := l.suites(t)
		l.push(t, shop, "main", commit(2))
		l.shows(t, shop, "main", commit(2))
		if diff := cmp.Diff(before, l.suites(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("nobody is blamed for what the cache has late", func(t *testing.T) {
		before := l.suites(t)
		edited := l.suite(t, "shop.prod.api")
		edited.Spec.Suspend = true
		l.stale.Store(&v1alpha1.TestSuiteList{Items: []v1alpha1.TestSuite{*edited}}) // and the others not yet
		l.push(t, shop, "main", commit(1))
		l.shows(t, shop, "main", commit(1))
		l.stale.Store(nil)
		l.quiet(t)
		if diff := cmp.Diff(before, l.suites(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what Git changes is written, and no more", func(t *testing.T) {
		before := l.suites(t)
		l.push(t, shop, "main", commit(3))
		l.shows(t, shop, "main", commit(3))
		after := l.suites(t)
		for name, version := range before {
			if changed := strings.HasPrefix(name, "shop") && strings.HasSuffix(name, ".api"); changed != (after[name] != version) {
				t.Errorf("%s: written: %t, want %t", name, !changed, changed)
			}
		}
		if d := l.suite(t, "shop.prod.api").Spec.Timeout.Duration; d != 7*time.Minute {
			t.Errorf("the timeout is %s", d)
		}
	})
	t.Run("an edit is mended and told of", func(t *testing.T) {
		l.quiet(t) // what the cache has late is nobody's edit
		s := l.suite(t, "shop.staging.api")
		spec := s.Spec.DeepCopy()
		l.Change(t, s, func() {
			s.Spec.Timeout.Duration = time.Hour
			s.Spec.Env = append(s.Spec.Env, s.Spec.Env[0])
			s.Spec.Env[1].Name = "ADDED"
			s.Spec.Owners = []string{"me"}
			s.Labels["stage"] = "mine"
			s.Labels["mine"] = "stays"
		})
		l.Until(t, s, "it is as before", func() bool {
			return cmp.Equal(*spec, s.Spec) && s.Labels["stage"] == "staging" && s.Labels["mine"] == "stays"
		})
		l.event(t, v1alpha1.MendedReason, "shop.staging.api", "edited", "metadata.labels.stage", "spec.env[name=ADDED]")
		l.shows(t, shop, "main", commit(3))
		for _, f := range s.ManagedFields {
			if f.Manager == fieldOwner && f.Operation != metav1.ManagedFieldsOperationApply && f.Subresource == "" {
				t.Errorf("the controller owns fields by %s, so that Git could not take them away", f.Operation)
			}
		}
	})
	t.Run("marks, owner and the object itself come back", func(t *testing.T) {
		s := l.suite(t, "shop.prod.web")
		l.Change(t, s, func() { s.Labels = nil; s.OwnerReferences = nil })
		l.event(t, v1alpha1.MendedReason, "shop.prod.web", "metadata.labels")
		l.Read(t, s)
		if s.Labels[v1alpha1.RepositoryLabel] != "shop" || !metav1.IsControlledBy(s, shop) {
			t.Errorf("the object is %+v", s.ObjectMeta)
		}
		if err := l.Delete(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		l.event(t, v1alpha1.MendedReason, "shop.prod.web", "deleted")
		l.untilSuites(t, all...)
	})
	t.Run("where a suite last passed outlives its run and every write", func(t *testing.T) {
		run := runner.NewRun(shop, v1alpha1.TestRunSpec{Environment: "staging", Commit: commit(3), Branch: "main", Cause: v1alpha1.Cause{Type: v1alpha1.CausePush}}, "")
		if err := l.Create(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		digest := l.suite(t, "shop.staging.api").Annotations[v1alpha1.DigestAnnotation]
		end := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		run.Status = v1alpha1.TestRunStatus{State: v1alpha1.StateFailed, CompletionTime: &end,
			Plan:   []v1alpha1.PlannedSuite{{Suite: "api", Run: true, Reasons: []string{"r"}, Digest: digest}, {Suite: "web", Run: true, Reasons: []string{"r"}}},
			Suites: []v1alpha1.SuiteStatus{{Name: "api", State: v1alpha1.StatePassed}, {Name: "web", State: v1alpha1.StateFailed}},
		}
		if err := l.Status().Update(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		want := &v1alpha1.LastPass{Run: run.Name, Commit: commit(3), Time: end, Digest: digest}
		s := l.suite(t, "shop.staging.api")
		passed := func() bool { l.Read(t, s); return cmp.Equal(want, s.Status.LastPassed) }
		l.Until(t, s, "the pass stands on the suite", passed)
		if err := l.Delete(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		l.Change(t, s, func() { s.Spec.Suspend = true })
		l.event(t, v1alpha1.MendedReason, "shop.staging.api", "spec.suspend")
		if !passed() {
			t.Errorf("the pass is %+v", s.Status.LastPassed)
		}
		l.Until(t, shop, "the repository says it too", func() bool {
			i := slices.IndexFunc(shop.Status.Catalogs, func(c v1alpha1.CatalogStatus) bool { return c.Environment == "staging" })
			p := shop.Status.Catalogs[i].Passed
			return p != nil && p.AtHead == 1 && cmp.Equal(p.Never, v1alpha1.NameSuites([]string{"web"}))
		})
	})
	t.Run("other branches have their own objects, and lose them", func(t *testing.T) {
		l.push(t, shop, "release/1", commit(4))
		l.shows(t, shop, "release/1", commit(4))
		release := runner.Target{Repository: "shop", Environment: "prod", Branch: "release/1"}
		s := l.suite(t, release.SuiteName("api"))
		if s.Annotations[v1alpha1.BranchAnnotation] != "release/1" || len(l.suites(t)) != len(all)+2 {
			t.Errorf("the object is %+v", s.ObjectMeta)
		}
		l.push(t, shop, "release/1", "")
		l.untilSuites(t, all...)
	})
	t.Run("a broken catalog leaves what stands, and says so", func(t *testing.T) {
		l.push(t, shop, "main", commit(5))
		l.Until(t, shop, "the problem is told", func() bool {
			return shop.Status.Catalogs[0].Problem != "" && shop.Status.Catalogs[1].Problem != ""
		})
		if c := shop.Status.Catalogs[0]; c.Commit != commit(3) || c.Heads[0] != commit(5) {
			t.Errorf("the catalog is %+v", c)
		}
		l.untilSuites(t, all...)
		l.push(t, shop, "main", commit(3))
		l.shows(t, shop, "main", commit(3))
		l.Until(t, shop, "the problem is gone", func() bool { return shop.Status.Catalogs[0].Problem == "" })
	})
	t.Run("what nobody signed is not shown", func(t *testing.T) {
		l.push(t, shop, "main", catalogstest.Unsigned)
		l.Until(t, shop, "the problem is told", func() bool {
			return strings.Contains(shop.Status.Catalogs[0].Problem, "is not signed") && shop.Status.Catalogs[0].Commit == commit(3)
		})
		l.untilSuites(t, all...)
		l.push(t, shop, "main", commit(3))
		l.Until(t, shop, "the problem is gone", func() bool { return shop.Status.Catalogs[0].Problem == "" })
	})
	t.Run("what is only reported stays until Git changes it", func(t *testing.T) {
		l.Change(t, shop, func() { shop.Spec.Catalog = v1alpha1.CatalogReport })
		s := l.suite(t, "shop.staging.api")
		l.Change(t, s, func() { s.Spec.Timeout.Duration = time.Hour })
		l.event(t, v1alpha1.EditedReason, "shop.staging.api", "spec.timeout")
		gone := l.suite(t, "shop.staging.web")
		if err := l.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		l.event(t, v1alpha1.DeletedReason, "shop.staging.web")
		if got := metric(t, "assay_catalog_mended_total", "default/shop", "prod"); got < 2 {
			t.Errorf("%v were mended, want at least two", got)
		}
		count := func() float64 { return metric(t, "assay_catalog_drift", "default/shop", "staging") }
		apiservertest.Until(t, "the metric says it", func() bool { return count() == 2 }, func() any { return count() })
		drifted := func() bool { l.Read(t, shop); return hasDrifted(shop.Status.Conditions) }
		l.Until(t, shop, "it stands on the repository", func() bool {
			return drifted() && strings.Contains(fmt.Sprint(shop.Status.Conditions), "shop.staging.api, shop.staging.web")
		})
		l.Until(t, s, "it stands on the object", func() bool { return hasDrifted(s.Status.Conditions) })
		if s.Spec.Timeout.Duration != time.Hour || s.Status.ObservedGeneration != s.Generation {
			t.Errorf("the object is %+v", s)
		}
		stop()
		stop = l.start() // which remembers nothing
		l.push(t, shop, "main", commit(4))
		l.shows(t, shop, "main", commit(4))
		l.untilSuites(t, append([]string{"shop.staging.api", "shop.prod.api"}, others...)...)
		if !drifted() {
			t.Error("the edit is forgotten")
		}
		l.push(t, shop, "main", commit(7))
		l.shows(t, shop, "main", commit(7))
		l.Until(t, s, "the drift is over", func() bool { return !drifted() && !hasDrifted(s.Status.Conditions) })
		if got := count(); got != 0 {
			t.Errorf("%v are drifted still", got)
		}
		if s.Spec.Timeout.Duration != 9*time.Minute {
			t.Errorf("the timeout is %s", s.Spec.Timeout.Duration)
		}
	})
	t.Run("a controller that is killed half-way leaves nothing behind", func(t *testing.T) {
		l.Change(t, shop, func() { shop.Spec.Catalog = v1alpha1.CatalogMend })
		l.writes.Store(70)
		l.push(t, shop, "main", commit(6))
		apiservertest.Until(t, "it was killed", func() bool { return l.writes.Load() < 0 }, func() any { return l.writes.Load() })
		stop()
		if n := len(l.suites(t)); n < 60 || n > 80 {
			t.Errorf("%d objects half-way", n)
		}
		l.writes.Store(plenty)
		stop = l.start()
		l.shows(t, shop, "main", commit(6)) // in more than one turn
		if n := len(l.suites(t)); n != 302 {
			t.Errorf("%d objects, want 302", n)
		}
		l.quiet(t)
		l.writes.Store(10)
		l.push(t, shop, "main", commit(1))
		l.shows(t, shop, "main", commit(1))
		l.writes.Store(plenty)
		l.untilSuites(t, all...)
	})
	t.Run("a suite that cannot be shown is told, and the others are shown", func(t *testing.T) {
		l.push(t, shop, "main", commit(8))
		l.Until(t, shop, "the problem is told", func() bool {
			return strings.Contains(shop.Status.Catalogs[0].Problem, `the suite "big" is not shown`) && shop.Status.Catalogs[0].Commit == commit(1)
		})
		l.untilSuites(t, append([]string{"shop.staging.api", "shop.prod.api"}, others...)...)
		l.push(t, shop, "main", commit(1))
		l.untilSuites(t, all...)
	})
	t.Run("an object that somebody makes by hand says that it is not read", func(t *testing.T) {
		byHand := &v1alpha1.TestSuite{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "smoke"},
			Spec:       v1alpha1.TestSuiteSpec{Image: "image", Command: []string{"true"}},
		}
		if err := l.Create(t.Context(), byHand); err != nil {
			t.Fatal(err)
		}
		l.event(t, v1alpha1.MadeByHandReason, "runs come from Git")
		l.Until(t, byHand, "its condition says so", func() bool {
			return meta.IsStatusConditionFalse(byHand.Status.Conditions, v1alpha1.FromGitCondition)
		})
		if s := l.suite(t, "shop.staging.api"); len(s.Status.Conditions) > 0 {
			t.Errorf("what is shown has %+v", s.Status.Conditions)
		}
		if err := l.Delete(t.Context(), byHand); err != nil {
			t.Fatal(err)
		}
		l.untilSuites(t, all...)
	})
	t.Run("an environment that is removed takes its objects with it", func(t *testing.T) {
		l.Change(t, shop, func() { shop.Spec.Environments = shop.Spec.Environments[:1] })
		l.untilSuites(t, append([]string{"shop.staging.api", "shop.staging.web"}, others...)...)
	})
	t.Run("with None there are no objects", func(t *testing.T) {
		l.Change(t, shop, func() { shop.Spec.Catalog = v1alpha1.CatalogNone })
		l.untilSuites(t, others...)
		l.Until(t, shop, "the repository has no catalogs", func() bool { return len(shop.Status.Catalogs) == 0 })
	})
}
