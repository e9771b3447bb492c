// Package schedule creates the runs of scheduled suites at their times.
//
// In flow TestRepositories with the head of their default branch; out flow TestRuns of cause
// Schedule, and the condition Scheduled. When a suite is due is decided by catalog.Due. A
// scheduled minute has one run in each environment, for all suites that are due then; its name is
// computed from both, so that neither two controllers nor one that was killed start it twice,
// wherever the branch is meanwhile.
//
// A schedule counts from when it was first seen: status.schedules remembers which were in force at
// the last look, and [known] leaves out the others. So one that is pushed, changed, or no longer
// suspended waits for its next time; and of the times that were missed, while no controller ran or
// the catalog could not be had, the latest within an hour is made up for, the others are dropped.
// The package knows nothing of Git, pods or forges.
package schedule
