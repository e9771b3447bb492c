package fault

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestErrorNamesPlaceMessageAndRemedy(t *testing.T) {
	err := New(InvalidCatalog, Place{File: "tests/a.yaml", Line: 3, Field: "spec.timeout"}, "write a duration such as 10m", "%q is no duration", "soon")
	want := `tests/a.yaml:3: spec.timeout: "soon" is no duration (write a duration such as 10m)`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

// What others say of hostile input may repeat it; a status takes UTF-8 only.
func TestMessagesAreUTF8(t *testing.T) {
	f := New(InvalidCatalog, Place{}, "", "kustomize: %w", errors.New("has invalid bytes: \x80US=2"))
	if !utf8.ValidString(f.Message) || !utf8.ValidString(f.Error()) {
		t.Errorf("got %q", f.Message)
	}
}

func TestKindSurvivesWrapping(t *testing.T) {
	cause := errors.New("dial tcp: refused")
	err := fmt.Errorf("polling: %w", New(HostUnreachable, Place{}, "", "no answer from %q: %w", "git.example", cause))
	if got := Of(err); got != Transient {
		t.Errorf("kind = %s, want %s", got, Transient)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got := Of(errors.New("unclassified")); got != Internal {
		t.Errorf("an unclassified error is %s, want %s", got, Internal)
	}
}

func TestAtFillsInOnlyWhatIsUnknown(t *testing.T) {
	err := errors.Join(New(InvalidCatalog, Place{File: "a.yaml"}, "", "one"), New(InvalidCatalog, Place{}, "", "two"))
	placed := At(err, Place{Repository: "https://git.example/shop", File: "b.yaml"})
	var got []string
	for _, f := range All(placed) {
		got = append(got, f.Error())
	}
	want := []string{"https://git.example/shop: a.yaml: one", "https://git.example/shop: b.yaml: two"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHereLeavesOutWhatIsPlain(t *testing.T) {
	err := New(InvalidCatalog, Place{Repository: "https://git.example/shop", Commit: "abc", File: "a.yaml"}, "", "broken")
	if got, want := Summary(Here(err)), "a.yaml: broken"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Here(nil) != nil {
		t.Error("nothing became a fault")
	}
}

func TestSummaryShowsThreeAndACount(t *testing.T) {
	var errs []error
	for i := range 5 {
		errs = append(errs, New(InvalidCatalog, Place{}, "", "fault %d", i))
	}
	if got, want := Summary(errors.Join(errs...)), "fault 0; fault 1; fault 2; and 2 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConditionAndBack(t *testing.T) {
	for _, r := range Reasons() {
		c := Condition("Ready", 7, New(r, Place{}, "", "broken"))
		if back := FromCondition(c); back.Reason != r || back.Kind() != r.Kind() || back.Message != "broken" {
			t.Errorf("%s comes back as %+v", r, back)
		}
	}
}

// TestEveryReasonIsInTheTable reads the declared constants, so that a new one cannot be forgotten.
func TestEveryReasonIsInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == "Reason" {
			declared++
			if _, ok := kinds[Reason(spec.Names[0].Name)]; !ok {
				t.Errorf("%s has no row in the table", spec.Names[0].Name)
			}
		}
		return true
	})
	if declared != len(kinds) {
		t.Errorf("%d reasons declared, %d in the table", declared, len(kinds))
	}
}
