package git

import (
	"encoding/hex"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/assay-dev/assay/api/fault"
)

// parseCommit takes a full commit hash. Names and abbreviations are refused, as a host would
// answer them differently tomorrow.
func parseCommit(s string) (plumbing.Hash, error) {
	if _, err := hex.DecodeString(s); err != nil || len(s) != 40 && len(s) != 64 || s != strings.ToLower(s) {
		return plumbing.ZeroHash, fault.New(fault.InvalidSpec, fault.Place{}, "give the full hash", "%q is no commit hash", clip(s))
	}
	if len(s) == 64 {
		return plumbing.ZeroHash, fault.New(fault.InvalidSpec, fault.Place{Commit: s}, "", "repositories with SHA-256 object names are not supported")
	}
	return plumbing.NewHash(s), nil
}

// parsePath takes a path inside a repository apart; "" and "." are the root.
func parsePath(path string) ([]string, error) {
	if path == "" || path == "." {
		return nil, nil
	}
	parts := strings.Split(path, "/")
	if !fs.ValidPath(path) || len(path) > maxPath {
		return nil, badPath(path)
	}
	for _, part := range parts {
		if !validName(part) {
			return nil, badPath(path)
		}
	}
	return parts, nil
}

func badPath(path string) error {
	return fault.New(fault.InvalidSpec, fault.Place{}, "give a path below the root of the repository, with forward slashes", "%q is no path in a repository", clip(path))
}

// maxPath is PATH_MAX of Linux.
const maxPath = 4096

// validName says whether a name may stand in a tree that is handed out. Git itself refuses
// "..", ".git" and slashes; invalid UTF-8 and backslashes have no place in an [fs.FS] or in a
// path of another system.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.EqualFold(name, ".git") &&
		utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || r == '\\' || unicode.IsControl(r)
	})
}

// clip shortens foreign text for a message.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
