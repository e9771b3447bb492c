// Package testrun reconciles TestRuns: it plans each, has its pods started, watches them to
// their end, and keeps the status true.
//
// In flow TestRuns, what the executor observes of their pods, and the files of commits; out
// flow attempts and the status of the run. What runs is decided by catalog.Plan, and what
// happens next by runner.Next; the reconciler gathers, asks and carries out. All state is in
// the TestRun and its pods: the controller may be killed at any line and goes on where it
// was. The package knows nothing of Git or forges.
package testrun
