// Package testsuite shows the catalogs of TestRepositories in the cluster, as TestSuites, and
// says where cluster, Git and environments have drifted apart.
//
// In flow TestRepositories with the heads of their branches, the catalogs of those, the
// TestSuites that are there, and runs that ended; out flow TestSuites, their status, and
// status.catalogs. How an object stands to Git is decided by render.Kept, what differs between
// environments by render.Apart, and what is known to pass by runner.Passes. Names are computed
// and nothing is remembered but in the objects themselves, so that a controller that was
// killed goes on where it was. [ByHand] tells those who apply a TestSuite themselves that it does
// nothing. Nobody reads the TestSuites to run anything. The package knows
// nothing of Git, pods or forges.
package testsuite
