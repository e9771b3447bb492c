// Package image writes container images without a container engine or a registry: files in, a docker-archive tar out, the
// same bytes for the same input. `devcluster load` and `docker load` both read it.
package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Spec describes an image from scratch.
type Spec struct {
	Tag        string            // full reference; one without a registry gets docker.io as Kubernetes reads it
	Base       string            // docker-archive tar to build on; empty means scratch
	Files      []File            // later ones win over earlier ones of the same path
	Entrypoint []string          // nil keeps the base's
	Cmd        []string          // nil keeps the base's
	Env        []string          // KEY=VALUE, added to the base's
	User       string            // "65532" or "65532:65532"; empty keeps the base's
	Workdir    string            // empty keeps the base's
	Labels     map[string]string // added to the base's
}

// File is one entry of the image: from the host's Source, with given Content, or a symbolic link.
type File struct {
	Path    string      // absolute, in the image
	Source  string      // file on the host
	Content []byte      // used when Source and Link are empty
	Link    string      // target of a symbolic link
	Mode    fs.FileMode // permission bits and fs.ModeDir for a folder; 0 takes the source's, or 0644
	UID     int
	GID     int
}

// Write builds the image into a docker-archive tar at path. An existing file is replaced only by a whole one.
func Write(archive string, spec Spec) error {
	reference, err := name.NewTag(spec.Tag)
	if err != nil {
		return fmt.Errorf("image name: %w", err)
	}
	built, err := Build(spec)
	if err != nil {
		return fmt.Errorf("image %q: %w", spec.Tag, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(archive), ".image-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()
	if err := tarball.Write(reference, built, temporary); err != nil {
		return fmt.Errorf("image %q: %w", spec.Tag, err)
	}
	return errors.Join(temporary.Chmod(0o644), os.Rename(temporary.Name(), archive))
}

// Build makes the image in memory.
func Build(spec Spec) (v1.Image, error) {
	var base v1.Image = empty.Image
	if spec.Base != "" {
		var err error
		if base, err = tarball.ImageFromPath(spec.Base, nil); err != nil {
			return nil, fmt.Errorf("base %q: %w", spec.Base, err)
		}
	}
	content, err := layer(spec.Files)
	if err != nil {
		return nil, err
	}
	added, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return nil, err
	}
	built, err := mutate.AppendLayers(base, added)
	if err != nil {
		return nil, err
	}
	file, err := built.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", architecture
	configure(&file.Config, spec)
	return mutate.ConfigFile(built, file)
}

func configure(config *v1.Config, spec Spec) {
	if spec.Entrypoint != nil {
		config.Entrypoint, config.Cmd = spec.Entrypoint, nil
	}
	if spec.Cmd != nil {
		config.Cmd = spec.Cmd
	}
	if spec.User != "" {
		config.User = spec.User
	}
	if spec.Workdir != "" {
		config.WorkingDir = spec.Workdir
	}
	for _, variable := range spec.Env {
		key, _, _ := strings.Cut(variable, "=")
		config.Env = slices.DeleteFunc(config.Env, func(old string) bool { return strings.HasPrefix(old, key+"=") })
		config.Env = append(config.Env, variable)
	}
	for key, value := range spec.Labels {
		if config.Labels == nil {
			config.Labels = map[string]string{}
		}
		config.Labels[key] = value
	}
}

// layer writes the files and their parent folders as a tar, sorted and with the time at zero.
func layer(files []File) ([]byte, error) {
	byPath := map[string]File{}
	for _, file := range files {
		if !path.IsAbs(file.Path) {
			return nil, fmt.Errorf("file %q: want an absolute path in the image", file.Path)
		}
		file.Path = path.Clean(file.Path)
		byPath[file.Path] = file
		for parent := path.Dir(file.Path); parent != "/"; parent = path.Dir(parent) {
			if _, known := byPath[parent]; !known {
				byPath[parent] = File{Path: parent, Mode: fs.ModeDir | 0o755}
			}
		}
	}
	var paths []string
	for path := range byPath {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, path := range paths {
		if path == "/" {
			continue
		}
		if err := writeEntry(writer, byPath[path]); err != nil {
			return nil, fmt.Errorf("file %q: %w", path, err)
		}
	}
	return buffer.Bytes(), writer.Close()
}

func writeEntry(writer *tar.Writer, file File) error {
	header := &tar.Header{
		Name: strings.TrimPrefix(file.Path, "/"), ModTime: time.Unix(0, 0), Uid: file.UID, Gid: file.GID,
		Mode: modeBits(file.Mode), Format: tar.FormatPAX,
	}
	switch {
	case file.Link != "":
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, file.Link, 0o777
		return writer.WriteHeader(header)
	case file.Mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return writer.WriteHeader(header)
	case file.Source == "":
		header.Typeflag, header.Size = tar.TypeReg, int64(len(file.Content))
		if file.Mode == 0 {
			header.Mode = 0o644
		}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		_, err := writer.Write(file.Content)
		return err
	}
	source, err := os.Open(file.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", file.Source)
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if file.Mode == 0 {
		header.Mode = modeBits(info.Mode())
	}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(writer, source)
	return err
}

// modeBits are the permission bits as tar has them, with setuid, setgid and sticky.
func modeBits(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for flag, bit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}
