// Package render turns a tree of files and the path of a kustomize overlay into a catalog.
//
// In flows an [io/fs.FS] rooted at the root of a repository: a Git tree, a folder, or a test's
// map. Out flows a [catalog.Catalog] whose suites know the file that defines them. The package
// knows nothing of Git, clusters or forges, and writes nothing. [Diff] says what differs between
// two catalogs.
//
// The tree is hostile. Before kustomize runs, every reachable kustomization is read and
// whatever would reach out of the tree is refused, since kustomize itself can fetch over HTTP
// and start git however it is configured; kustomize then sees only files that were read, in
// memory, within limits of size, count, depth and time.
package render
