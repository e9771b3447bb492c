// Package rbac has the test of the roles beside it: each right has what needs it, and nothing else.
package rbac
