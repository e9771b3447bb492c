package report

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// bomb is an input that starts with a head and repeats a unit until the size is reached.
type bomb struct {
	name       string
	head, unit string
	live       uint64 // MiB that the heap may grow by; 4 when 0
}

var bombs = map[Format][]bomb{
	JUnit: {
		{name: "one text", head: `<testsuite name="s"><testcase name="a"><failure>`, unit: "trace "},
		{name: "one CDATA", head: `<testsuite><testcase name="a"><system-out><![CDATA[`, unit: "output ]] > "},
		{name: "one attribute", head: `<testsuite><testcase name="a"><failure message="`, unit: "message "},
		{name: "one tag", head: `<testsuite><testcase `, unit: `a="b" `, live: 24},
		{name: "one comment", head: `<testsuite><testcase name="a"/><!-- `, unit: "no comment "},
		{name: "one doctype", head: `<!DOCTYPE x [`, unit: `<!ENTITY a "&b;&b;">`},
		{name: "one element name", head: `<`, unit: `testsuite`, live: 16},
		{name: "many cases", head: `<testsuite name="s">`, unit: `<testcase name="a" time="1"><failure message="m">d</failure></testcase>`},
		{name: "many suites", head: `<testsuites>`, unit: `<testsuite name="s" tests="4" failures="3"><system-out>o</system-out></testsuite>`},
		{name: "deep suites", unit: `<testsuite name="s">`},
		{name: "deep elements", head: `<testsuite><testcase><failure>`, unit: `<a>`},
		{name: "end tags", head: `<testsuite><testcase/>`, unit: `</testsuite>`},
		{name: "long suite name for many cases", head: `<testsuite name="` + strings.Repeat("long", 10_000) + `">`, unit: `<testcase/>`},
	},
	TAP: {
		{name: "one line", head: "1..2\nok 1 - ", unit: "name "},
		{name: "one diagnosis", head: "1..2\nnot ok 1 - a\n", unit: "# diagnosis\n"},
		{name: "one YAML block", head: "1..2\nnot ok 1 - a\n  ---\n  message: |\n", unit: "    more\n"},
		{name: "output", head: "1..2\n", unit: "some output\n"},
		{name: "many cases", head: "1..2\n", unit: "not ok - same # 1\n"},
		{name: "many plans", unit: "1..2\n"},
		{name: "many documents", unit: "TAP version 14\n1..1\nok 1\n"},
		{name: "zigzag", head: "1..9\n", unit: "        ok 1 - deep\n    ok 1 - middle\nok - parent\n"},
		{name: "open subtests", head: "1..9\n" + indentSteps(maxSubtests), unit: strings.Repeat(" ", 4*maxSubtests) + "ok\n"},
		{name: "blocks", unit: "ok 1 - a {\n    ok\n"},
	},
	GoTestJSON: {
		{name: "one line", head: `{"Action":"output","Package":"p","Test":"T","Output":"`, unit: "output "},
		{name: "one output", head: goRun, unit: `{"Action":"output","Package":"p","Test":"T","Output":"output\n"}` + "\n"},
		{name: "package output", unit: `{"Action":"output","Package":"p","Output":"output\n"}` + "\n"},
		{name: "foreign lines", head: goRun, unit: "no JSON\n"},
		{name: "many cases", unit: `{"Action":"fail","Package":"p","Test":"T"}` + "\n"},
		{name: "deep JSON", head: goRun, unit: `{"Action":`},
		{name: "deep subtest", head: `{"Action":"run","Package":"p","Test":"`, unit: `a/`},
	},
	K6Summary: {
		{name: "one name", head: `{"metrics":{"`, unit: "name ", live: 24},
		{name: "deep groups", head: `{"metrics":{},"root_group":`, unit: `{"groups":[`, live: 24},
		{name: "many checks", head: `{"metrics":{},"root_group":{"checks":[`, unit: `{"name":"a","passes":1,"fails":1},`, live: 24},
	},
}

const goRun = `{"Action":"run","Package":"p","Test":"T"}` + "\n"

func indentSteps(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sok\n", strings.Repeat(" ", 4*i))
	}
	return b.String()
}

func TestSizeBombs(t *testing.T) {
	const size = 12 << 20
	for _, format := range Formats() {
		if len(bombs[format]) == 0 {
			t.Errorf("no bombs for format %q", format)
		}
		for _, b := range bombs[format] {
			t.Run(string(format)+"/"+b.name, func(t *testing.T) {
				limits := Limits{Bytes: size, Cases: 1000}
				in := &bombReader{bomb: b, left: size + 1, base: liveHeap()}
				r, err := Parse(format, in, limits)
				checkInvariants(t, r, err, limits)
				if err == nil && !r.Truncated && r.Omitted.Total == 0 && len(r.Warnings) == 0 {
					t.Errorf("nothing tells that the input was over the limit: %+v", r.Counts())
				}
				if most := max(b.live, 4) << 20; in.peak > most {
					t.Errorf("the heap grew by %d MiB, allowed are %d", in.peak>>20, most>>20)
				}
			})
		}
	}
}

func TestTooLarge(t *testing.T) {
	for _, format := range Formats() {
		t.Run(string(format), func(t *testing.T) {
			for _, name := range inputs(t, format) {
				whole := readFile(t, name)
				if len(whole) == 0 {
					continue
				}
				exact := Limits{Bytes: int64(len(whole))}
				if _, err := Parse(format, strings.NewReader(whole), exact); errors.Is(err, ErrTooLarge) {
					t.Errorf("%s: exactly the limit is too large", name)
				}
				r, err := Parse(format, strings.NewReader(whole), Limits{Bytes: int64(len(whole)) - 1})
				if !errors.Is(err, ErrTooLarge) || !r.Truncated {
					t.Errorf("%s: one byte over the limit: error %v, truncated %v", name, err, r.Truncated)
				}
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	broken := errors.New("connection reset")
	for _, format := range Formats() {
		in := io.MultiReader(strings.NewReader("1..2\nok 1\n"), failingReader{broken})
		if _, err := Parse(format, in, Limits{}); !errors.Is(err, ErrUnreadable) || !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want %v by %v", format, err, ErrUnreadable, broken)
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// bombReader gives a bomb's bytes and watches the heap while they are read.
type bombReader struct {
	bomb
	left       int
	sent, seen int
	base, peak uint64
}

func (b *bombReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && b.left > 0 {
		var from string
		if b.sent < len(b.head) {
			from = b.head[b.sent:]
		} else {
			from = b.unit[(b.sent-len(b.head))%len(b.unit):]
		}
		c := copy(p[n:min(len(p), n+b.left)], from)
		n, b.sent, b.left = n+c, b.sent+c, b.left-c
	}
	if b.seen += n; b.seen > 2<<20 {
		b.seen = 0
		if live := liveHeap(); live > b.base {
			b.peak = max(b.peak, live-b.base)
		}
	}
	return n, nil
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
