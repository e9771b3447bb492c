package content

import (
	"archive/tar"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/assay-dev/assay/api/fault"
)

// Unpack reads a tar that Pack wrote into dir, an empty folder that exists, and checks it against the digest. After an
// error dir is empty again. Every error is a fault: LimitExceeded for the limits, else ContentFailed, also for a tar
// that Pack would not write.
func Unpack(r io.Reader, dir, digest string, limits Limits) error {
	limits = limits.withDefaults()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return failed("%w", err)
	}
	defer root.Close()

	u := unpacking{root: root, hash: newHash(), limits: limits}
	if err := u.run(r, digest); err != nil {
		return errors.Join(err, clear(root))
	}
	return nil
}

type unpacking struct {
	root   *os.Root
	hash   hash.Hash
	limits Limits
}

func (u *unpacking) run(r io.Reader, digest string) error {
	bounded := &io.LimitedReader{R: r, N: u.limits.tarBytes()}
	r = io.TeeReader(bounded, u.hash)
	in := tar.NewReader(r)
	left := u.limits.Bytes
	for count := 1; ; count++ {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return failed("the content is no tar: %w", err)
		}
		left -= header.Size
		if err := u.check(header, count, left); err != nil {
			return err
		}
		if err := u.write(header, in); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // what follows the end of the tar is in the digest too
		return failed("the content breaks off: %w", err)
	}
	if got := digestOf(u.hash); got != digest {
		return failed("the content is %s, not %s", got, digest)
	}
	return nil
}

func (u *unpacking) check(header *tar.Header, count int, left int64) error {
	switch {
	case header.Typeflag != tar.TypeReg:
		return failed("%.100q in the content is no file", header.Name)
	case !fs.ValidPath(header.Name) || header.Name == "." || len(header.Name) > maxName:
		return failed("%.100q in the content is no name of a file", header.Name)
	case count > u.limits.Files:
		return fault.New(fault.LimitExceeded, fault.Place{}, "", "the content has more than %d files", u.limits.Files)
	case left < 0 || header.Size < 0:
		return fault.New(fault.LimitExceeded, fault.Place{}, "", "the content has more than %d bytes", u.limits.Bytes)
	}
	return nil
}

// write creates the file; os.Root sees to it that no name leads outside.
func (u *unpacking) write(header *tar.Header, in io.Reader) error {
	if err := u.root.MkdirAll(path.Dir(header.Name), 0o755); err != nil {
		return failed("%w", err)
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := u.root.OpenFile(header.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return failed("%w", err)
	}
	_, err = io.Copy(f, in)
	if err := errors.Join(err, f.Close()); err != nil {
		return failed("%.100q in the content cannot be written: %w", header.Name, err)
	}
	return nil
}

func clear(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, root.RemoveAll(e.Name()))
	}
	return errors.Join(errs...)
}

func failed(format string, args ...any) error {
	return fault.New(fault.ContentFailed, fault.Place{}, "", format, args...)
}
