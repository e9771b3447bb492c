// Package signature says whether a commit was signed by somebody who may.
//
// A commit as Git stores it, the public keys that may sign (PGP and SSH, from a Secret) and
// the time flow in; nothing, or a SignatureInvalid fault that names the commit, what is wrong
// and the remedy, flows out. Everything here is a function of values: no clock, no network.
//
// The cryptography is ProtonMail's go-crypto and sshsig. Both the commit and its signature are
// hostile; sizes are bound, and weak hashes are refused. A key counts while it is good now:
// the time inside a commit or signature is its author's to choose.
//
// The package knows nothing of repositories, hosts or clusters.
package signature
