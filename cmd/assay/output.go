package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// The output formats.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

var formats = []string{formatTable, formatJSON, formatYAML}

// outputFlag is the flag --output; its value is one of the formats.
type outputFlag string

func (o *outputFlag) String() string { return string(*o) }
func (o *outputFlag) Type() string   { return "format" }

func (o *outputFlag) Set(s string) error {
	if !slices.Contains(formats, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(formats, ", "))
	}
	*o = outputFlag(s)
	return nil
}

// addOutputFlag gives the command the flag --output with a default.
func addOutputFlag(command *cobra.Command, format string) *outputFlag {
	o := outputFlag(format)
	command.Flags().VarP(&o, "output", "o", "how to print the result: "+strings.Join(formats, ", "))
	err := command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was added above
	}
	return &o
}

// print writes value as JSON or YAML, or calls table for the table. A value of several
// documents is the caller's to write.
func (o *outputFlag) print(w io.Writer, value any, table func(io.Writer)) error {
	switch *o {
	case formatJSON:
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(value)
	case formatYAML:
		data, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	table(t)
	return t.Flush()
}

// row writes the cells of one row of a table. Cells come from repositories and pods, so
// nothing in them may move the cursor.
func row(w io.Writer, cells ...string) {
	for i, c := range cells {
		cells[i] = clean(c)
	}
	fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// clean replaces control characters, with which text from elsewhere could rewrite what the
// terminal shows.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return '�'
		}
		return r
	}, s)
}
