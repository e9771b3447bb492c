// Package schedule creates the runs of scheduled suites at their times.
//
// In flow TestRepositories with the head of their default branch; out flow TestRuns of cause
// Schedule. When a suite is due is decided by catalog.Due; names of runs are computed from
// the scheduled minute, so that two controllers, or one that was killed, cannot start a run
// twice. Of the times that were missed, while no controller ran or the catalog could not be had,
// the latest within an hour is made up for, the others are dropped. The package knows nothing
// of Git, pods or forges.
package schedule
