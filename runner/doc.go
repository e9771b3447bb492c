// Package runner decides what happens next in a run.
//
// In: a TestRun with its plan, the rendered suites, the environment, what was observed of the pods, and the time. Out:
// the status that follows, and the actions to take: start an attempt, stop one, look again at some time. [Next] is a
// pure function: it has no client, logger or clock, and applying it twice changes nothing. The package also computes
// the names of runs and pods, and says in [Executor] what the hands that carry the actions out have to keep to.
//
// It must not know Git, forges, or how a pod is written down: a Pod becomes an [ObservedAttempt] in runner/pods.
package runner
