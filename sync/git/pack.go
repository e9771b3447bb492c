package git

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// store holds the objects of one operation in memory, within a budget. go-git's own storages
// are not used: its pack parser inflates whatever a pack declares, so a few kilobytes can
// cost gigabytes.
type store struct {
	limits  Limits
	left    int64 // bytes that may still be kept
	inflate int64 // bytes that may still be inflated, kept or not
	objects map[plumbing.Hash]stored
	// known holds what a host may send differences to without sending it; nil for nothing.
	known *pool
	// tooBig are blobs that were not kept, by their size. They matter only when a file asks
	// for one.
	tooBig map[plumbing.Hash]int64
	// unresolved says that a delta was dropped because it, its base or its result was too big,
	// so that a blob that is not there may be one that is too big.
	unresolved bool
}

type stored struct {
	kind    plumbing.ObjectType
	content []byte
}

// objectOverhead is what an object costs beside its content, so that a pack of a million
// empty objects costs something.
const objectOverhead = 256

// structureBytes bounds one commit, tree or delta; the tree of a folder with 500,000 files has
// about this size.
const structureBytes = 32 << 20

func newStore(limits Limits) *store {
	return &store{
		limits: limits, left: limits.PackBytes, inflate: 16 * limits.PackBytes,
		objects: map[plumbing.Hash]stored{}, tooBig: map[plumbing.Hash]int64{},
	}
}

// read gives the content of an object of the kind; see [source].
func (s *store) read(kind plumbing.ObjectType, hash plumbing.Hash, most int64) ([]byte, error) {
	o, ok := s.objects[hash]
	size, big := s.tooBig[hash]
	switch {
	case ok && o.kind == kind && int64(len(o.content)) > most:
		return nil, tooBigError{int64(len(o.content))}
	case ok && o.kind == kind:
		return o.content, nil
	case big:
		return nil, tooBigError{size}
	case !ok && s.unresolved:
		return nil, tooBigError{}
	}
	return nil, plumbing.ErrObjectNotFound
}

// unpack takes in all objects of a pack. It is bound by ctx between objects, and by the
// budget within one.
func (s *store) unpack(ctx context.Context, r io.Reader) error {
	u := &unpacker{
		store: s, scanner: packfile.NewScanner(onlyReader{r}), at: map[int64]plumbing.Hash{},
		onOffset: map[int64][]delta{}, onHash: map[plumbing.Hash][]delta{},
	}
	_, count, err := u.scanner.Header()
	if err != nil {
		return err
	}
	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := u.next(ctx); err != nil {
			return err
		}
	}
	if _, err := u.scanner.Checksum(); err != nil {
		return err
	}
	if (len(u.onOffset) > 0 || len(u.onHash) > 0) && !s.unresolved {
		return fmt.Errorf("%w: a delta without its base", packfile.ErrMalformedPackFile)
	}
	return nil
}

// onlyReader hides that a reader can seek, so that the scanner reads it once from start to end.
type onlyReader struct{ io.Reader }

// unpacker is the state of one pack.
type unpacker struct {
	*store
	scanner  *packfile.Scanner
	at       map[int64]plumbing.Hash // objects of this pack by their offset
	onOffset map[int64][]delta       // deltas that wait for their base
	onHash   map[plumbing.Hash][]delta
}

type delta struct {
	offset int64
	code   []byte
}

// next takes in the next object, and every delta that waited for it.
func (u *unpacker) next(ctx context.Context) error {
	h, err := u.scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	if u.inflate -= h.Length; u.inflate < 0 || h.Length < 0 {
		return limitError{"bytes of inflated objects in a pack", 16 * u.limits.PackBytes}
	}
	if h.Length > structureBytes || h.Type == plumbing.BlobObject && !u.worth(h.Length) {
		return u.drop(ctx, h)
	}
	content, err := u.content(h.Length)
	if err != nil {
		return err
	}
	switch h.Type {
	case plumbing.OFSDeltaObject:
		if base, ok := u.at[h.OffsetReference]; ok {
			return u.apply(base, delta{h.Offset, content})
		}
		u.onOffset[h.OffsetReference] = append(u.onOffset[h.OffsetReference], delta{h.Offset, content})
		return nil
	case plumbing.REFDeltaObject:
		if _, ok := u.objects[h.Reference]; ok {
			return u.apply(h.Reference, delta{h.Offset, content})
		}
		if base, ok := u.known.get(h.Reference); ok {
			return u.build(base, delta{h.Offset, content})
		}
		u.onHash[h.Reference] = append(u.onHash[h.Reference], delta{h.Offset, content})
		return nil
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return u.keep(h.Offset, stored{h.Type, content})
	}
	return fmt.Errorf("%w: no such type of object", packfile.ErrMalformedPackFile)
}

// worth says whether a blob is kept. One over the limit of a file is no use but as the base of
// a delta, which Git takes from similar files anywhere; so it is kept while there is room.
func (u *unpacker) worth(size int64) bool {
	return size <= u.limits.FileBytes || size <= structureBytes && size < u.left/2
}

func (u *unpacker) content(size int64) ([]byte, error) {
	if err := u.charge(size + objectOverhead); err != nil {
		return nil, err
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(size, 1<<20)))
	n, _, err := u.scanner.NextObject(buffer)
	if err == nil && n != size {
		err = fmt.Errorf("%w: an object is shorter than declared", packfile.ErrMalformedPackFile)
	}
	return buffer.Bytes(), err
}

func (u *unpacker) charge(n int64) error {
	if u.left -= n; u.left < 0 {
		return limitError{"bytes of objects in memory", u.limits.PackBytes}
	}
	return nil
}

// drop reads past an object that is too big to keep, noting the name of a blob.
func (u *unpacker) drop(ctx context.Context, h *packfile.ObjectHeader) error {
	if h.Type == plumbing.CommitObject || h.Type == plumbing.TreeObject || h.Type == plumbing.TagObject {
		return limitError{"bytes of a commit or folder", structureBytes}
	}
	if h.Type != plumbing.BlobObject {
		u.unresolved = true
		_, _, err := u.scanner.NextObject(untilDone{ctx, io.Discard})
		return err
	}
	hasher := plumbing.NewHasher(h.Type, h.Length)
	if _, _, err := u.scanner.NextObject(untilDone{ctx, hasher}); err != nil {
		return err
	}
	hash := hasher.Sum()
	u.tooBig[hash], u.at[h.Offset] = h.Length, hash
	u.unresolved = u.unresolved || len(u.onHash[hash]) > 0
	return nil
}

// untilDone stops a long copy when the time is up.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (w untilDone) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// keep files an object and then everything built on it. It works through a list rather than
// calling itself, as a chain of deltas can be as long as the pack.
func (u *unpacker) keep(offset int64, o stored) error {
	type found struct {
		offset int64
		object stored
	}
	for list := []found{{offset, o}}; len(list) > 0; {
		last := list[len(list)-1]
		list = list[:len(list)-1]
		hash := plumbing.ComputeHash(last.object.kind, last.object.content)
		u.objects[hash], u.at[last.offset] = last.object, hash
		waiting := append(u.onOffset[last.offset], u.onHash[hash]...)
		delete(u.onOffset, last.offset)
		delete(u.onHash, hash)
		for _, d := range waiting {
			result, err := u.patch(last.object, d)
			if errors.As(err, new(tooBigError)) {
				u.unresolved = true
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, found{d.offset, result})
		}
	}
	return nil
}

// apply builds a delta on a base that was seen before, which may have been too big to keep.
func (u *unpacker) apply(base plumbing.Hash, d delta) error {
	o, ok := u.objects[base]
	if !ok {
		u.unresolved = true
		return nil
	}
	return u.build(o, d)
}

// build keeps what a delta makes of its base, unless that is too big.
func (u *unpacker) build(base stored, d delta) error {
	result, err := u.patch(base, d)
	if errors.As(err, new(tooBigError)) {
		u.unresolved = true
		return nil
	}
	if err != nil {
		return err
	}
	return u.keep(d.offset, result)
}

func (u *unpacker) patch(base stored, d delta) (stored, error) {
	// A delta begins with the sizes of its base and of its result.
	_, n := binary.Uvarint(d.code)
	if n <= 0 {
		return stored{}, packfile.ErrInvalidDelta
	}
	size, n := binary.Uvarint(d.code[n:])
	if n <= 0 {
		return stored{}, packfile.ErrInvalidDelta
	}
	if size > structureBytes || base.kind == plumbing.BlobObject && !u.worth(int64(size)) {
		return stored{}, tooBigError{int64(min(size, 1<<62))}
	}
	u.left += int64(len(d.code)) // the result takes the place of the delta
	if err := u.charge(int64(size)); err != nil {
		return stored{}, err
	}
	content, err := packfile.PatchDelta(base.content, d.code)
	return stored{base.kind, content}, err
}

// tooBigError is an object over its limit; size is 0 when unknown.
type tooBigError struct{ size int64 }

func (e tooBigError) Error() string { return fmt.Sprintf("an object of %d bytes is too big", e.size) }
