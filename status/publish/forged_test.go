package publish_test

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestARunThatTheControllerDidNotMakeSaysNothing: neither a green one beside a red, nor a later one of another commit.
func TestARunThatTheControllerDidNotMakeSaysNothing(t *testing.T) {
	forged := func(name, commit string) *v1alpha1.TestRun {
		r := run("staging", commit, 7, start.Add(time.Minute), passed)
		r.Name, r.Annotations = name, nil
		return r
	}
	copied := run("staging", commitA, 7, start.Add(time.Minute), passed) // with the proof of the red one
	red := run("staging", commitA, 7, start, failed)
	copied.Name, copied.Annotations = "copied", red.Annotations
	for name, r := range map[string]*v1alpha1.TestRun{"of the commit": forged("forged", commitA), "of another commit": forged("other", commitB)} {
		b := newBench(t, red.DeepCopy(), r)
		b.settle(t, subject(commitA, 7))
		b.settle(t, subject(commitB, 7))
		b.wantComments(t, 7, "❌ 1 of 1 suite failed")
		if got := b.host.History(commitB); len(got) != 0 {
			t.Errorf("%s: it says %+v", name, got)
		}
		b.wantHistory(t, commitA, "assay/staging failure")
	}
	b := newBench(t, red)
	if err := b.client.Create(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	b.setStatus(t, "copied", passed)
	b.settle(t, subject(commitA, 7))
	b.wantComments(t, 7, "❌ 1 of 1 suite failed")
}
