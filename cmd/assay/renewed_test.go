package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

func TestARunTellsWhatItRenewed(t *testing.T) {
	repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "shop"}}
	ended := func(cause v1alpha1.CauseType, commit string, minute int, state v1alpha1.RunState,
		suites ...string) *v1alpha1.TestRun {
		run := runner.NewRun(repo, v1alpha1.TestRunSpec{
			Environment: "staging", Commit: strings.Repeat(commit, 40), Cause: v1alpha1.Cause{Type: cause}}, "")
		run.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC))
		run.Status.State = state
		for _, name := range suites {
			run.Status.Plan = append(run.Status.Plan,
				v1alpha1.PlannedSuite{Suite: name, Run: true, Reasons: []string{"it is there"}})
			run.Status.Suites = append(run.Status.Suites, v1alpha1.SuiteStatus{Name: name, State: state})
		}
		return run
	}
	const push, failed = v1alpha1.CausePush, v1alpha1.StateFailed
	const renews = "The verdict of staging on commit aaaaaaaaaaaa is renewed: "
	again := ended(v1alpha1.CauseAPI, "a", 2, v1alpha1.StatePassed, "api")
	for name, c := range map[string]struct {
		beside *v1alpha1.TestRun
		want   string
	}{
		"a push failed": {ended(push, "a", 1, failed, "api"), renews + "Passed: 1 suite passed"},
		"another suite fails": {ended(push, "a", 1, failed, "api", "load"),
			renews + "Failed: 1 of 2 suites failed: load"},
		"of other suites":   {ended(push, "a", 1, failed, "load"), ""},
		"of another commit": {ended(push, "b", 1, failed, "api"), ""},
		"a push came after": {ended(push, "a", 3, failed, "api"), ""},
		"a schedule":        {ended(v1alpha1.CauseSchedule, "a", 1, failed, "api"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			client := fake.NewClientBuilder().WithScheme(scheme).WithObjects(again.DeepCopy(), c.beside).Build()
			if got, err := renewed(t.Context(), client, again); err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestTheResultShowsTheEndOfTheOutput(t *testing.T) {
	run := &v1alpha1.TestRun{}
	run.Status.State, run.Status.Message = v1alpha1.StateFailed, "1 of 1 suite failed: smoke"
	run.Status.Suites = []v1alpha1.SuiteStatus{
		{Name: "smoke", State: v1alpha1.StateFailed, Output: "cannot connect\tto db:5432\n\x1b[31mbye\n"},
		{Name: "unit", State: v1alpha1.StatePassed},
	}
	var out bytes.Buffer
	resultTable(&out, run)
	want := "\nsmoke: the end of its output\n    cannot connect    to db:5432\n"
	got := out.String()
	if !strings.Contains(got, want) || strings.Contains(got, "\x1b") || strings.Contains(got, "unit: the end") {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
