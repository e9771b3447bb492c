package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

var blockNow = time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)

// blockRun is a run of many suites, 40 s after its start.
func blockRun(suites int) *v1alpha1.TestRun {
	start := metav1.NewTime(blockNow.Add(-40 * time.Second))
	end := metav1.NewTime(blockNow.Add(-10 * time.Second))
	run := &v1alpha1.TestRun{}
	run.Name = "shop-staging-11111111-0123456789ab"
	run.Status = v1alpha1.TestRunStatus{State: v1alpha1.StateRunning, Message: fmt.Sprintf("3 of %d suites finished", suites), StartTime: &start}
	states := []v1alpha1.RunState{v1alpha1.StatePassed, v1alpha1.StateRunning, v1alpha1.StateFailed, v1alpha1.StatePending}
	for i := range suites {
		s := v1alpha1.SuiteStatus{Name: fmt.Sprintf("suite-%d", i), State: states[i%len(states)]}
		switch s.State {
		case v1alpha1.StatePassed:
			s.Cases = &v1alpha1.CaseCounts{Total: 12, Passed: 12}
			s.Attempts = []v1alpha1.Attempt{{Number: 1, StartTime: &start, CompletionTime: &end}}
		case v1alpha1.StateRunning:
			s.Attempts = []v1alpha1.Attempt{{Number: 1, StartTime: &start, CompletionTime: &end}, {Number: 2, StartTime: &end}}
		case v1alpha1.StateFailed:
			s.Message = "1 of 3 cases failed\x1b]0;title\a and a line that is too long for a terminal of eighty columns"
			s.Cases = &v1alpha1.CaseCounts{Total: 3, Passed: 2, Failed: 1}
			s.Attempts = []v1alpha1.Attempt{{Number: 1, StartTime: &start, CompletionTime: &end}}
		}
		run.Status.Suites = append(run.Status.Suites, s)
	}
	return run
}

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		name          string
		suites        int
		width, height int
		colour        bool
	}{
		{"plain", 4, 80, 24, false},
		{"colour", 4, 80, 24, true},
		{"low", 20, 60, 8, false},
		{"tiny", 20, 5, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			b := newBlock(&out, func() (int, int) { return c.width, c.height }, func() time.Time { return blockNow }, time.NewTicker(time.Hour), c.colour)
			defer b.end()
			run := blockRun(c.suites)
			b.show(run)
			b.note("the API server does not answer\x1b[2J")
			b.show(run)
			run.Status.Suites = run.Status.Suites[:2]
			b.show(run)
			golden(t, "block-"+c.name, strings.ReplaceAll(out.String(), "\x1b", "<ESC>"))
		})
	}
}

// TestBlockErasesWhatItWrote holds the cursor's way back to the lines that stand there.
func TestBlockErasesWhatItWrote(t *testing.T) {
	for height := range 30 {
		for width := range 100 {
			var out strings.Builder
			b := newBlock(&out, func() (int, int) { return width, height }, func() time.Time { return blockNow }, time.NewTicker(time.Hour), false)
			b.show(blockRun(20))
			b.end()
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) != b.height || height > 2 && len(lines) >= height {
				t.Fatalf("%d lines on %d rows, and it would go back %d", len(lines), height, b.height)
			}
			for _, l := range lines {
				if n := len([]rune(l)); n >= max(width, 2) {
					t.Fatalf("a line of %d characters on %d columns: %q", n, width, l)
				}
			}
		}
	}
}

// golden compares with a file of testdata, which -update rewrites.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
