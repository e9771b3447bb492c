// Package webhook lets forges say that a repository has something new.
//
// In flow HTTP requests at /hook/<namespace>/<name>, the TestRepository of that name and the
// Secret that its spec.webhook names; out flows one annotation on the TestRepository, the same
// by which people ask for a reconcile, at most once in a while for each. What the repository
// has is then asked of its host, as at every interval: nothing that a request says is used but
// the proof that its sender knows the secret. A lost request costs the wait for the next poll.
//
// Anybody can send requests. They are bound in size, number and time; [Handler] answers a
// repository that is not there, one without a webhook, a Secret that cannot be read and a
// wrong proof alike, also in time.
package webhook
