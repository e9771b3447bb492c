package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const reference = "../../docs/cli.md"

// TestReferenceIsTheHelp keeps docs/cli.md to what the commands say themselves.
func TestReferenceIsTheHelp(t *testing.T) {
	want := markdown(newRootCommand())
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/cli.md is not current; go test ./cmd/assay -run Reference -update writes it (-help +file):\n%s", diff)
	}
}

// TestHelpIsWhole holds every command to a help that can be worked with.
func TestHelpIsWhole(t *testing.T) {
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its short help is %q, want words without a full stop", c.CommandPath(), c.Short)
		}
		for line := range strings.SplitSeq(c.Long+"\n"+c.Example, "\n") {
			if len(line) > 100 {
				t.Errorf("%s: a line of its help has %d characters, want at most 100: %s", c.CommandPath(), len(line), line)
			}
		}
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(newRootCommand())
}

// markdown gives the reference of a command and those below it.
func markdown(root *cobra.Command) string {
	root.InitDefaultCompletionCmd()
	var b strings.Builder
	b.WriteString("<!-- Written by go test ./cmd/assay -run Reference -update from the help of the commands. -->\n")
	fmt.Fprintf(&b, "# The command line\n\n%s\n", root.Long)
	b.WriteString("\nResults go to the standard output, progress and problems to the standard error. A problem is one\nline: `file:line: field: message (remedy)`.\n")
	b.WriteString("\n| command | |\n| --- | --- |\n")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
		}
	}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			section(&b, c)
		}
	}
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, strings.ReplaceAll(e.meaning, "\n", " "))
	}
	return b.String()
}

func section(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
	if c.Long != "" {
		fmt.Fprintf(b, "%s\n", c.Long)
	} else {
		fmt.Fprintf(b, "%s.\n", c.Short)
	}
	if c.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", undent(c.Example))
	}
	c.InitDefaultHelpFlag()
	if flags := c.LocalFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(b, "\n```\n%s```\n", flags)
	}
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() {
			fmt.Fprintf(b, "\n- `%s`: %s", child.CommandPath(), child.Short)
		}
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n")
	}
}

func undent(s string) string {
	return strings.ReplaceAll(strings.TrimPrefix(s, "  "), "\n  ", "\n")
}
