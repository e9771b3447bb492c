package git

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/assay-dev/assay/api/fault"
)

// packed is a pack as it is written, however wrong.
type packed struct {
	bytes.Buffer
	count   uint32
	deflate *zlib.Writer
}

func newPacked() *packed {
	p := &packed{deflate: zlib.NewWriter(nil)}
	p.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return p
}

// object adds one of a declared size, with something between the header and the content.
func (p *packed) object(kind plumbing.ObjectType, size int, between, content []byte) (offset int) {
	offset = p.Len()
	p.count++
	first := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	p.WriteByte(first)
	p.Write(between)
	p.deflate.Reset(&p.Buffer)
	_, _ = p.deflate.Write(content)
	_ = p.deflate.Close()
	return offset
}

func (p *packed) add(kind plumbing.ObjectType, content string) plumbing.Hash {
	p.object(kind, len(content), nil, []byte(content))
	return plumbing.ComputeHash(kind, []byte(content))
}

// commit adds one of a tree.
func (p *packed) commit(tree plumbing.Hash) plumbing.Hash {
	return p.add(plumbing.CommitObject, fmt.Sprintf("tree %s\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nm", tree))
}

func (p *packed) folder(mode, name string, hash plumbing.Hash) plumbing.Hash {
	return p.add(plumbing.TreeObject, mode+" "+name+"\x00"+string(hash[:]))
}

// delta adds one on a base by name; its code is sizes and instructions.
func (p *packed) delta(base plumbing.Hash, code []byte) {
	p.object(plumbing.REFDeltaObject, len(code), base[:], code)
}

func (p *packed) done() []byte {
	raw := p.Bytes()
	binary.BigEndian.PutUint32(raw[8:], p.count)
	sum := sha1.Sum(raw)
	return append(raw, sum[:]...)
}

// copies is a delta that repeats the first n bytes of its base, which has size bytes.
func copies(size, n, times int) []byte {
	code := binary.AppendUvarint(nil, uint64(size))
	code = binary.AppendUvarint(code, uint64(n*times))
	for range times {
		code = append(code, 0xb0, byte(n), byte(n>>8)) // from 0, two bytes of size
	}
	return code
}

// honestPack is a commit with tests/a.
func honestPack() (*packed, plumbing.Hash) {
	p := newPacked()
	return p, p.commit(p.folder("40000", "tests", p.folder("100644", "a", p.add(plumbing.BlobObject, "x"))))
}

// TestHostilePacks is for what no git would send: each pack is unpacked, and then its commit
// is read, with room for a megabyte.
func TestHostilePacks(t *testing.T) {
	const room = 1 << 20
	limits := Limits{PackBytes: room, FileBytes: 1 << 16}.withDefaults()
	for name, tc := range map[string]struct {
		pack func() (raw []byte, commit plumbing.Hash)
		want fault.Reason
	}{
		"an honest one": {func() ([]byte, plumbing.Hash) { p, c := honestPack(); return p.done(), c }, ""},
		"a wrong checksum": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			raw := p.done()
			raw[len(raw)-1] ^= 1
			return raw, c
		}, fault.HostFailed},
		"a flipped bit": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			raw := p.done()
			raw[len(raw)/2] ^= 4
			return raw, c
		}, fault.HostFailed},
		"no checksum":       {func() ([]byte, plumbing.Hash) { p, c := honestPack(); raw := p.done(); return raw[:len(raw)-20], c }, fault.HostFailed},
		"cut in the middle": {func() ([]byte, plumbing.Hash) { p, c := honestPack(); raw := p.done(); return raw[:len(raw)/2], c }, fault.HostFailed},
		"four billion objects": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.count = 0xffffffff
			return p.done(), c
		}, fault.HostFailed},
		"another version": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.Bytes()[7] = 9
			return p.done(), c
		}, fault.HostFailed},
		"a type that there is not": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.object(5, 1, nil, []byte("x"))
			return p.done(), c
		}, fault.HostFailed},
		"an object longer than declared": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.object(plumbing.BlobObject, 1, nil, bytes.Repeat([]byte("x"), 8<<20))
			return p.done(), c
		}, fault.HostFailed},
		"an object shorter than declared": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.object(plumbing.TreeObject, 1000, nil, []byte("x"))
			return p.done(), c
		}, fault.HostFailed},
		"an object of a declared petabyte": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.object(plumbing.TreeObject, 1<<50, nil, []byte("x"))
			return p.done(), c
		}, fault.LimitExceeded},
		"a size that overflows": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.Write(append(bytes.Repeat([]byte{0xbf}, 1), bytes.Repeat([]byte{0xff}, 30)...))
			p.count++
			return p.done(), c
		}, fault.HostFailed},
		"a message over the room": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			tree := p.folder("100644", "a", p.add(plumbing.BlobObject, "x"))
			c := p.add(plumbing.CommitObject, fmt.Sprintf("tree %s\n\n%s", tree, strings.Repeat("m", 2<<20)))
			return p.done(), c
		}, fault.LimitExceeded},
		"a bomb of zeros": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			for i := range 20 {
				p.add(plumbing.BlobObject, strings.Repeat(fmt.Sprint(i%10), 1<<20))
			}
			return p.done(), c
		}, fault.LimitExceeded},
		"ten thousand small objects": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			for i := range 10_000 {
				p.add(plumbing.BlobObject, fmt.Sprint(i))
			}
			return p.done(), c
		}, fault.LimitExceeded},
		"a delta bomb": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			content := strings.Repeat("y", 60_000)
			base := p.add(plumbing.TreeObject, content)
			for range 6 { // each fifty times the last
				p.delta(base, copies(len(content), 60_000, 50))
				if len(content) > 4<<20 {
					break
				}
				content = strings.Repeat(content[:60_000], 50)
				base = plumbing.ComputeHash(plumbing.TreeObject, []byte(content))
			}
			return p.done(), c
		}, fault.LimitExceeded},
		"a delta with a declared exabyte": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			base := p.add(plumbing.TreeObject, "yyyy")
			p.delta(base, append(binary.AppendUvarint([]byte{4}, 1<<60), 1, 'x'))
			return p.done(), c
		}, ""}, // dropped: nothing asks for it
		"a delta that reads past its base": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.delta(p.add(plumbing.TreeObject, "yyyy"), copies(4, 60_000, 1))
			return p.done(), c
		}, fault.HostFailed},
		"a delta for a base of another size": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.delta(p.add(plumbing.TreeObject, "yyyy"), copies(5, 4, 1))
			return p.done(), c
		}, fault.HostFailed},
		"an empty delta": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.delta(p.add(plumbing.TreeObject, "yyyy"), nil)
			return p.done(), c
		}, fault.HostFailed},
		"a delta without its base": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			p.delta(plumbing.NewHash(strings.Repeat("1", 40)), copies(4, 4, 1))
			return p.done(), c
		}, fault.HostFailed},
		"deltas on what comes before the pack": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			code := copies(4, 4, 1)
			p.object(plumbing.OFSDeltaObject, len(code), []byte{0xff, 0xff, 0xff, 0x7f}, code)
			return p.done(), c
		}, fault.HostFailed},
		"a delta on itself": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			code := copies(4, 4, 1)
			p.object(plumbing.OFSDeltaObject, len(code), []byte{0}, code)
			return p.done(), c
		}, fault.HostFailed},
		"a chain of a thousand deltas": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			content := "y"
			base := p.add(plumbing.BlobObject, content)
			for range 1000 {
				code := append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(content))), uint64(len(content)+1)), 0xb0, byte(len(content)), byte(len(content)>>8), 1, 'y')
				p.delta(base, code)
				content += "y"
				base = plumbing.ComputeHash(plumbing.BlobObject, []byte(content))
			}
			return p.done(), c
		}, ""},
		"a blob for the commit": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			blob := p.add(plumbing.BlobObject, "tree 1\n")
			return p.done(), blob
		}, fault.RefNotFound},
		"a blob of the commit's bytes": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			text := fmt.Sprintf("tree %s\n\nm", p.add(plumbing.TreeObject, ""))
			p.add(plumbing.BlobObject, text)
			return p.done(), plumbing.ComputeHash(plumbing.CommitObject, []byte(text))
		}, fault.RefNotFound},
		"a commit whose root is a commit": {func() ([]byte, plumbing.Hash) {
			p, c := honestPack()
			top := p.commit(c)
			return p.done(), top
		}, fault.HostFailed},
		"a commit without a tree": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.add(plumbing.CommitObject, "parent 1\n\nm")
			return p.done(), c
		}, fault.HostFailed},
		"a file for a folder": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.commit(p.folder("40000", "tests", p.add(plumbing.BlobObject, "x")))
			return p.done(), c
		}, fault.HostFailed},
		"a folder for a file": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.commit(p.folder("100644", "tests", p.add(plumbing.TreeObject, "")))
			return p.done(), c
		}, fault.HostFailed},
		"a cut folder": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.commit(p.add(plumbing.TreeObject, "40000 tests\x00short"))
			return p.done(), c
		}, fault.HostFailed},
		"a NUL in a name": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			blob := p.add(plumbing.BlobObject, "x")
			c := p.commit(p.folder("40000", "tests", p.folder("100644", "a\x00b", blob)))
			return p.done(), c
		}, fault.HostFailed},
		"a name that is empty": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.commit(p.folder("40000", "tests", p.folder("100644", "", p.add(plumbing.BlobObject, "x"))))
			return p.done(), c
		}, fault.HostFailed},
		"a mode that is no number": {func() ([]byte, plumbing.Hash) {
			p := newPacked()
			c := p.commit(p.folder("40000", "tests", p.folder("rwxr", "a", p.add(plumbing.BlobObject, "x"))))
			return p.done(), c
		}, fault.HostFailed},
		"only zeros": {func() ([]byte, plumbing.Hash) { return make([]byte, 4096), plumbing.ZeroHash }, fault.HostFailed},
		"nothing":    {func() ([]byte, plumbing.Hash) { return nil, plumbing.ZeroHash }, fault.HostFailed},
	} {
		t.Run(name, func(t *testing.T) {
			raw, commit := tc.pack()
			s := newStore(limits)
			err := classify(readPack(t.Context(), s, raw, commit), Endpoint{}, location{scheme: "https", host: "git.example", path: "/shop"})
			if tc.want == "" && err != nil || tc.want != "" && fault.ReasonOf(err) != tc.want {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q cannot be shown", err)
			}
			var kept int64
			for _, o := range s.objects {
				kept += int64(len(o.content)) + objectOverhead
			}
			if kept > room || s.left < -64<<20 {
				t.Errorf("%d bytes are kept, %d left", kept, s.left)
			}
		})
	}
}

// readPack unpacks, and reads everything of the commit.
func readPack(ctx context.Context, s *store, raw []byte, commit plumbing.Hash) error {
	if err := s.unpack(ctx, bytes.NewReader(raw)); err != nil {
		return err
	}
	o := &outline{source: s, limits: s.limits}
	if _, err := o.draw(commit, nil); err != nil {
		return err
	}
	if err := o.fill(); err != nil {
		return err
	}
	_, known, err := changed(ctx, s, commit, commit)
	if err == nil && !known {
		return errors.New("a commit cannot be compared with itself")
	}
	return err
}
