// Command seedgo is the go of the Go image: it fills an empty build cache with what the image
// has compiled already, and becomes the real go.
//
// go cannot work on the image's cache itself, since it fails to write where the file system is
// read-only, as in a test pod. Compiled packages are linked to and small index entries copied,
// which takes some 30 ms.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	realGo = "/usr/local/go/bin/go"
	filled = "/var/cache/go-build"
)

func main() {
	cache := cacheFolder()
	if err := seed(cache); err != nil {
		fmt.Fprintln(os.Stderr, "go: the build cache stays empty:", err)
	}
	if err := os.Setenv("GOCACHE", cache); err != nil {
		fail(err)
	}
	fail(syscall.Exec(realGo, append([]string{realGo}, os.Args[1:]...), os.Environ()))
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "go: %s: %v\n", realGo, err)
	os.Exit(2)
}

// cacheFolder is where go would have its cache; below /tmp for a user without a home.
func cacheFolder() string {
	if cache := os.Getenv("GOCACHE"); cache != "" {
		return cache
	}
	if cache, err := os.UserCacheDir(); err == nil && os.MkdirAll(cache, 0o777) == nil {
		return filepath.Join(cache, "go-build")
	}
	return "/tmp/go-build"
}

// seed fills the cache unless it exists. An entry is a data file (-d) and an index file (-a).
func seed(cache string) error {
	if err := os.MkdirAll(filepath.Dir(cache), 0o777); err != nil {
		return err
	}
	if err := os.Mkdir(cache, 0o777); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return filepath.WalkDir(filled, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == filled {
			return err
		}
		target := filepath.Join(cache, strings.TrimPrefix(name, filled))
		switch {
		case entry.IsDir():
			return os.Mkdir(target, 0o777)
		case strings.HasSuffix(name, "-d"):
			return os.Symlink(name, target)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o666)
	})
}
