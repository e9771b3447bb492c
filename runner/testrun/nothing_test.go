package testrun

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// A repository without tests is no fault of anybody's; but what somebody asks for by name has to be
// there, and so has an overlay beside tests.
func TestACommitWithoutTestsPasses(t *testing.T) {
	bare, lacking := strings.Repeat("1", 40), strings.Repeat("2", 40)
	d := newDesk(t, history{trees: map[string]fs.FS{bare: fstest.MapFS{"README.md": {}}, lacking: fstest.MapFS{"tests/a.yaml": {}}}})
	run := d.run(bare, v1alpha1.CausePush)
	p, err := d.plan(t.Context(), run, d.repo, d.env)
	if err != nil || len(p.suites) > 0 {
		t.Fatalf("got %+v, %v", p, err)
	}
	const want = `there is no folder "tests" at this commit: nothing to run`
	run.Status = runner.Nothing(run, p.nothing, time.Now())
	ready := meta.FindStatusCondition(run.Status.Conditions, v1alpha1.ReadyCondition)
	if run.Status.State != v1alpha1.StatePassed || run.Status.Message != want || ready == nil || ready.Message != want || ready.Status != "True" {
		t.Errorf("it ends as %+v", run.Status)
	}
	if !meta.IsStatusConditionTrue(run.Status.Conditions, v1alpha1.PlannedCondition) {
		t.Error("it is not planned")
	}

	asked := d.run(bare, v1alpha1.CauseAPI)
	asked.Spec.Suites = []string{"api"}
	if _, err := d.plan(t.Context(), asked, d.repo, d.env); fault.ReasonOf(err) != fault.CatalogNotFound {
		t.Errorf("a suite that was asked for: %v", err)
	}
	if _, err := d.plan(t.Context(), d.run(lacking, v1alpha1.CausePush), d.repo, d.env); fault.ReasonOf(err) != fault.OverlayNotFound {
		t.Errorf("tests without the overlay: %v", err)
	}
}
