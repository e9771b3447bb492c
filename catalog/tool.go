package catalog

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
)

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
	// Env that the tool needs in a pod with a read-only root and an unknown user; a suite's
	// own variable of the same name wins.
	Env []corev1.EnvVar `json:"env,omitempty"`
	// Report for suites without one.
	Report v1alpha1.ReportSource `json:"report"`
}

// Tools gives the presets, sorted by name. The caller may change what it gets.
func Tools() []Tool {
	tools := slices.Clone(presets())
	for i, t := range tools {
		tools[i].Command = slices.Clone(t.Command)
		tools[i].Env = slices.Clone(t.Env)
	}
	return tools
}

//go:embed tools/*.yaml
var toolFiles embed.FS

// presets reads the embedded files once. They are part of the program, and a test reads them
// all, so a broken one is a panic.
var presets = sync.OnceValue(func() []Tool {
	entries, err := toolFiles.ReadDir("tools")
	if err != nil {
		panic(err)
	}
	var tools []Tool
	for _, entry := range entries {
		data, err := toolFiles.ReadFile("tools/" + entry.Name())
		if err != nil {
			panic(err)
		}
		var t Tool
		if err := yaml.UnmarshalStrict(data, &t); err != nil {
			panic(fmt.Sprintf("tools/%s: %v", entry.Name(), err))
		}
		tools = append(tools, t)
	}
	slices.SortFunc(tools, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	return tools
})

func toolNames() []string {
	names := make([]string, len(presets()))
	for i, t := range presets() {
		names[i] = t.Name
	}
	return names
}

// tool gives the preset of the name; the zero Tool, which fills in nothing, for an unknown one.
func tool(name string) Tool {
	for _, t := range presets() {
		if t.Name == name {
			return t
		}
	}
	return Tool{}
}
