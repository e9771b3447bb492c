package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/diff"
	"github.com/sergi/go-diff/diffmatchpatch"
	"golang.org/x/term"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// The output formats beside those of outputFlag.
const (
	formatText     = "text"
	formatMarkdown = "markdown"
)

const (
	// diffContext is how many lines that are alike surround those that differ.
	diffContext = 3
	// diffLines is how many lines of a suite are compared, and diffTime how long; beyond
	// that the lines are told as all removed and all added.
	diffLines = 20_000
	diffTime  = time.Second
)

// isColourful says whether w is a terminal that shows colours, to somebody who wants them.
func isColourful(w io.Writer) bool {
	f, isFile := w.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == ""
}

// text writes for each environment a line, and a unified diff of each suite's YAML.
func (d *catalogDiff) text(w io.Writer, colour bool) error {
	var colours diff.ColorConfig
	if colour {
		colours = diff.NewColorConfig()
	}
	for i, e := range d.Environments {
		if i > 0 && !(e.Empty() && d.Environments[i-1].Empty()) {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s%s: %s%s\n", colours[diff.Meta], clean(e.title()), e.Summary(), colours.Reset(diff.Meta))
		for _, p := range e.patches() {
			if err := p.write(w, colours); err != nil {
				return err
			}
		}
	}
	return nil
}

// patches gives the suites that differ, by name.
func (e environmentDiff) patches() []patch {
	var all []patch
	for b, a := e.before.Suites, e.after.Suites; len(b) > 0 || len(a) > 0; {
		p := patch{}
		if len(a) == 0 || len(b) > 0 && b[0].Name <= a[0].Name {
			p.before = &b[0]
		}
		if len(b) == 0 || len(a) > 0 && a[0].Name <= b[0].Name {
			p.after = &a[0]
		}
		if p.before != nil {
			b = b[1:]
		}
		if p.after != nil {
			a = a[1:]
		}
		if p.before == nil || p.after == nil || p.before.Digest == "" || p.before.Digest != p.after.Digest {
			p.environment, p.against = e.Environment, cmp.Or(e.Against, e.Environment)
			all = append(all, p)
		}
	}
	return all
}

// patch is what becomes of a suite; before or after is nil for one that is new or gone.
type patch struct {
	environment, against string
	before, after        *catalog.Suite
}

func (p patch) write(w io.Writer, colours diff.ColorConfig) error {
	b, a := catalog.Masked(suiteOf(p.before), suiteOf(p.after))
	before, err := yamlOf(b)
	if err != nil {
		return err
	}
	after, err := yamlOf(a)
	if err != nil || before == after { // without digests all suites are looked at
		return err
	}
	from, to := diffPath("a/"+p.against, p.before), diffPath("b/"+p.environment, p.after)
	if _, err := fmt.Fprintf(w, "%s--- %s\n+++ %s%s\n", colours[diff.Meta], from, to, colours.Reset(diff.Meta)); err != nil {
		return err
	}
	return diff.NewUnifiedEncoder(w, diffContext).SetColor(colours).Encode(chunks(compareLines(before, after)))
}

func diffPath(folder string, s *catalog.Suite) string {
	if s == nil {
		return "/dev/null"
	}
	return clean(folder + "/" + s.Name)
}

func suiteOf(s *catalog.Suite) *v1alpha1.TestSuite {
	if s == nil {
		return nil
	}
	return &s.TestSuite
}

// yamlOf is "" for nothing.
func yamlOf(tree any) (string, error) {
	if tree == nil {
		return "", nil
	}
	data, err := yaml.Marshal(tree)
	return string(data), err
}

// compareLines gives what becomes of the lines in turn.
func compareLines(before, after string) []chunk {
	if strings.Count(before, "\n")+strings.Count(after, "\n") > diffLines {
		return []chunk{{diff.Delete, before}, {diff.Add, after}}
	}
	d := diffmatchpatch.New()
	d.DiffTimeout = diffTime
	// Lines stand for runes here. DiffMain with its own line mode gives wrong results.
	b, a, lines := d.DiffLinesToRunes(before, after)
	var all []chunk
	for _, part := range d.DiffCharsToLines(d.DiffMainRunes(b, a, false), lines) {
		all = append(all, chunk{operations[part.Type], part.Text})
	}
	return all
}

var operations = map[diffmatchpatch.Operation]diff.Operation{
	diffmatchpatch.DiffEqual: diff.Equal, diffmatchpatch.DiffInsert: diff.Add, diffmatchpatch.DiffDelete: diff.Delete,
}

// chunk is some lines and what becomes of them.
type chunk struct {
	operation diff.Operation
	text      string
}

func (c chunk) Type() diff.Operation { return c.operation }

// Content is the lines, with nothing in them that could move the cursor.
func (c chunk) Content() string {
	var b strings.Builder
	for line := range strings.Lines(c.text) {
		b.WriteString(clean(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}

// chunks is a patch of one file, without a header: that names suites, not files.
type chunks []chunk

func (c chunks) FilePatches() []diff.FilePatch { return []diff.FilePatch{c} }
func (c chunks) Message() string               { return "" }
func (c chunks) IsBinary() bool                { return false }
func (c chunks) Files() (from, to diff.File)   { return nil, nil }
func (c chunks) Chunks() (all []diff.Chunk) {
	for _, one := range c {
		if one.text != "" {
			all = append(all, one)
		}
	}
	return all
}
