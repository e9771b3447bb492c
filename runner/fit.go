package runner

import (
	"encoding/json"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// StatusBytes is the most that the status of a run takes as JSON. etcd takes objects of 1.5 MiB with all that is around
// them, and the status travels to every watch; a run of any size has to end.
const StatusBytes = 500 << 10

// reductions are what a status that is too long loses, what is missed least first. Each is applied to what is left by
// those before it, until the status fits. None takes what Next decides by, so that nothing goes another way because of
// it, and each leaves alone what it was applied to already.
var reductions = []func(*v1alpha1.TestRunStatus){
	failuresOf(3, 1024),
	failuresOf(3, 256),
	outputsOf(512),
	failuresOf(1, 256),
	outputsOf(128),
	reasonsOf(false, 1, 120),
	reasonsOf(true, 2, 120),
	conditionsOf(2048),
	failuresOf(1, 80),
	reasonsOf(false, 1, 60),
	func(s *v1alpha1.TestRunStatus) { s.CatalogDiff = nil },
	finished(func(suite *v1alpha1.SuiteStatus) { suite.Message = shortened(suite.Message, 120) }),
	finished(func(suite *v1alpha1.SuiteStatus) {
		for i := range suite.Attempts { // the last one's message is the suite's
			suite.Attempts[i].Message = ""
		}
	}),
	finished(func(suite *v1alpha1.SuiteStatus) { suite.Output, suite.Failures = "", nil }),
	entries(func(p *v1alpha1.PlannedSuite) {
		if !p.Run {
			p.Digest, p.Owners, p.File = "", nil, ""
		}
		if p.EnvironmentDigest == "" { // nobody compares it
			p.ContentDigest = ""
		}
	}),
	reasonsOf(true, 1, 40),
	entries(func(p *v1alpha1.PlannedSuite) { p.Owners, p.File = nil, "" }),
	finished(func(suite *v1alpha1.SuiteStatus) { suite.Message = shortened(suite.Message, 40) }),
	finished(func(suite *v1alpha1.SuiteStatus) {
		if n := len(suite.Attempts); n > 1 {
			suite.Attempts = suite.Attempts[n-1:]
		}
		for i := range suite.Attempts {
			a := &suite.Attempts[i]
			a.Reason, a.ExitCode, a.StartTime = "", nil, nil
		}
	}),
	entries(func(p *v1alpha1.PlannedSuite) { p.Digest = "" }),
	func(s *v1alpha1.TestRunStatus) { s.Plan = running(s.Plan) },
	finished(func(suite *v1alpha1.SuiteStatus) { suite.Message, suite.Attempts = "", nil }),
}

// Fit gives the status shortened until it takes at most StatusBytes, and how many it takes. Fitting twice changes
// nothing. It does not change what it is given.
func Fit(status v1alpha1.TestRunStatus) (v1alpha1.TestRunStatus, int) {
	bytes := size(status)
	if bytes <= StatusBytes {
		return status, bytes
	}
	status = *status.DeepCopy()
	for _, reduce := range reductions {
		reduce(&status)
		if bytes = size(status); bytes <= StatusBytes {
			break
		}
	}
	return status, bytes
}

func size(status v1alpha1.TestRunStatus) int {
	data, err := json.Marshal(status)
	if err != nil {
		return 0 // it is made of strings and numbers
	}
	return len(data)
}

// failuresOf leaves each suite so many failures, with messages of so many bytes.
func failuresOf(most, bytes int) func(*v1alpha1.TestRunStatus) {
	return finished(func(suite *v1alpha1.SuiteStatus) {
		suite.Failures = suite.Failures[:min(len(suite.Failures), most)]
		for i := range suite.Failures {
			f := &suite.Failures[i]
			f.Name, f.Message = shortened(f.Name, 2*bytes), shortened(f.Message, bytes)
		}
	})
}

// outputsOf leaves each suite the last bytes of its output, whole runes only.
func outputsOf(bytes int) func(*v1alpha1.TestRunStatus) {
	return finished(func(suite *v1alpha1.SuiteStatus) {
		if n := len(suite.Output) - bytes; n > 0 {
			suite.Output = strings.ToValidUTF8(suite.Output[n:], "")
		}
	})
}

// reasonsOf leaves the entries that run, or those that do not, so many reasons of so many bytes.
func reasonsOf(run bool, most, bytes int) func(*v1alpha1.TestRunStatus) {
	return entries(func(p *v1alpha1.PlannedSuite) {
		if p.Run != run {
			return
		}
		p.Reasons = p.Reasons[:min(len(p.Reasons), most)]
		for i := range p.Reasons {
			p.Reasons[i] = shortened(p.Reasons[i], bytes)
		}
		p.Violation = shortened(p.Violation, 4*bytes)
	})
}

func conditionsOf(bytes int) func(*v1alpha1.TestRunStatus) {
	return func(s *v1alpha1.TestRunStatus) {
		s.Message = shortened(s.Message, bytes)
		for i := range s.Conditions {
			s.Conditions[i].Message = shortened(s.Conditions[i].Message, bytes)
		}
	}
}

// finished changes the suites that are final: nothing is decided by them any more.
func finished(change func(*v1alpha1.SuiteStatus)) func(*v1alpha1.TestRunStatus) {
	return func(s *v1alpha1.TestRunStatus) {
		for i := range s.Suites {
			if s.Suites[i].State.Final() {
				change(&s.Suites[i])
			}
		}
	}
}

func entries(change func(*v1alpha1.PlannedSuite)) func(*v1alpha1.TestRunStatus) {
	return func(s *v1alpha1.TestRunStatus) {
		for i := range s.Plan {
			change(&s.Plan[i])
		}
	}
}

// running gives the entries that run.
func running(plan []v1alpha1.PlannedSuite) []v1alpha1.PlannedSuite {
	var left []v1alpha1.PlannedSuite
	for _, p := range plan {
		if p.Run {
			left = append(left, p)
		}
	}
	return left
}

// shortened cuts a text to at most n bytes and says that something is missing.
func shortened(s string, n int) string {
	const more = "…"
	if len(s) <= n {
		return s
	}
	return cut(s, n-len(more)) + more
}
