package git

import (
	"bytes"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A script is a pack as the fuzzer can write it, an object after the other: a byte whose lowest
// three bits are its kind, and whose highest two say how much longer it claims to be; a byte with
// the length of its content; the content. There 0xfe and a number stand for the name of an
// earlier object, 0xfd and a number for that name in letters. The content of a delta begins with
// the number of its base.

const (
	nameMark   = 0xfe
	letterMark = 0xfd
)

// line makes an object of a script.
func line(kind plumbing.ObjectType, content string) string {
	return string([]byte{byte(kind), byte(len(content))}) + content
}

const signed = "\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nm"

// packScripts are what fuzzing begins with.
var packScripts = []string{
	honestScript,
	honestScript + line(plumbing.OFSDeltaObject, "\x00"+string(copies(1, 1, 3))) + line(plumbing.REFDeltaObject, "\x00"+string(copies(1, 1, 2))),
	honestScript + line(plumbing.TreeObject, "yyyy") + line(plumbing.REFDeltaObject, "\x04"+string(copies(4, 4, 200))),
	line(plumbing.REFDeltaObject, "\x00"+string(copies(4, 4, 1))) + honestScript,
	line(plumbing.BlobObject, "/etc") + line(plumbing.TreeObject, "120000 tests\x00\xfe\x00") + line(plumbing.CommitObject, "tree \xfd\x01"+signed),
	line(plumbing.TreeObject, "160000 s\x00\xfe\x00"+"40000 ..\x00\xfe\x00") + line(plumbing.CommitObject, "tree \xfd\x00\nparent \xfd\x00"+signed) + line(plumbing.TagObject, "object \xfd\x01"),
}

var honestScript = line(plumbing.BlobObject, "x") + line(plumbing.TreeObject, "100644 a\x00\xfe\x00") +
	line(plumbing.TreeObject, "40000 tests\x00\xfe\x01") + line(plumbing.CommitObject, "tree \xfd\x02"+signed)

// assemble makes the pack of a script, and gives the name of its last commit.
func assemble(script []byte) (raw []byte, top plumbing.Hash) {
	const most = 40
	p := newPacked()
	var names []plumbing.Hash
	var offsets []int
	for len(script) >= 2 && len(names) < most {
		kind, longer := plumbing.ObjectType(script[0]&7), int(script[0]>>6)
		end := 2 + min(int(script[1]), len(script)-2)
		content := expand(script[2:end], names)
		script = script[end:]
		var between []byte
		if kind == plumbing.OFSDeltaObject || kind == plumbing.REFDeltaObject {
			between, content = onBase(kind, content, names, offsets, p.Len())
		}
		offsets = append(offsets, p.object(kind, len(content)+longer, between, content))
		names = append(names, plumbing.ComputeHash(kind, content))
		if kind == plumbing.CommitObject {
			top = names[len(names)-1]
		}
	}
	return p.done(), top
}

// expand puts the names of objects in their places.
func expand(content []byte, names []plumbing.Hash) []byte {
	var out []byte
	for i := 0; i < len(content); i++ {
		c := content[i]
		if c != nameMark && c != letterMark || i+1 == len(content) || len(names) == 0 {
			out = append(out, c)
			continue
		}
		i++
		name := names[int(content[i])%len(names)]
		if c == nameMark {
			out = append(out, name[:]...)
		} else {
			out = append(out, name.String()...)
		}
	}
	return out
}

// onBase gives what stands between the header of a delta and its code.
func onBase(kind plumbing.ObjectType, content []byte, names []plumbing.Hash, offsets []int, here int) (between, code []byte) {
	number := -1
	if len(content) > 0 {
		if number, content = int(content[0]), content[1:]; number >= len(names) {
			number = -1
		}
	}
	switch {
	case kind == plumbing.REFDeltaObject && number < 0:
		return make([]byte, len(plumbing.ZeroHash)), content
	case kind == plumbing.REFDeltaObject:
		return names[number][:], content
	case number < 0:
		return []byte{0}, content // itself
	}
	back := here - offsets[number]
	between = []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		between = append([]byte{byte(back&0x7f) | 0x80}, between...)
	}
	return between, content
}

// TestScriptsMakePacks: what fuzzing begins with is deep inside already.
func TestScriptsMakePacks(t *testing.T) {
	raw, top := assemble([]byte(honestScript))
	honest, commit := honestPack()
	if want := honest.done(); !bytes.Equal(raw, want) || top != commit {
		t.Errorf("the honest script makes %q, %s, want %q, %s", raw, top, want, commit)
	}
	s := newStore(Limits{}.withDefaults())
	raw, top = assemble([]byte(packScripts[1]))
	if err := readPack(t.Context(), s, raw, top); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"xxx", "xx"} {
		if _, ok := s.objects[plumbing.ComputeHash(plumbing.BlobObject, []byte(content))]; !ok {
			t.Errorf("the delta that makes %q is lost", content)
		}
	}
}
