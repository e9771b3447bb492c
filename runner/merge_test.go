package runner_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// stands makes a run of a commit that was created at a second and stands as the words say:
// "api=Failed cm=Pending -load" is planned with two suites that run and one that does not.
// Suites with a ? are optional. Without words it is not planned.
func stands(name string, cause v1alpha1.CauseType, second int64, state v1alpha1.RunState,
	words string) *v1alpha1.TestRun {
	r := &v1alpha1.TestRun{}
	r.Namespace, r.Name, r.CreationTimestamp = "team", name, metav1.Unix(1e9+second, 0)
	r.Spec = v1alpha1.TestRunSpec{Environment: "staging", Commit: "abc", Cause: v1alpha1.Cause{Type: cause}}
	r.Spec.RepositoryRef.Name = "shop"
	r.Status.State = state
	for _, word := range strings.Fields(words) {
		suite, stand, runs := strings.Cut(word, "=")
		plain := strings.TrimSuffix(suite, "?")
		entry := v1alpha1.PlannedSuite{Suite: strings.TrimPrefix(plain, "-"), Run: runs}
		entry.Reasons = []string{"for " + name}
		if plain != suite {
			entry.Gate = v1alpha1.GateOptional
		}
		r.Status.Plan = append(r.Status.Plan, entry)
		if runs {
			r.Status.Suites = append(r.Status.Suites,
				v1alpha1.SuiteStatus{Name: plain, State: v1alpha1.RunState(stand), Message: "in " + name})
		}
	}
	return r
}

func with(r *v1alpha1.TestRun, change func(*v1alpha1.TestRun)) *v1alpha1.TestRun {
	change(r)
	return r
}

type runs = []*v1alpha1.TestRun

func chosen(suites ...string) func(*v1alpha1.TestRun) {
	return func(r *v1alpha1.TestRun) { r.Spec.Suites = suites }
}

const push, api = v1alpha1.CausePush, v1alpha1.CauseAPI

func TestMerge(t *testing.T) {
	base := func() *v1alpha1.TestRun {
		return stands("base", push, 10, v1alpha1.StateFailed, "api=Failed cm=Errored load=Passed -left")
	}
	refused := func() *v1alpha1.TestRun {
		r := stands("base", push, 10, "", "")
		err := fault.New(fault.EnvironmentNotAdmitted, fault.Place{}, "", "not admitted")
		r.Status = runner.Broken(r, err, time.Unix(1e9+11, 0))
		return r
	}
	green := func(name string) *v1alpha1.TestRun {
		return stands(name, api, 20, v1alpha1.StatePassed, "api=Passed cm=Passed")
	}
	for name, c := range map[string]struct {
		base   *v1alpha1.TestRun
		others runs
		want   string
	}{
		"nothing came after": {base(), nil,
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"one suite is renewed": {base(),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "cm=Passed -api -load -left")},
			"Failed: api=Failed/base cm=Passed/again load=Passed/base"},
		"all that went wrong is renewed": {base(),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "cm=Passed api=Passed")},
			"Passed: api=Passed/again cm=Passed/again load=Passed/base"},
		"what passed may fail": {base(),
			runs{stands("again", api, 20, v1alpha1.StateFailed, "load=Failed")},
			"Failed: api=Failed/base cm=Errored/base load=Failed/again"},
		"the newest that ran a suite says": {base(),
			runs{
				stands("second", api, 30, v1alpha1.StatePassed, "api=Passed"),
				stands("first", api, 20, v1alpha1.StateFailed, "api=Failed cm=Passed"),
			},
			"Passed: api=Passed/second cm=Passed/first load=Passed/base"},
		"in the same second it came later": {base(),
			runs{stands("again", api, 10, v1alpha1.StatePassed, "api=Passed cm=Passed")},
			"Passed: api=Passed/again cm=Passed/again load=Passed/base"},
		"what was before says nothing": {base(),
			runs{stands("before", api, 9, v1alpha1.StatePassed, "api=Passed cm=Passed")},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"while it goes on its suites are pending": {base(),
			runs{stands("again", api, 20, v1alpha1.StateRunning, "api=Passed cm=Running")},
			"Running: api=Pending/again cm=Pending/again load=Passed/base"},
		"without a plan it says nothing yet": {base(),
			runs{stands("again", api, 20, "", "")},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"one that was cancelled changes nothing": {base(),
			runs{stands("again", api, 20, v1alpha1.StateCancelled, "api=Passed cm=Cancelled")},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"one that is deleted changes nothing": {base(),
			runs{with(stands("again", api, 20, v1alpha1.StateRunning, "api=Running"),
				func(r *v1alpha1.TestRun) { r.DeletionTimestamp = &r.CreationTimestamp })},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"one that was refused changes nothing": {base(),
			runs{stands("again", api, 20, v1alpha1.StateErrored, "")},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"what the base left out is not added": {base(),
			runs{stands("again", api, 20, v1alpha1.StateFailed, "left=Failed other=Failed")},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"schedules and changes renew nothing": {base(),
			runs{
				stands("nightly", v1alpha1.CauseSchedule, 20, v1alpha1.StatePassed, "api=Passed cm=Passed"),
				stands("push", push, 20, v1alpha1.StatePassed, "api=Passed cm=Passed"),
			},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"others are of other heads": {base(),
			runs{
				with(green("a"), func(r *v1alpha1.TestRun) { r.Spec.Commit = "def" }),
				with(green("b"), func(r *v1alpha1.TestRun) { r.Spec.Environment = "prod" }),
				with(green("c"), func(r *v1alpha1.TestRun) { r.Spec.RepositoryRef.Name = "cart" }),
				with(green("d"), func(r *v1alpha1.TestRun) { r.Namespace = "other" }),
			},
			"Failed: api=Failed/base cm=Errored/base load=Passed/base"},
		"gates count as ever": {stands("base", push, 10, v1alpha1.StateFailed, "api=Failed soft?=Failed"),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed soft?=Failed")},
			"Passed: api=Passed/again soft=Failed/again"},
		"a base that goes on": {stands("base", push, 10, v1alpha1.StateRunning, "api=Running load=Pending"),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed")},
			"Running: api=Passed/again load=Pending/base"},
		"a base that was cancelled": {stands("base", push, 10, v1alpha1.StateCancelled, "api=Cancelled load=Passed"),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed")},
			"Passed: api=Passed/again load=Passed/base"},
		"a base without its plan yet": {stands("base", push, 10, "", ""),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed")},
			":"},
		"a base that no suite concerned": {stands("base", push, 10, v1alpha1.StatePassed, "-api"),
			runs{stands("again", api, 20, v1alpha1.StateFailed, "api=Failed")},
			"Passed:"},
		"a base that was refused": {refused(), nil,
			"Errored:"},
		"the whole takes the place of what was refused": {refused(),
			runs{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed")},
			"Passed: api=Passed/again"},
		"chosen suites do not": {refused(),
			runs{with(stands("again", api, 20, v1alpha1.StatePassed, "api=Passed"), chosen("api"))},
			"Errored:"},
		"and renew what took its place": {refused(),
			runs{
				with(stands("early", api, 15, v1alpha1.StatePassed, "api=Passed"), chosen("api")),
				stands("whole", api, 20, v1alpha1.StateFailed, "api=Failed load=Failed"),
				with(stands("api", api, 30, v1alpha1.StatePassed, "api=Passed -load"), chosen("api")),
			},
			"Failed: api=Passed/api load=Failed/whole"},
		"refused twice": {refused(),
			runs{stands("again", api, 20, v1alpha1.StateErrored, "")},
			"Errored:"},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.base.DeepCopy()
			merged := runner.Merge(c.base, c.others)
			if got := together(merged); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if diff := cmp.Diff(before, c.base); diff != "" {
				t.Errorf("the base was changed:\n%s", diff)
			}
			for range 10 {
				rand.Shuffle(len(c.others), func(i, j int) { c.others[i], c.others[j] = c.others[j], c.others[i] })
				if diff := cmp.Diff(merged, runner.Merge(c.base, c.others)); diff != "" {
					t.Fatalf("another order says something else:\n%s", diff)
				}
			}
		})
	}
}

// together gives the state, and each suite with its state and the run that has its attempts, whose
// words the status and the plan must have, too.
func together(m runner.Merged) string {
	line := string(m.Run.Status.State) + ":"
	for _, s := range m.Run.Status.Suites {
		in := m.RanIn(s.Name).Name
		line += " " + s.Name + "=" + string(s.State) + "/" + in
		i := slices.IndexFunc(m.Run.Status.Plan, func(p v1alpha1.PlannedSuite) bool { return p.Suite == s.Name })
		if s.Message != "in "+in && s.State.Final() || m.Run.Status.Plan[i].Reasons[0] != "for "+in {
			line += "?"
		}
	}
	return line
}

func TestAMergedRunSaysHowItStands(t *testing.T) {
	base := stands("base", push, 10, v1alpha1.StateFailed, "api=Failed cm=Errored load=Passed")
	base.Status.CompletionTime = &base.CreationTimestamp
	merged := runner.Merge(base, []*v1alpha1.TestRun{stands("again", api, 20, v1alpha1.StatePassed, "api=Passed")}).Run
	if got, want := merged.Status.Message, "1 of 3 suites errored: cm"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if c := merged.GetConditions(); len(c) == 0 || c[0].Message != merged.Status.Message {
		t.Errorf("its conditions are %+v", c)
	}
	if done := merged.Status.CompletionTime; done == nil || done.Unix() != 1e9+20 {
		t.Errorf("it ended at %v", done)
	}
	going := runner.Merge(base, []*v1alpha1.TestRun{stands("again", api, 20, v1alpha1.StateRunning, "api=Running")}).Run
	if going.Status.CompletionTime != nil || going.Status.State.Final() {
		t.Errorf("it ended at %v as %s", going.Status.CompletionTime, going.Status.State)
	}
}
