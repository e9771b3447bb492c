// Package admission has the test of the admission policies beside it, on a real API server.
package admission
