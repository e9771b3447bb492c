// Package e2e holds the end-to-end tests: Assay as it is installed, on a real cluster, with a
// real Git host. They are built with the tag e2e and run by make test-e2e.
package e2e
