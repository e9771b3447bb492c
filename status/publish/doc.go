// Package publish makes the forge agree with what package status says.
//
// Events of TestRuns flow in, mapped to the [Subject] they are about; statuses and comments
// flow out, and only where they differ from what the forge shows. What was said is remembered
// as a digest in TestRun.status.published, so that a quiet subject costs no request; the
// memory may be lost at any time without anything being said twice, because the forge is read
// before it is written.
//
// The package decides nothing of what is said and knows no forge by name.
package publish
