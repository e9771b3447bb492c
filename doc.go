// Package assay is the map of the project: GitOps for tests.
//
// Git says what should be tested where; Assay makes it so, inside the clusters, and answers
// where people look. Everything that is a decision is a pure function in one of three brains
// (catalog with render, runner, status); everything that touches the world is a thin hand.
//
// The map below is the truth on who may import whom. Each row is a package, or a folder with
// /... for all packages below it, the ours it may import, and its one job. A test compares it
// with the real imports, so it cannot lie.
//
//	words
//	  api/fault             :                                  the kinds of error, with place and remedy
//	  api/v1alpha1          :                                  the CRD types, which are the domain types
//	  providers             : api/fault                        forge words and role interfaces
//	  runner/report         : api/fault                        bytes of any tool to one Report
//	  deploy/crds           :                                  the CRDs, as they are generated
//	  render/memo           :                                  a bounded memory of what was made
//	  runner/fairqueue      :                                  queues in which namespaces take turns
//
//	brains
//	  catalog               : api/fault api/v1alpha1 runner/report   what concerns this change?
//	  render                : api/fault api/v1alpha1 catalog deploy/crds render/memo   a tree and an overlay to a catalog
//	  runner                : api/fault api/v1alpha1 catalog runner/report   what happens next in this run?
//	  status                : api/fault api/v1alpha1 providers runner   what should be said?
//
//	hands
//	  api/apiservertest     : api/v1alpha1 runner/runs         a real API server for tests
//	  sync/git              : api/fault render/memo            refs, trees and changed paths of Git repositories
//	  sync/githubapp        : api/fault                        installation tokens of GitHub Apps
//	  sync/githubapp/githubapptest :                           GitHub as far as an App needs it, in memory
//	  sync/signature        : api/fault                        whether a commit was signed by somebody who may
//	  sync/testrepository   : words brains sync/git sync/githubapp sync/signature runner/proof runner/runs  polls repositories, creates runs
//	  sync/webhook          : api/v1alpha1                     lets forges say that there is something new
//	  runner/content        : api/fault                        the tar that a pod gets
//	  runner/certificate    :                                  the certificate of the gateway
//	  runner/proof          : api/v1alpha1                     what the controller itself made
//	  runner/memory         : words brains runner/content      an executor in memory
//	  runner/runnertest     : words brains                     the conformance suite of executors
//	  runner/pods           : words brains runner/proof        attempts as pods
//	  runner/slots          : api/v1alpha1                     shares the places of environments out among runs
//	  runner/gateway        : words brains runner/content runner/proof  content out, outcomes in
//	  runner/catalogs       : words brains                     the catalog of a commit, rendered once
//	  runner/catalogs/catalogstest : words                     a Git repository in memory, for tests
//	  runner/runs           : api/v1alpha1 runner runner/proof  finds runs in a cache, and creates the controller's own
//	  runner/testrun        : words brains runner/content runner/catalogs runner/proof runner/runs runner/slots  plans runs and sees them through
//	  runner/testenvironment: words brains                     says whether an environment can be used
//	  runner/schedule       : words brains runner/catalogs runner/proof runner/runs  creates runs at their set times
//	  runner/testsuite      : words brains runner/catalogs runner/runs  shows catalogs in the cluster, and drift
//	  status/publish        : words brains runner/proof runner/runs         makes the forge say what should stand there
//	  providers/providerstest : words                          the conformance suite of forges
//	  providers/memory      : words                            a forge in memory
//	  providers/gitea       : words                            Gitea and Forgejo
//	  providers/plain       : words                            Git without an API
//
//	commands
//	  cmd/assay             : *                                the controller and the command line
//	  cmd/assay-exec        : api/fault runner/report runner/content  runs a suite inside its pod
//
//	around
//	  examples/...          : *                                a real application with its tests, and the demo
//	  deploy/...            : *                                end-to-end tests and benchmarks
package assay
