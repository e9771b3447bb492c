package image

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

const architecture = runtime.GOARCH

// Directory lists a folder of the host as files below target. Symbolic links stay links; owners become root.
func Directory(target, source string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		file := File{Path: path.Join(target, filepath.ToSlash(relative))}
		switch {
		case entry.IsDir():
			file.Mode = info.Mode()
		case info.Mode()&fs.ModeSymlink != 0:
			if file.Link, err = os.Readlink(name); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			file.Source, file.Mode = name, info.Mode()
		default:
			return nil // sockets and devices have no place in an image
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("folder %q: %w", source, err)
	}
	return files, nil
}

// CACertificates is Debian's bundle at the place where Go and OpenSSL look for it.
func CACertificates() File {
	return File{Path: "/etc/ssl/certs/ca-certificates.crt", Source: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644}
}

// Accounts are the users root and nonroot (65532), a world-writable /tmp and nonroot's home.
func Accounts() []File {
	return []File{
		{Path: "/etc/passwd", Content: []byte("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")},
		{Path: "/etc/group", Content: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{Path: "/home/nonroot", Mode: fs.ModeDir | 0o755, UID: 65532, GID: 65532},
		{Path: "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
}

// Busybox is Debian's static busybox with a link for every applet, and Accounts. Its wget crashes, with names and with
// addresses: a static glibc has no name service to load. nc, nslookup and httpd work.
func Busybox() ([]File, error) {
	const busybox = "/bin/busybox"
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list applets: %w: install busybox-static", err)
	}
	files := []File{{Path: busybox, Source: busybox, Mode: 0o755}}
	for _, applet := range strings.Fields(string(list)) {
		if applet != "busybox" {
			files = append(files, File{Path: "/bin/" + applet, Link: busybox})
		}
	}
	return append(files, Accounts()...), nil
}
