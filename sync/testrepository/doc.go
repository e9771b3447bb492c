// Package testrepository reconciles TestRepositories: it polls each repository, and creates
// the TestRuns that new heads of branches and pull requests call for.
//
// In flow TestRepositories and their Secrets, the refs of the Git host and the open pull
// requests of the forge; out flow TestRuns and the repository's status. What a poll calls
// for is decided by [decide], a function of values; names of runs are computed from their
// cause, so that creating twice is a no-op. Heads whose runs ended for a reason outside the
// commit are looked at again, too, see [obstacles]. [Access] is where credentials are read, and
// [Source] gives the rest of the controller the files of a commit. The package knows
// nothing of suites and pods, and of what is said on the forge only which contexts are whose.
package testrepository
