package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// printPlans prints for each run which suites ran, how they ended and why they ran, and which
// were left out and why: all of it is in the status of the TestRun.
func (d *demo) printPlans(runs []v1alpha1.TestRun) {
	for _, r := range runs {
		fmt.Fprintf(d.w, "\n  %s: %s, %s (TestRun %s)\n", r.Spec.Environment, r.Status.State, r.Status.Message, r.Name)
		t := tabwriter.NewWriter(d.w, 0, 0, 2, ' ', 0)
		for _, p := range r.Status.Plan {
			state := "left out"
			if p.Run {
				state = outcome(&r, p.Suite)
			}
			fmt.Fprintf(t, "    %s\t%s\t%s\n", p.Suite, state, strings.Join(p.Reasons, "; "))
		}
		t.Flush()
	}
	fmt.Fprintln(d.w)
}

// outcome is how a suite ended, with its cases.
func outcome(r *v1alpha1.TestRun, suite string) string {
	for _, s := range r.Status.Suites {
		if s.Name != suite {
			continue
		}
		text := string(s.State)
		if s.Reason != "" {
			text += " " + s.Reason
		}
		if s.Cases != nil {
			text += fmt.Sprintf(", %d of %d cases", s.Cases.Passed, s.Cases.Total)
		}
		return text
	}
	return "not run"
}

// whatToLookAt ends the story.
func (d *demo) whatToLookAt() {
	d.chapter("What to look at")
	fmt.Fprintf(d.w, `  %s
      the pull request: its comment, and the statuses at its commits
  eval "$(deploy/dev/cluster.sh)"
      gives a shell the KUBECONFIG and the kubectl of what follows
  kubectl -n shop get testruns
      every run, why it is there and how it ended
  kubectl -n shop get testrun NAME -o yaml
      its plan with reasons, its suites, attempts and failures
  kubectl get testenvironments; kubectl -n shop get testrepositories
      what the platform team gave, and how the last poll went
  kubectl -n shop-staging get pods -l %s=%s
      the test pods
`, d.pullRequest.HTMLURL, v1alpha1.ManagedByLabel, v1alpha1.ManagedBy)
	d.say("done")
}
