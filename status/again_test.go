package status

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// A command that names some of what went wrong would leave the verdict red: it names all, or
// none and says so.
func TestTheAdviceIsWhole(t *testing.T) {
	const hint = "Without --suite every suite runs"
	for suites, names := range map[int]bool{1: true, 100: true, 300: false} {
		in := hostileInput("plain text", "other", 0)
		status := &in.Runs[0].Status
		status.Plan, status.Suites = nil, nil
		for i := range suites {
			name := fmt.Sprintf("suite-%04d", i)
			status.Plan = append(status.Plan, v1alpha1.PlannedSuite{Suite: name, Run: true, Reasons: []string{"x"}})
			status.Suites = append(status.Suites, v1alpha1.SuiteStatus{Name: name, State: v1alpha1.StateErrored})
		}
		comment := Compose(in).Comment
		last := fmt.Sprintf(",suite-%04d\n", suites-1)
		if suites == 1 {
			last = " --suite suite-0000\n"
		}
		if strings.Contains(comment, last) != names || strings.Contains(comment, hint) == names {
			_, advice, _ := strings.Cut(comment, "assay run")
			t.Errorf("of %d suites all are named: want %t\n%s", suites, names, advice)
		}
	}
}
