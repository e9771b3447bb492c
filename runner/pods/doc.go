// Package pods carries attempts out as pods.
//
// In: an Attempt. Out: a Pod ([Build], a pure function) that the [Executor] creates, deletes and lists; and from a Pod
// what the runner wants to know of it ([Observe], pure too). It must not know Git, forges, or how a verdict is reached.
package pods
