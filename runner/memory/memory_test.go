package memory_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
	"github.com/assay-dev/assay/runner/memory"
	"github.com/assay-dev/assay/runner/runnertest"
)

func TestConformance(t *testing.T) {
	runnertest.Test(t, func(*testing.T) runnertest.World {
		e := memory.New(nil, func(a runner.Attempt) error {
			if a.Suite.Spec.Image == "refused" {
				return fault.New(fault.PodRefused, fault.Place{}, "", "not this image")
			}
			return nil
		})
		runs := 0
		return runnertest.World{
			Executor: e,
			Attempt: func(_ *testing.T, suite string, _ int32) runner.Attempt {
				runs++
				a := runner.Attempt{Environment: &v1alpha1.TestEnvironment{}, Run: &v1alpha1.TestRun{ObjectMeta: metav1.ObjectMeta{Name: "run", UID: types.UID(fmt.Sprint(runs))}}}
				a.Suite.Name, a.ID = suite, runner.AttemptOf(suite, 1)
				return a
			},
			End: func(t *testing.T, a runner.Attempt, exitCode int32) {
				if err := e.End(runner.PodName(a.Run, a.ID), exitCode, nil); err != nil {
					t.Fatal(err)
				}
			},
			Refuse: func(a *runner.Attempt) { a.Suite.Spec.Image = "refused" },
		}
	})
}
