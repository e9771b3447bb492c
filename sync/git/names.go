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
	return name != "" && name != "." && name != ".." && !isDotGit(name) &&
		utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || r == '\\' || unicode.IsControl(r)
	})
}

// isDotGit says whether a file system somewhere takes the name for .git: in any case, without
// what HFS+ does not see, and with what NTFS leaves off the end or calls it for short.
func isDotGit(name string) bool {
	name = strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x206a && r <= 0x206f || r == 0xfeff {
			return -1
		}
		return r
	}, name))
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, ". ")
	return name == ".git" || name == "git~1"
}

// clip shortens foreign text for a message that quotes it.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// said is clip for a message that does not quote: without what a terminal would obey.
func said(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, clip(strings.ToValidUTF8(s, ""))))
}
