package catalog

import "github.com/assay-dev/assay/api/v1alpha1"

// Tool is the preset of a tool: what a suite that names it need not write. To add one, add a
// YAML file to tools/ and its name to the enum of spec.tool.
type Tool struct {
	// Name as in spec.tool.
	Name string `json:"name"`
	// Description is one line for people.
	Description string `json:"description"`
	// Image for suites without one; empty: the suite must name its own.
	Image string `json:"image,omitempty"`
	// Command for suites without one; empty: the image's entry point.
	Command []string `json:"command,omitempty"`
	// Report for suites without one.
	Report v1alpha1.ReportSource `json:"report"`
}

// Tools gives the presets, sorted by name.
func Tools() []Tool { panic("being written") }
