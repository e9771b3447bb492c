// Package examples holds the tests of what is below it: a shop with suites (shop, a repository
// of its own), what a platform team gives it (platform), the images of both (images), and the
// program that shows them at work (demo).
package examples
