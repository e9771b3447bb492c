package render

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// memory is the file system that kustomize gets: the files that were scanned, and nothing
// else. It is read only and safe for concurrent use. kustomize's own file system in memory
// refuses names with spaces, so it won't do. Once the context is done nothing is there any more,
// which is as near to interrupting kustomize as one can get.
type memory struct {
	ctx   context.Context   // kustomize passes none on
	files map[string][]byte // by path without the leading slash
	dirs  map[string]bool
}

var _ filesys.FileSystem = memory{}

func newMemory(ctx context.Context, files map[string][]byte) memory {
	m := memory{ctx: ctx, files: files, dirs: map[string]bool{".": true}}
	for name := range files {
		for dir := path.Dir(name); !m.dirs[dir]; dir = path.Dir(dir) {
			m.dirs[dir] = true
		}
	}
	return m
}

func key(name string) string {
	return path.Clean(strings.TrimPrefix(path.Clean("/"+name), "/"))
}

// ReadFile gives the content of a file.
func (m memory) ReadFile(name string) ([]byte, error) {
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	data, ok := m.files[key(name)]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return append([]byte(nil), data...), nil
}

// Exists says whether there is a file or a folder of the name.
func (m memory) Exists(name string) bool {
	_, isFile := m.files[key(name)]
	return isFile || m.IsDir(name)
}

// IsDir says whether there is a folder of the name.
func (m memory) IsDir(name string) bool { return m.dirs[key(name)] }

// CleanedAbs splits a path in its folder and its file; the file is empty for a folder.
func (m memory) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	if err := m.ctx.Err(); err != nil {
		return "", "", err
	}
	k := key(name)
	if m.dirs[k] {
		return filesys.ConfirmedDir(path.Join("/", k)), "", nil
	}
	if _, ok := m.files[k]; ok {
		return filesys.ConfirmedDir(path.Join("/", path.Dir(k))), path.Base(k), nil
	}
	return "", "", &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
}

var errReadOnly = errors.New("the file system is read only")

// The rest of the interface is not needed to render.

func (m memory) Create(string) (filesys.File, error)  { return nil, errReadOnly }
func (m memory) Mkdir(string) error                   { return errReadOnly }
func (m memory) MkdirAll(string) error                { return errReadOnly }
func (m memory) RemoveAll(string) error               { return errReadOnly }
func (m memory) WriteFile(string, []byte) error       { return errReadOnly }
func (m memory) Open(string) (filesys.File, error)    { return nil, errReadOnly }
func (m memory) ReadDir(string) ([]string, error)     { return nil, errReadOnly }
func (m memory) Glob(string) ([]string, error)        { return nil, errReadOnly }
func (m memory) Walk(string, filepath.WalkFunc) error { return errReadOnly }
