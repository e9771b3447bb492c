package report

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1.5":         1500 * time.Millisecond,
		" 2 ":         2 * time.Second,
		"0,5":         500 * time.Millisecond,
		"1,234.5":     1234500 * time.Millisecond,
		"1.234,5":     1234500 * time.Millisecond,
		"1,234,567":   1234567 * time.Second,
		"1 234,5":     1234500 * time.Millisecond,
		"12ms":        12 * time.Millisecond,
		"1m2s":        62 * time.Second,
		"2.5E-3":      2500 * time.Microsecond,
		"١٫٥":         1500 * time.Millisecond,
		"":            0,
		"NaN":         0,
		"Inf":         maxDuration,
		"-345345":     0,
		"-5s":         0,
		"unknown":     0,
		"1e300":       maxDuration,
		"99999999999": maxDuration,
	} {
		if got := parseSeconds(in); got != want {
			t.Errorf("parseSeconds(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":                       "plain\ttext\n",
		"a\r\nb\rc":                           "a\nb\nc",
		"\x1b[1;31mred\x1b[0m":                "red",
		"\x1b]8;;http://x\x1b\\link\x1b]0;\a": "link",
		"\x1b]unterminated\nrest":             "unterminated\nrest",
		"#x1B[31mpytest#x1B[0m":               "pytest",
		string(escMark) + "[2Jcleared":        "cleared",
		"bell\a nul\x00 del\x7f c1\u009b":     "bell\uFFFD nul\uFFFD del\uFFFD c1\uFFFD",
		"bad \xff\xfe byte":                   "bad \uFFFD\uFFFD byte",
		"cut \x1b":                            "cut ",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTextKeepsHeadAndTail(t *testing.T) {
	whole := text{limit: 100}
	whole.write(strings.Repeat("a", 50))
	whole.write(strings.Repeat("z", 50))
	if got, want := whole.String(), strings.Repeat("a", 50)+strings.Repeat("z", 50); got != want {
		t.Errorf("text of exactly the limit: %q", got)
	}
	long := text{limit: 200}
	for range 1000 {
		long.write("middle ")
	}
	long.write("END")
	if got := long.String(); !strings.HasPrefix(got, "middle ") || !strings.HasSuffix(got, "END") || !strings.Contains(got, "bytes left out") || len(got) > 200 {
		t.Errorf("long text: %d bytes, %q", len(got), got)
	}
}

func TestSettle(t *testing.T) {
	one := func(name string, s Status) Case { return Case{Name: name, Status: s, Attempts: 1} }
	lost := one("(failures without a case)", Failed)
	for _, tc := range []struct {
		name     string
		report   Report
		exitCode int
		want     string // name=status, with ~ for flaky, and attempts
	}{
		{"a pass after a failure is flaky when the tool is content", Report{Cases: []Case{one("a", Failed), one("a", Passed)}}, 0, "a=passed~2"},
		{"an emptied failed attempt is not taken for a pass", Report{Cases: []Case{one("a", Passed), one("a", Passed), one("a", Failed)}}, 1, "a=failed3"},
		{"a pass does not hide the only failure", Report{Cases: []Case{one("a", Failed), one("a", Passed)}}, 1, "a=failed2"},
		{"another failure explains the exit code", Report{Cases: []Case{one("a", Failed), one("b", Failed), one("a", Passed)}}, 1, "a=passed~2 b=failed1"},
		{"what agrees stays apart", Report{Cases: []Case{one("a", Passed), one("a", Passed)}}, 0, "a=passed1 a=passed1"},
		{"failures that agree stay apart", Report{Cases: []Case{one("a", Failed), one("a", Errored)}}, 1, "a=failed1 a=errored1"},
		{"other files are other cases", Report{Cases: []Case{{Name: "a", File: "x", Status: Failed, Attempts: 1}, {Name: "a", File: "y", Status: Passed, Attempts: 1}}}, 1, "a=failed1 a=passed1"},
		{"claimed failures count when the tool failed", Report{Cases: []Case{one("a", Passed)}, Unexplained: []Case{lost}}, 1, "a=passed1 (failures without a case)=failed1"},
		{"claimed failures are forgotten when it did not", Report{Cases: []Case{one("a", Passed)}, Unexplained: []Case{lost}}, 0, "a=passed1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := describe(Settle(Merge(tc.report), tc.exitCode))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func describe(r Report) string {
	var all []string
	for _, c := range r.Cases {
		flaky := ""
		if c.Flaky {
			flaky = "~"
		}
		all = append(all, c.Name+"="+string(c.Status)+flaky+string(rune('0'+c.Attempts)))
	}
	return strings.Join(all, " ")
}

func TestCountsAndFailuresLeaveGroupsOut(t *testing.T) {
	r := Report{
		Cases: []Case{
			{Name: "a", Status: Failed}, {Name: "parent of a", Status: Failed, Group: true}, {Name: "b", Status: Errored},
			{Name: "c", Status: Passed, Flaky: true, Attempts: 2, Duration: time.Second}, {Name: "d", Status: Skipped},
		},
		Omitted: Counts{Total: 2, Passed: 1, Failed: 1},
	}
	want := Counts{Total: 6, Passed: 2, Failed: 2, Errored: 1, Skipped: 1, Flaky: 1}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
	for limit, want := range map[int]int{0: 0, 1: 1, 2: 2, 9: 2, -1: 2} {
		if got := len(r.Failures(limit)); got != want {
			t.Errorf("Failures(%d) has %d cases, want %d", limit, got, want)
		}
	}
	if got := r.Duration(); got != time.Second {
		t.Errorf("duration %s", got)
	}
}

func TestMergeNumbersAnew(t *testing.T) {
	shard := Report{Cases: []Case{{Suite: "s", Name: "a", Status: Passed, Attempts: 1}}, Warnings: []string{"odd"}}
	cut := shard
	cut.Truncated = true
	m := Merge(shard, cut)
	if len(m.Cases) != 2 || m.Cases[0].Ordinal != 1 || m.Cases[1].Ordinal != 2 || !m.Truncated || len(m.Warnings) != 2 {
		t.Errorf("merged: %+v", m)
	}
	if shard.Cases[0].Ordinal != 0 {
		t.Error("Merge changed its input")
	}
}

func TestParseFS(t *testing.T) {
	good := func(name string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`<testsuite><testcase name="` + name + `"/></testsuite>`)}
	}
	files := fstest.MapFS{
		"out/TEST-b.xml": good("b"), "out/TEST-a.xml": good("a"),
		"bad/TEST-a.xml": good("a"), "bad/TEST-empty.xml": {}, "bad/TEST-html.xml": {Data: []byte("<html/>")},
	}
	r, err := ParseFS(JUnit, files, "out/TEST-*.xml", Limits{})
	if err != nil || len(r.Cases) != 2 || r.Cases[0].Suite != "TEST-a.xml" || r.Cases[1].Name != "b" {
		t.Errorf("two good files: %+v, %v", r, err)
	}
	r, err = ParseFS(JUnit, files, "bad/*", Limits{})
	if !errors.Is(err, ErrEmpty) || !errors.Is(err, ErrFormat) || errors.Is(err, ErrMissing) || len(r.Cases) != 1 {
		t.Errorf("a good and two bad files: %+v, %v", r, err)
	}
	if want := `"bad/TEST-html.xml" at line 1`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not name %s", err, want)
	}
	_, err = ParseFS(JUnit, files, "nothing/*.xml", Limits{})
	var e *Error
	if !errors.Is(err, ErrMissing) || !errors.As(err, &e) || e.File != "nothing/*.xml" || e.Remedy == "" {
		t.Errorf("no file: %v", err)
	}
	if _, err = ParseFS(JUnit, files, "out/TEST-*.xml", Limits{Bytes: 10}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("files over the limit: %v", err)
	}
	if _, err := ParseFS(JUnit, files, "[", Limits{}); !errors.Is(err, ErrMissing) {
		t.Errorf("bad pattern: %v", err)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := Parse("trx", strings.NewReader("x"), Limits{}); err == nil || !strings.Contains(err.Error(), `"trx"`) {
		t.Errorf("error %v does not name the format", err)
	}
}

func TestLostFailureOfRealShape(t *testing.T) {
	r, err := Parse(JUnit, strings.NewReader(readFile(t, "testdata/junit/newman-lost-failure.xml")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, bad := Settle(r, 0).Counts().Bad(), Settle(r, 1).Counts().Bad(); ok != 0 || bad != 1 {
		t.Errorf("failures: %d for exit code 0, %d for 1", ok, bad)
	}
}
