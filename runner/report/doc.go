// Package report turns the bytes that a test tool wrote into one [Report].
//
// In: a reader, a [Format], [Limits]. Out: the cases with their status, duration and texts, or an [Error] that tells a
// missing, an empty, a foreign and an oversized file apart. It knows nothing of pods, runs, forges or verdicts.
//
// The input is hostile. A parser never panics, reads at most Limits.Bytes, keeps one case in memory beside the result,
// and gives texts that are valid UTF-8 without escape sequences or control characters other than newline and tab.
// It is also tolerant: what real tools get wrong (charsets, cut files, odd numbers, counters that lie) costs a warning,
// not the report.
//
// A new format is one file with a [Parser] and one line in formats.go.
package report
