// Package status decides what should be said on a forge about the runs of a commit: the
// commit statuses and the one comment of a pull request.
//
// TestRuns flow in, a [Statement] flows out: [Compose] is a pure function. The same runs
// give the same bytes in any order, so whoever publishes can compare digests and write only
// when something changed. Everything that comes from a repository or a pod (names of tests,
// messages, paths, reasons) is hostile text and leaves this package escaped.
//
// The package does not know how a suite was run, nor how a forge is reached; of forges it
// knows the words of package providers only.
package status
