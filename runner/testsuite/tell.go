package testsuite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/runner"
)

var (
	driftGauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "assay_catalog_drift",
		Help: "TestSuites that were found edited or deleted when their repository was last looked at, by repository (namespace/name) and environment.",
	}, []string{"repository", "environment"})
	mendedTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_catalog_mended_total",
		Help: "TestSuites that were edited or deleted and made as in Git again, by repository (namespace/name) and environment.",
	}, []string{"repository", "environment"})
)

func init() { metrics.Registry.MustRegister(driftGauge, mendedTotal) }

// forget drops the metrics of a repository that is gone.
func forget(repository string) {
	driftGauge.DeletePartialMatch(prometheus.Labels{"repository": repository})
	mendedTotal.DeletePartialMatch(prometheus.Labels{"repository": repository})
}

// maxTold is how many objects of a catalog an event is recorded for in a turn.
const maxTold = 10

// tell notes a drift and records an event, if it is news.
func (t *turn) tell(s *shown, name string, standing render.Standing, drift render.Kept) {
	known := s.entry.Drifted != nil && slices.Contains(s.entry.Drifted.Names, drift.Suite.Name)
	what, reason := "deleted", v1alpha1.DeletedReason
	if standing == render.Edited {
		text := fields(drift.Drift())
		what, reason = "edited: "+text, v1alpha1.EditedReason
		condition := meta.FindStatusCondition(drift.Object.Status.Conditions, v1alpha1.DriftedCondition)
		known = condition != nil && condition.Message == text
	}
	object := runner.NewSuite(t.repo, s.target, drift.Suite)
	if drift.Object != nil {
		object.UID = drift.Object.UID
	}
	if t.repo.CatalogPolicy() == v1alpha1.CatalogMend {
		s.mended++
		if s.mended <= maxTold {
			t.record(object, corev1.EventTypeNormal, v1alpha1.MendedReason, "Mend", "the TestSuite %s is as in Git again; it was %s", name, what)
		}
		return
	}
	s.drifted = append(s.drifted, drift.Suite.Name)
	if !known && len(s.drifted) <= maxTold {
		t.record(object, corev1.EventTypeWarning, reason, "Report", "the TestSuite %s was %s", name, what)
	}
}

// record leaves the event on the repository, where it outlives the object, and relates it to
// that. The API server takes at most 1024 bytes.
func (t *turn) record(object *v1alpha1.TestSuite, kind, reason, action, format string, args ...any) {
	t.Events.Eventf(t.repo, object, kind, reason, action, "%s", short(fmt.Sprintf(format, args...), 1024))
}

// tellRepository sets the condition and the metrics of the repository.
func (t *turn) tellRepository() {
	repository := t.repo.Namespace + "/" + t.repo.Name
	driftGauge.DeletePartialMatch(prometheus.Labels{"repository": repository})
	var names []string
	drifted := map[string]int{}
	for _, s := range t.shown {
		drifted[s.target.Environment] += len(s.drifted) + s.mended
		if s.mended > 0 {
			mendedTotal.WithLabelValues(repository, s.target.Environment).Add(float64(s.mended))
		}
		standing := s.drifted
		if !s.rendered && s.entry.Drifted != nil { // as far as it is known
			standing = s.entry.Drifted.Names
		}
		for _, suite := range standing {
			names = append(names, s.target.SuiteName(suite))
		}
	}
	for environment, n := range drifted {
		driftGauge.WithLabelValues(repository, environment).Set(float64(n))
	}
	if len(names) == 0 {
		conditions.Delete(t.repo, v1alpha1.DriftedCondition)
		return
	}
	slices.Sort(names)
	conditions.MarkTrue(t.repo, v1alpha1.DriftedCondition, v1alpha1.DriftedCondition, "TestSuites are not as in Git: %s", some(names))
}

// fields names the fields that differ.
func fields(d v1alpha1.SuiteDifference) string {
	paths := make([]string, 0, len(d.Fields))
	for _, f := range d.Fields {
		paths = append(paths, f.Path)
	}
	return some(paths)
}

// some shows three and counts the others.
func some(names []string) string {
	const shown = 3
	if more := len(names) - shown; more > 0 {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// short cuts a text to so many bytes.
func short(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}
