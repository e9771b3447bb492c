// Package githubapp gets installation tokens of GitHub Apps, which are the password for Git
// and the token for the API.
//
// An [App] (who it is, its private key, and how GitHub is reached) flows in; a token that is
// good for at least five minutes flows out. Tokens are kept in memory until then, and are
// asked for once however many callers want one. Errors are faults of api/fault and hold
// neither key nor token.
//
// The exchange is two requests, which are written here rather than taken from a client
// library of GitHub: proxy, authorities, bounds, the margin and the faults are the product's
// own. The JSON Web Token, where mistakes are dangerous, is made by golang-jwt.
//
// The package knows nothing of Git, repositories or clusters.
package githubapp
