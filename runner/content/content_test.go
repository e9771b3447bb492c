package content_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner/content"
)

var tree = fstest.MapFS{
	"README.md":           {Data: []byte("read me")},
	"tests/run.sh":        {Data: []byte("#!/bin/sh\n"), Mode: 0o755, ModTime: time.Unix(1, 0)},
	"tests/load/a.js":     {Data: []byte("a")},
	"tests/load/empty":    {},
	"tests/load-more/b":   {Data: []byte("b")},
	"tests/nested/x/y/z":  {Data: bytes.Repeat([]byte("z"), 2000)},
	"services/api/api.go": {Data: []byte("package api")},
}

func pack(t *testing.T, tree fs.FS, paths ...string) (data []byte, digest string) {
	t.Helper()
	var b bytes.Buffer
	digest, err := content.Pack(&b, tree, paths, content.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), digest
}

func TestThePodGetsWhatItsPathsName(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		want  []string
	}{
		{"a folder", []string{"tests/load"}, []string{"tests/load/a.js 0644", "tests/load/empty 0644"}},
		{"a file keeps its executable bit", []string{"tests/run.sh"}, []string{"tests/run.sh 0755"}},
		{"paths that overlap give each file once", []string{"tests/load", "tests/load/a.js", "tests/load"},
			[]string{"tests/load/a.js 0644", "tests/load/empty 0644"}},
		{"everything", []string{"."}, []string{"README.md 0644", "services/api/api.go 0644", "tests/load/a.js 0644",
			"tests/load/empty 0644", "tests/load-more/b 0644", "tests/nested/x/y/z 0644", "tests/run.sh 0755"}},
		{"no paths, no files", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, digest := pack(t, tree, c.paths...)
			dir := t.TempDir()
			if err := content.Unpack(bytes.NewReader(data), dir, digest, content.Limits{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, list(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// list gives names and modes, and compares the bytes with the tree.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		info, err := e.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, tree[name].Data) {
			t.Errorf("%s: %q", name, data)
		}
		got = append(got, fmt.Sprintf("%s %04o", name, info.Mode().Perm()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheDigestDependsOnNamesBytesAndExecutableBitsOnly(t *testing.T) {
	_, digest := pack(t, tree, "tests")
	for _, c := range []struct {
		name   string
		change func(fstest.MapFS)
		same   bool
	}{
		{"times", func(m fstest.MapFS) { m["tests/load/a.js"].ModTime = time.Unix(9, 9) }, true},
		{"other mode bits", func(m fstest.MapFS) { m["tests/load/a.js"].Mode = 0o600 }, true},
		{"a file elsewhere", func(m fstest.MapFS) { m["README.md"].Data = nil }, true},
		{"the executable bit", func(m fstest.MapFS) { m["tests/load/a.js"].Mode = 0o755 }, false},
		{"a byte", func(m fstest.MapFS) { m["tests/load/a.js"].Data = []byte("A") }, false},
		{"a name", func(m fstest.MapFS) { m["tests/load/A.js"] = m["tests/load/a.js"]; delete(m, "tests/load/a.js") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := fstest.MapFS{}
			for name, file := range tree {
				f := *file
				changed[name] = &f
			}
			c.change(changed)
			if _, got := pack(t, changed, "tests"); (got == digest) != c.same {
				t.Errorf("same digest: %v", got == digest)
			}
		})
	}
}

func TestPackRefuses(t *testing.T) {
	links := fstest.MapFS{"tests/link": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}, "tests/a": {Data: make([]byte, 100)}, "tests/b": {Data: make([]byte, 100)}}
	for _, c := range []struct {
		name   string
		paths  []string
		limits content.Limits
		want   fault.Reason
	}{
		{"a path that is not there", []string{"tests/none"}, content.Limits{}, fault.InvalidCatalog},
		{"a path that leads out", []string{"../etc"}, content.Limits{}, fault.InvalidCatalog},
		{"an absolute path", []string{"/etc"}, content.Limits{}, fault.InvalidCatalog},
		{"a symlink", []string{"tests"}, content.Limits{}, fault.SymlinkRefused},
		{"too many files", []string{"tests/a", "tests/b"}, content.Limits{Files: 1}, fault.LimitExceeded},
		{"too many bytes", []string{"tests/a", "tests/b"}, content.Limits{Bytes: 199}, fault.LimitExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := content.Pack(&b, links, c.paths, c.limits)
			if err == nil || fault.ReasonOf(err) != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written before", b.Len())
			}
		})
	}
}

// digestOf is the true digest of a tar.
func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// hostile makes a tar with its true digest.
func hostile(t testing.TB, headers ...tar.Header) (data []byte, digest string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), digestOf(b.Bytes())
}

func file(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 10, Mode: 0o644}
}

// hostileTars are refused with limits of three files and 4000 bytes.
var hostileTars = []struct {
	name    string
	headers []tar.Header
	want    fault.Reason
}{
	{"a name that leads out", []tar.Header{file("ok"), file("../evil")}, fault.ContentFailed},
	{"a name that leads out in its middle", []tar.Header{file("a/../../evil")}, fault.ContentFailed},
	{"an absolute name", []tar.Header{file("/evil")}, fault.ContentFailed},
	{"a symlink", []tar.Header{file("ok"), {Typeflag: tar.TypeSymlink, Name: "l", Linkname: ".."}, file("l/evil")}, fault.ContentFailed},
	{"a hard link", []tar.Header{{Typeflag: tar.TypeLink, Name: "l", Linkname: "/etc/passwd"}}, fault.ContentFailed},
	{"a device", []tar.Header{{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}}, fault.ContentFailed},
	{"a file given twice", []tar.Header{file("a"), file("a")}, fault.ContentFailed},
	{"a file that is a folder before", []tar.Header{file("a"), file("a/b")}, fault.ContentFailed},
	{"too many files", []tar.Header{file("a"), file("b"), file("c"), file("d")}, fault.LimitExceeded},
	{"too many bytes", []tar.Header{{Typeflag: tar.TypeReg, Name: "a", Size: 5000}}, fault.LimitExceeded},
}

func TestUnpackRefusesAndLeavesNothing(t *testing.T) {
	for _, c := range hostileTars {
		t.Run(c.name, func(t *testing.T) {
			outer := t.TempDir()
			dir := filepath.Join(outer, "dir")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			data, digest := hostile(t, c.headers...)
			err := content.Unpack(bytes.NewReader(data), dir, digest, content.Limits{Files: 3, Bytes: 4000})
			if err == nil || fault.ReasonOf(err) != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if left := list(t, outer); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestUnpackChecksTheDigest(t *testing.T) {
	data, digest := pack(t, tree, "tests")
	for name, r := range map[string]io.Reader{
		"a changed byte":      bytes.NewReader(bytes.Replace(data, []byte("zz"), []byte("yz"), 1)),
		"bytes after the end": io.MultiReader(bytes.NewReader(data), strings.NewReader("more")),
		"a cut tar":           bytes.NewReader(data[:len(data)/2]),
		"an empty body":       strings.NewReader(""),
		"a reader that fails": io.MultiReader(bytes.NewReader(data[:600]), fails{}),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := content.Unpack(r, dir, digest, content.Limits{})
			if err == nil || fault.ReasonOf(err) != fault.ContentFailed {
				t.Fatalf("got %v", err)
			}
			if left := list(t, dir); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

type fails struct{}

func (fails) Read([]byte) (int, error) { return 0, errors.New("line is cut") }

func BenchmarkPack(b *testing.B) {
	big := fstest.MapFS{}
	for i := range 1000 {
		big[fmt.Sprintf("tests/%d/file", i)] = &fstest.MapFile{Data: bytes.Repeat([]byte{byte(i)}, 10_000)}
	}
	b.SetBytes(10_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := content.Pack(io.Discard, big, []string{"tests"}, content.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
