// Package catalog is the brain that answers "what concerns this change?".
//
// In flow the YAML that a team wrote ([ParseFile]) and the objects that rendering made of it
// ([New]); out flow a [Catalog] of suites with every default filled in, the plan of a run with
// a reason for each suite ([Plan]), the fields that differ between two renderings of a suite
// ([Differences]), the times of schedules ([Next], [Last], [Due]), and what an
// environment forbids ([CheckPolicy]).
//
// Everything here is a function from values to values: no file, no client, no clock. The
// package knows nothing of Git, kustomize, clusters or forges. What it is given is hostile:
// every parser is bounded in size, depth and count, and every error is a fault that names the
// file, line and field, and says what to do.
package catalog
