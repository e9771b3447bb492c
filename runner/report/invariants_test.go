package report

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// checkInvariants holds for every outcome of every parser on any input.
func checkInvariants(t *testing.T, r Report, err error, limits Limits) {
	t.Helper()
	limits = limits.withDefaults()
	var fault *Error
	if err != nil && (!errors.As(err, &fault) || fault.Problem == "" || fault.Format == "") {
		t.Errorf("error %#v is no whole *Error", err)
	}
	if err != nil && (strings.ContainsAny(err.Error(), "\n\r\x1b\x00") || !utf8.ValidString(err.Error())) {
		t.Errorf("error %q is not one clean line", err)
	}
	if len(r.Cases) > limits.Cases {
		t.Errorf("%d cases, limit %d", len(r.Cases), limits.Cases)
	}
	if len(r.Warnings) > limits.Warnings || len(r.Unexplained) > limits.Warnings {
		t.Errorf("%d warnings and %d unexplained, limit %d", len(r.Warnings), len(r.Unexplained), limits.Warnings)
	}
	var size int64
	for _, c := range append(r.Cases[:len(r.Cases):len(r.Cases)], r.Unexplained...) {
		checkCase(t, c, limits)
		size += c.size()
	}
	if most := limits.Bytes + int64(len(r.Unexplained))*int64(2*limits.Output+limits.Message+4*limits.Name); size > most {
		t.Errorf("%d bytes of text kept, limit %d", size, most)
	}
	for _, w := range r.Warnings {
		if w == "" || clean(w) != w || strings.Contains(w, "\n") {
			t.Errorf("warning %q is not one clean line", w)
		}
	}
	if n := r.Counts(); n.Total != n.Passed+n.Failed+n.Errored+n.Skipped || n.Flaky > n.Passed {
		t.Errorf("counts do not add up: %+v", n)
	}
	checkSettled(t, r)
	checkRoundTrip(t, r)
}

func checkCase(t *testing.T, c Case, limits Limits) {
	t.Helper()
	for _, text := range []struct {
		what  string
		text  string
		limit int
	}{
		{"suite", c.Suite, limits.Name},
		{"class", c.ClassName, limits.Name},
		{"name", c.Name, limits.Name},
		{"file", c.File, limits.Name},
		{"message", c.Message, limits.Message},
		{"details", c.Details, limits.Details},
		{"stdout", c.Stdout, limits.Output},
		{"stderr", c.Stderr, limits.Output},
	} {
		if len(text.text) > text.limit {
			t.Errorf("%s of %d bytes, limit %d", text.what, len(text.text), text.limit)
		}
		if !utf8.ValidString(text.text) || clean(text.text) != text.text {
			t.Errorf("%s is not clean: %q", text.what, text.text)
		}
	}
	switch {
	case c.Name == "":
		t.Error("case without a name")
	case c.Status != Passed && c.Status != Failed && c.Status != Errored && c.Status != Skipped:
		t.Errorf("status %q", c.Status)
	case c.Status.Bad() && c.Message == "":
		t.Errorf("bad case %q without a message", c.Name)
	case c.Flaky && (c.Status != Passed || c.Attempts < 2):
		t.Errorf("flaky case %q is %s after %d attempts", c.Name, c.Status, c.Attempts)
	case c.Attempts < 1 || c.Duration < 0 || c.Duration > maxDuration || c.Line < 0:
		t.Errorf("attempts %d, duration %s, line %d", c.Attempts, c.Duration, c.Line)
	}
}

// checkSettled says that settling never hides a failure from an exit code that tells of one, nor makes one up for 0.
func checkSettled(t *testing.T, r Report) {
	t.Helper()
	before, failed, passed := r.Counts(), Settle(r, 1).Counts(), Settle(r, 0).Counts()
	if before.Bad() > 0 && failed.Bad() == 0 {
		t.Errorf("settled by exit code 1, %d failures became none", before.Bad())
	}
	if passed.Bad() > before.Bad() {
		t.Errorf("settled by exit code 0, %d failures became %d", before.Bad(), passed.Bad())
	}
}

func checkRoundTrip(t *testing.T, r Report) {
	t.Helper()
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(r, back) {
		return // which nearly all are, and cmp is slow
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("JSON loses something (-before +after):\n%s", diff)
	}
}
