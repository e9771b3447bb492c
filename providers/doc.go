// Package providers is the vocabulary of forges: what a Git host offers beside Git.
//
// A forge is opened for one repository and gives a [Forge]: up to three roles, each an
// interface of one to three methods, and the limits of what it stores. A role that the
// forge lacks is nil, so callers ask "can it?" by comparing with nil and never by name.
// Implementations live in a sub-folder each; package providerstest is the one conformance
// suite that all of them pass.
//
// The package knows nothing of suites, runs or clusters. What a status or comment says is
// decided elsewhere.
package providers
