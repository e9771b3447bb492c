package git

import (
	"bytes"
	"strings"
)

// listing is an answer to ls-refs, and what was made of it. It does not change.
type listing struct {
	raw  string // its lines; Refs is made of parts of it
	refs Refs
	// prefixes are those that were asked for.
	prefixes []string
	// detached says that HEAD is on no branch.
	detached bool
	head     string // the commit of HEAD
}

// cost is about what a listing takes in memory: its text, and for each ref a place in a map.
func (l *listing) cost() int64 { return int64(len(l.raw)) + 80*int64(len(l.refs.Hashes)) + 512 }

// lsRefs encodes the request for HEAD and the refs below the prefixes.
func (d *dialect) lsRefs(agent string, prefixes []string) ([]byte, error) {
	arguments := []string{"peel\n", "symrefs\n", "ref-prefix HEAD\n"}
	for _, p := range prefixes {
		arguments = append(arguments, "ref-prefix "+p+"\n")
	}
	return d.command("ls-refs", agent, arguments...)
}

// decodeListing reads the answer to ls-refs. One that is the same as the last, which most are,
// gives the last, without a copy of anything: it is compared line by line as it comes.
func decodeListing(p *packets, prefixes []string, last *listing, limits Limits) (*listing, error) {
	if last == nil {
		last = &listing{}
	}
	p.limit(refsBytes(limits), limitError{"refs", int64(limits.Refs)})
	same := 0               // bytes of the last answer that came again
	var lines *bytes.Buffer // the answer, once it differs
	for count := 0; ; count++ {
		kind, line, err := p.text()
		if err != nil {
			return nil, err
		}
		if kind == flushPacket {
			break
		}
		if kind != dataPacket || bytes.IndexByte(line, '\n') >= 0 {
			return nil, malformed("a list of refs with a line that is none")
		}
		if count > limits.Refs { // and HEAD
			return nil, limitError{"refs", int64(limits.Refs)}
		}
		if lines == nil {
			if again(last.raw[same:], line) {
				same += len(line) + 1
				continue
			}
			lines = bytes.NewBuffer(make([]byte, 0, len(last.raw)+maxPacket))
			lines.WriteString(last.raw[:same])
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	switch {
	case lines == nil && same == len(last.raw) && last.refs.Hashes != nil:
		return last, nil
	case lines == nil:
		return newListing(strings.Clone(last.raw[:same]), prefixes)
	}
	return newListing(lines.String(), prefixes)
}

// again says whether text begins with the line.
func again(text string, line []byte) bool {
	return len(text) > len(line) && text[len(line)] == '\n' && text[:len(line)] == string(line)
}

// newListing makes refs of the lines of an answer: a hash, a name and attributes each.
func newListing(raw string, prefixes []string) (*listing, error) {
	l := &listing{raw: raw, prefixes: prefixes}
	l.refs.Hashes = make(map[string]string, strings.Count(raw, "\n"))
	target := ""
	for line := range strings.Lines(raw) {
		hash, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		name, attributes, _ := strings.Cut(rest, " ")
		if !isHash(hash) || name == "" {
			return nil, malformed("a ref with the line %q", clip(line))
		}
		if name == "HEAD" {
			l.head, target = hash, attribute(attributes, "symref-target:")
			continue
		}
		if peeled := attribute(attributes, "peeled:"); isHash(peeled) {
			hash = peeled
		}
		if concerns(name) {
			l.refs.Hashes[name] = hash
		}
	}
	switch {
	case target == "" && l.head != "":
		l.detached = true
		l.refs.Default = branchAt(l.head, l.refs.Hashes)
	case strings.HasPrefix(target, Branches) && concerns(target):
		l.refs.Default = target
		l.refs.Hashes[target] = l.head
	}
	return l, nil
}

func attribute(attributes, name string) string {
	for a := range strings.FieldsSeq(attributes) {
		if value, ok := strings.CutPrefix(a, name); ok {
			return value
		}
	}
	return ""
}

// isHash is for names as every host writes them.
func isHash(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 40
}
