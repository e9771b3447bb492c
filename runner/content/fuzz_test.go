package content_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner/content"
)

// FuzzUnpack: whatever a tar says, nothing is written outside the folder, nothing is left in it
// after a fault, and what is taken is what another reader finds in the tar, within the limits.
// The checksums of headers are made right before, or hardly any change would get further.
func FuzzUnpack(f *testing.F) {
	limits := content.Limits{Files: 3, Bytes: 2000}
	for _, paths := range []string{"tests/load", "tests/run.sh"} {
		var b bytes.Buffer
		if _, err := content.Pack(&b, tree, []string{paths}, content.Limits{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	for _, c := range hostileTars {
		data, _ := hostile(f, c.headers...)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 8 << 10 // what is longer is slower and no different
		data = signed(data[:min(len(data), most)])
		outer := t.TempDir()
		dir := filepath.Join(outer, "in", "dir")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		err := content.Unpack(bytes.NewReader(data), dir, digestOf(data), limits)
		want := map[string]string{}
		if err == nil {
			want = inTar(t, data)
		} else {
			checkFault(t, err)
		}
		if diff := cmp.Diff(want, below(t, outer, "in/dir/")); diff != "" {
			t.Errorf("after %v (-in the tar +written):\n%s", err, diff)
		}
		if n := len(strings.Join(texts(want), "")); len(want) > limits.Files || int64(n) > limits.Bytes {
			t.Errorf("%d files of %d bytes, the limits are %+v", len(want), n, limits)
		}
	})
}

// checkFault holds an error to what Unpack promises of it.
func checkFault(t *testing.T, err error) {
	t.Helper()
	for _, f := range fault.All(err) {
		if f.Reason != fault.LimitExceeded && f.Reason != fault.ContentFailed {
			t.Errorf("got %s: %v", f.Reason, f)
		}
	}
}

// signed gives the tar with the right checksum in every header that a reader would come to.
func signed(data []byte) []byte {
	const block = 512
	data = bytes.Clone(data)
	for at := 0; at+block <= len(data); {
		header := data[at : at+block]
		at += block
		if len(bytes.Trim(header, "\x00")) == 0 {
			continue
		}
		copy(header[148:], "        ")
		sum := 0
		for _, c := range header {
			sum += int(c)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		size, err := strconv.ParseUint(strings.Trim(string(header[124:136]), " \x00"), 8, 32)
		if err == nil {
			at += int(size+block-1) / block * block
		}
	}
	return data
}

// inTar reads the files of a tar as plainly as can be.
func inTar(t *testing.T, data []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatalf("what was taken is no tar: %v", err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("what was taken breaks off: %v", err)
		}
		files[header.Name] = string(content)
	}
}

// below reads all files of a folder by their paths from the prefix, and from the folder where
// they are not below the prefix.
func below(t *testing.T, folder, prefix string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode(); mode != 0o644 && mode != 0o755 {
			t.Errorf("%s has the mode %s", name, mode)
		}
		content, err := os.ReadFile(name)
		files[strings.TrimPrefix(strings.TrimPrefix(name, folder+"/"), prefix)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func texts(m map[string]string) []string {
	var all []string
	for _, text := range m {
		all = append(all, text)
	}
	return all
}
