package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// pkt makes pkt-lines of texts, and of the marks flush, delim and end.
func pkt(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		switch line {
		case "flush":
			b.WriteString("0000")
		case "delim":
			b.WriteString("0001")
		case "end":
			b.WriteString("0002")
		default:
			fmt.Fprintf(&b, "%04x%s", len(line)+4, line)
		}
	}
	return b.String()
}

const (
	hashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// kind of an error, for tables.
func kindOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.As(err, new(malformedError)):
		return "malformed"
	case errors.As(err, new(limitError)):
		return "limit"
	case errors.As(err, new(*pktline.ErrorLine)):
		return "refusal"
	case errors.As(err, new(remoteError)):
		return "gave up"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "cut"
	}
	return err.Error()
}

func TestHostileListings(t *testing.T) {
	limits := Limits{Refs: 3}.withDefaults()
	line := hashA + " refs/heads/main\n"
	for name, tc := range map[string]struct{ answer, want string }{
		"nothing":               {"", "cut"},
		"no end":                {pkt(line), "cut"},
		"a cut length":          {"00", "cut"},
		"a cut line":            {"0100" + line, "cut"},
		"no length":             {"zzzz", "malformed"},
		"a reserved length":     {"0003", "malformed"},
		"a length beyond Git's": {"ffff" + strings.Repeat("x", 1<<16), "malformed"},
		"a delimiter":           {pkt(line, "delim", line, "flush"), "malformed"},
		"an end of a response":  {pkt(line, "end"), "malformed"},
		"no hash":               {pkt("refs/heads/main\n", "flush"), "malformed"},
		"a short hash":          {pkt("aaaa refs/heads/main\n", "flush"), "malformed"},
		"capitals":              {pkt(strings.ToUpper(line), "flush"), "malformed"},
		"no name":               {pkt(hashA+"\n", "flush"), "malformed"},
		"an empty line":         {"0004" + pkt("flush"), "malformed"},
		"two lines in one":      {pkt(line+line, "flush"), "malformed"},
		"a refusal":             {pkt("ERR no\n"), "refusal"},
		"many refs":             {pkt(line, line, line, line, line, "flush"), "limit"},
		"a long line":           {pkt(hashA + " refs/heads/" + strings.Repeat("x", 65000)), "limit"},
		"empty lines forever":   {strings.Repeat("0004", 100), "limit"},
		"as it should be":       {pkt(line, hashB+" refs/heads/b", "flush"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			limits := limits
			if name == "a long line" {
				limits.Refs = -200 // so that the limit of bytes is the lower one
			}
			p := newPackets(strings.NewReader(tc.answer))
			defer p.release()
			_, err := decodeListing(p, nil, nil, limits)
			if got := kindOf(err); got != tc.want {
				t.Errorf("got %q: %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestListingsOfWhatIsOdd(t *testing.T) {
	raw := strings.Join([]string{
		hashB + " HEAD symref-target:refs/heads/gone", hashA + " refs/heads/a", hashA + " refs/heads/\xff", hashA + " refs/heads/a\x01b",
		hashA + " refs/tags/v peeled:" + hashB, hashA + " refs/tags/w peeled:xyz future:1", "",
	}, "\n")
	l, err := newListing(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"refs/heads/a": hashA, "refs/tags/v": hashB, "refs/tags/w": hashA, "refs/heads/gone": hashB}
	if fmt.Sprint(l.refs.Hashes) != fmt.Sprint(want) || l.refs.Default != "refs/heads/gone" {
		t.Errorf("got %+v", l.refs)
	}
	for _, target := range []string{"refs/remotes/x", "HEAD", "refs/heads/\x01"} {
		if l, err := newListing(hashB+" HEAD symref-target:"+target+"\n", nil); err != nil || l.refs.Default != "" || len(l.refs.Hashes) > 0 {
			t.Errorf("HEAD on %q gives %+v, %v", target, l, err)
		}
	}
}

func TestHostileDialects(t *testing.T) {
	good := []string{"version 2\n", "agent=git/2\n", "ls-refs=unborn\n", "fetch=shallow filter\n", "object-format=sha1\n", "new=thing\n", "flush"}
	for name, tc := range map[string]struct {
		answer, want string
	}{
		"as it should be":        {pkt(good...), ""},
		"with the service line":  {pkt("# service=git-upload-pack\n", "flush") + pkt(good...), ""},
		"without newlines":       {pkt("# service=git-upload-pack", "flush", "version 2", "ls-refs", "fetch", "flush"), ""},
		"no end":                 {pkt("version 2\n", "ls-refs\n", "fetch\n"), "cut"},
		"no fetch":               {pkt("version 2\n", "ls-refs\n", "flush"), "malformed"},
		"a delimiter":            {pkt("version 2\n", "ls-refs\n", "delim"), "malformed"},
		"capabilities forever":   {pkt("version 2\n") + strings.Repeat(pkt("x\n"), 2000), "malformed"},
		"megabytes":              {pkt("version 2\n") + strings.Repeat(pkt(strings.Repeat("x", 60000)), 50), "malformed"},
		"a refusal":              {pkt("version 2\n", "ERR go away"), "refusal"},
		"another kind of object": {pkt("version 2\n", "object-format=sha256\n"), `repositories with object names of the kind "sha256" are not supported`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPackets(strings.NewReader(tc.answer))
			defer p.release()
			a, err := decodeAdvertisement(p, Limits{}.withDefaults())
			if got := kindOf(err); got != tc.want {
				t.Errorf("got %q: %v, want %q", got, err, tc.want)
			}
			if err == nil && (a.dialect == nil || a.refs != nil) {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestVersion1IsVersion0WithALineBefore(t *testing.T) {
	first := hashA + " HEAD\x00symref=HEAD:refs/heads/main filter\n"
	for _, answer := range []string{
		pkt(first, hashA+" refs/heads/main\n", "flush"),
		pkt("version 1\n", first, hashA+" refs/heads/main\n", "flush"),
		pkt("# service=git-upload-pack\n", "flush", first, hashA+" refs/heads/main\n", "flush"),
		pkt("# service=git-upload-pack\n", "flush", "version 1\n", first, hashA+" refs/heads/main\n", "flush"),
	} {
		p := newPackets(strings.NewReader(answer))
		a, err := decodeAdvertisement(p, Limits{}.withDefaults())
		if err != nil || a.refs == nil || advertised(a.refs, nil).Hashes["refs/heads/main"] != hashA {
			t.Errorf("%q gives %+v, %v", answer, a, err)
		}
		p.release()
	}
}

func TestHostilePackSections(t *testing.T) {
	empty := "PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"
	for name, tc := range map[string]struct{ answer, want string }{
		"as it should be":           {pkt("packfile\n", "\x01"+empty, "flush"), ""},
		"in parts, with progress":   {pkt("shallow-info\n", "shallow "+hashA, "delim", "packfile\n", "\x02slowly", "\x01"+empty[:7], "\x01", "\x01"+empty[7:], "\x02done", "flush"), ""},
		"acknowledged":              {pkt("acknowledgments\n", "ready\n", "delim", "packfile\n", "\x01"+empty, "flush"), ""},
		"nothing":                   {"", "cut"},
		"only an end":               {pkt("flush"), "malformed"},
		"no pack":                   {pkt("shallow-info\n", "flush"), "malformed"},
		"a section without an end":  {pkt("shallow-info\n", "shallow "+hashA), "cut"},
		"an unknown section":        {pkt("packfile-uris\n", "x", "delim"), "malformed"},
		"a pack from version 0":     {"0008NAK\n" + pkt("\x01"+empty, "flush"), "malformed"},
		"an empty line":             {pkt("packfile\n") + "0004" + pkt("flush"), "malformed"},
		"a delimiter in the middle": {pkt("packfile\n", "\x01"+empty[:9], "delim"), "malformed"},
		"an unknown band":           {pkt("packfile\n", "\x07"+empty), "malformed"},
		"a failure on the way":      {pkt("packfile\n", "\x01"+empty[:9], "\x03disk full\nhunter2\n"), "gave up"},
		"a refusal":                 {pkt("ERR upload-pack: not our ref\n"), "refusal"},
		"a cut pack":                {pkt("packfile\n", "\x01"+empty[:9]), "cut"},
		"sections forever":          {strings.Repeat(pkt("shallow-info\n", "delim"), 100), "limit"},
		"progress forever":          {pkt("packfile\n") + strings.Repeat(pkt("\x02"+strings.Repeat("x", 100)), 50), "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPackets(strings.NewReader(tc.answer))
			defer p.release()
			p.limit(1000, limitError{"bytes", 1000})
			pack, err := p.pack()
			if err == nil {
				var content []byte
				if content, err = io.ReadAll(pack); err == nil && string(content) != empty {
					t.Errorf("got %q", content)
				}
			}
			if got := kindOf(err); got != tc.want {
				t.Errorf("got %q: %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestFetchIsSpoken(t *testing.T) {
	a, b := plumbing.NewHash(hashA), plumbing.NewHash(hashB)
	all := &dialect{agent: true, objectFormat: true, shallow: true, filter: true}
	for name, tc := range map[string]struct {
		dialect *dialect
		want    want
		lines   []string
	}{
		"commits without files": {all, want{hashes: []plumbing.Hash{a, b}, filter: packp.FilterBlobNone()},
			[]string{"command=fetch\n", "agent=assay\n", "object-format=sha1\n", "delim", "no-progress\n", "ofs-delta\n", "deepen 1\n", "filter blob:none\n", "want " + hashA + "\n", "want " + hashB + "\n", "done\n", "flush"}},
		"files": {all, want{hashes: []plumbing.Hash{a}, bare: true},
			[]string{"command=fetch\n", "agent=assay\n", "object-format=sha1\n", "delim", "no-progress\n", "ofs-delta\n", "want " + hashA + "\n", "done\n", "flush"}},
		"what is new, and history": {all, want{hashes: []plumbing.Hash{a}, have: []plumbing.Hash{b}, depth: 50},
			[]string{"command=fetch\n", "agent=assay\n", "object-format=sha1\n", "delim", "no-progress\n", "ofs-delta\n", "deepen 50\n", "thin-pack\n", "shallow " + hashB + "\n", "have " + hashB + "\n", "want " + hashA + "\n", "done\n", "flush"}},
		"a host that can do little": {&dialect{}, want{hashes: []plumbing.Hash{a}, have: []plumbing.Hash{b}},
			[]string{"command=fetch\n", "delim", "no-progress\n", "ofs-delta\n", "want " + hashA + "\n", "done\n", "flush"}},
	} {
		got, err := tc.dialect.fetch("assay", tc.want)
		if err != nil || string(got) != pkt(tc.lines...) {
			t.Errorf("%s: %v, got  %q\nwant %q", name, err, got, pkt(tc.lines...))
		}
	}
}

// BenchmarkListing decodes 50,000 refs, as new and as what they were.
func BenchmarkListing(b *testing.B) {
	lines := []string{hashA + " HEAD symref-target:refs/heads/b1\n"}
	for i := range 50_000 {
		lines = append(lines, fmt.Sprintf("%s refs/heads/b%d\n", hashB, i))
	}
	answer, limits := pkt(append(lines, "flush")...), Limits{}.withDefaults()
	decode := func(last *listing) *listing {
		p := newPackets(strings.NewReader(answer))
		defer p.release()
		l, err := decodeListing(p, nil, last, limits)
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	known := decode(nil)
	for name, last := range map[string]*listing{"new": nil, "nothing new": known} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decode(last)
			}
		})
	}
}

func TestAnAnswerThatIsTheSameCostsNothing(t *testing.T) {
	answer, limits := pkt(hashA+" refs/heads/a\n", hashB+" refs/heads/b\n", "flush"), Limits{}.withDefaults()
	known, err := decodeListing(newPackets(strings.NewReader(answer)), nil, nil, limits)
	if err != nil {
		t.Fatal(err)
	}
	r := strings.NewReader(answer)
	p := newPackets(r)
	allocations := testing.AllocsPerRun(100, func() {
		r.Reset(answer)
		p.r.Reset(r)
		p.taken = 0
		if now, err := decodeListing(p, nil, known, limits); err != nil || now != known {
			t.Errorf("got %+v, %v", now, err)
		}
	})
	if allocations > 1 { // the error of the limit
		t.Errorf("%v allocations", allocations)
	}
}

// FuzzVersion2 gives bytes to each decoder of version 2: any error, no panic, no more refs
// than allowed, and no difference between what is new and what is compared with an earlier
// answer.
func FuzzVersion2(f *testing.F) {
	for _, seed := range []string{
		pkt("version 2\n", "ls-refs\n", "fetch=filter\n", "flush"), pkt("version 1\n", "flush"),
		pkt(hashA+" HEAD symref-target:refs/heads/main\n", hashA+" refs/heads/main\n", hashB+" refs/tags/v peeled:"+hashA, "flush"),
		pkt("shallow-info\n", "shallow "+hashA, "delim", "packfile\n", "\x02x", "\x01PACK", "flush"), pkt("ERR no", "end"), "0003", "fff0",
	} {
		f.Add([]byte(seed), []byte(seed))
	}
	limits := Limits{Refs: 20}.withDefaults()
	f.Fuzz(func(t *testing.T, before, now []byte) {
		over := func(raw []byte) *packets {
			p := newPackets(bytes.NewReader(raw))
			p.limit(1<<16, limitError{"bytes", 1 << 16})
			return p
		}
		_, _ = decodeAdvertisement(over(now), limits)
		if pack, err := over(now).pack(); err == nil {
			_, _ = io.Copy(io.Discard, pack)
		}
		last, err := decodeListing(over(before), nil, nil, limits)
		if err != nil {
			last = nil
		}
		compared, err := decodeListing(over(now), nil, last, limits)
		fresh, freshErr := decodeListing(over(now), nil, nil, limits)
		if (err == nil) != (freshErr == nil) {
			t.Fatalf("compared: %v, fresh: %v", err, freshErr)
		}
		if err != nil {
			return
		}
		if compared.raw != fresh.raw || fmt.Sprint(compared.refs) != fmt.Sprint(fresh.refs) {
			t.Errorf("compared %+v, fresh %+v", compared, fresh)
		}
		if len(fresh.refs.Hashes) > limits.Refs+1 {
			t.Errorf("%d refs", len(fresh.refs.Hashes))
		}
	})
}
