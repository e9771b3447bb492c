package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	source := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(source, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func() []byte {
		path := filepath.Join(t.TempDir(), "image.tar")
		err := Write(path, Spec{
			Tag: "assay.dev/test:dev", Files: append(Accounts(), File{Path: "/app/binary", Source: source}),
			Entrypoint: []string{"/app/binary"}, Env: []string{"A=1", "B=2"}, User: "65532", Labels: map[string]string{"x": "y", "a": "b"},
		})
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	if !bytes.Equal(write(), write()) {
		t.Error("two builds differ")
	}
}

func TestFilesModesAndOwners(t *testing.T) {
	source := t.TempDir()
	if err := os.MkdirAll(filepath.Join(source, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "sub", "script"), []byte("x"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub/script", filepath.Join(source, "link")); err != nil {
		t.Fatal(err)
	}
	folder, err := Directory("/work", source)
	if err != nil {
		t.Fatal(err)
	}
	built, err := Build(Spec{Files: append(Accounts(), append(folder, File{Path: "/work/sub/script", Content: []byte("later wins"), Mode: 0o700})...)})
	if err != nil {
		t.Fatal(err)
	}
	got := entries(t, built)
	for path, want := range map[string]tar.Header{
		"work":            {Typeflag: tar.TypeDir, Mode: 0o755},
		"work/sub/script": {Typeflag: tar.TypeReg, Mode: 0o700, Size: int64(len("later wins"))},
		"work/link":       {Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "sub/script"},
		"tmp":             {Typeflag: tar.TypeDir, Mode: 0o1777},
		"home/nonroot":    {Typeflag: tar.TypeDir, Mode: 0o755, Uid: 65532, Gid: 65532},
	} {
		header, present := got[path]
		if !present {
			t.Errorf("%s is missing", path)
			continue
		}
		reduced := tar.Header{Typeflag: header.Typeflag, Mode: header.Mode, Size: header.Size, Linkname: header.Linkname, Uid: header.Uid, Gid: header.Gid}
		if diff := cmp.Diff(want, reduced); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestABaseIsExtended(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base.tar")
	err := Write(base, Spec{
		Tag: "assay.dev/base:dev", Files: []File{{Path: "/base", Content: []byte("base")}},
		Entrypoint: []string{"/base"}, Env: []string{"KEPT=1", "CHANGED=old"}, User: "1000",
	})
	if err != nil {
		t.Fatal(err)
	}
	top := filepath.Join(t.TempDir(), "top.tar")
	err = Write(top, Spec{Tag: "assay.dev/top:dev", Base: base, Files: []File{{Path: "/top", Content: []byte("top")}}, Env: []string{"CHANGED=new"}, Workdir: "/top"})
	if err != nil {
		t.Fatal(err)
	}
	built, err := tarball.ImageFromPath(top, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := entries(t, built)
	for _, path := range []string{"base", "top"} {
		if _, present := got[path]; !present {
			t.Errorf("%s is missing", path)
		}
	}
	file, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{Entrypoint: []string{"/base"}, Env: []string{"KEPT=1", "CHANGED=new"}, User: "1000", WorkingDir: "/top"}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedBuildLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]Spec{
		"bad name":      {Tag: "UPPER CASE"},
		"missing file":  {Tag: "a/b:c", Files: []File{{Path: "/x", Source: filepath.Join(t.TempDir(), "none")}}},
		"relative path": {Tag: "a/b:c", Files: []File{{Path: "x"}}},
		"missing base":  {Tag: "a/b:c", Base: filepath.Join(t.TempDir(), "none.tar")},
	} {
		if err := Write(path, spec); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "old" {
		t.Errorf("the file now holds %q, %v", content, err)
	}
}

func entries(t *testing.T, built v1.Image) map[string]*tar.Header {
	t.Helper()
	flat := mutate.Extract(built)
	defer flat.Close()
	found := map[string]*tar.Header{}
	reader := tar.NewReader(flat)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(header.Name, "/")] = header
	}
}
