package git_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a real one on disk, written with the git binary.
type repository struct {
	t   testing.TB
	dir string // its work tree
}

func newRepository(t testing.TB) *repository {
	t.Helper()
	r := &repository{t, filepath.Join(t.TempDir(), "repo")}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "-b", "main")
	r.git("config", "uploadpack.allowFilter", "true")
	return r
}

func (r *repository) git(args ...string) string { return r.feed("", args...) }

// feed runs git with something on its standard input, and gives what it says.
func (r *repository) feed(input string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = gitEnv()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// gitEnv keeps the configuration of whoever runs the tests out.
func gitEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_ALLOW_PROTOCOL=file",
	}
}

// write puts files on disk; no content removes one.
func (r *repository) write(files map[string]string) {
	r.t.Helper()
	for name, content := range files {
		full := filepath.Join(r.dir, name)
		if content == "" {
			if err := os.Remove(full); err != nil {
				r.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
}

// commit records files and gives the hash.
func (r *repository) commit(files map[string]string) string {
	r.t.Helper()
	r.write(files)
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "change")
	return r.git("rev-parse", "HEAD")
}

// entry is a line of a tree.
type entry struct{ mode, name, hash string }

// tree writes a tree object as it stands, however wrong it is.
func (r *repository) tree(entries ...entry) string {
	r.t.Helper()
	var raw strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&raw, "%s %s\x00", e.mode, e.name)
		var hash []byte
		if _, err := fmt.Sscanf(e.hash, "%x", &hash); err != nil {
			r.t.Fatal(err)
		}
		raw.Write(hash)
	}
	return r.object("tree", raw.String())
}

func (r *repository) blob(content string) string { return r.object("blob", content) }

// object writes one without asking git, which takes its time for each.
func (r *repository) object(kind, content string) string {
	r.t.Helper()
	raw := fmt.Sprintf("%s %d\x00%s", kind, len(content), content)
	hash := fmt.Sprintf("%x", sha1.Sum([]byte(raw)))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err := z.Write([]byte(raw))
	if err := errors.Join(err, z.Close()); err != nil {
		r.t.Fatal(err)
	}
	file := filepath.Join(r.dir, ".git", "objects", hash[:2], hash[2:])
	if _, err := os.Stat(file); err == nil {
		return hash
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, packed.Bytes(), 0o444)); err != nil {
		r.t.Fatal(err)
	}
	return hash
}

// point makes a commit of a tree and has main point to it.
func (r *repository) point(tree string) string {
	r.t.Helper()
	hash := r.object("commit", fmt.Sprintf("tree %s\nauthor a <a@example.org> 1 +0000\ncommitter a <a@example.org> 1 +0000\n\nhostile\n", tree))
	r.git("update-ref", "refs/heads/main", hash)
	return hash
}
