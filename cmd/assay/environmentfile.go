package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// maxEnvironmentFile bounds what is read of one.
const maxEnvironmentFile = 4 << 20

// environmentFiles are the values of --environment-file.
type environmentFiles []string

func addEnvironmentFileFlag(command *cobra.Command) *environmentFiles {
	files := &environmentFiles{}
	command.Flags().StringArrayVar((*[]string)(files), "environment-file", nil,
		"manifest `FILE` of the TestEnvironment, whose policy is checked too; repeatable")
	return files
}

// read gives the environments that are looked at by name. What else is in a file is passed
// over, but a file without any of them is a mistake.
func (files environmentFiles) read(refs []v1alpha1.EnvironmentRef) (map[string]*v1alpha1.TestEnvironment, error) {
	environments := map[string]*v1alpha1.TestEnvironment{}
	for _, name := range files {
		inFile, err := readEnvironments(name)
		if err != nil {
			return nil, fault.At(err, fault.Place{File: name})
		}
		found := false
		for _, env := range inFile {
			if slices.ContainsFunc(refs, func(ref v1alpha1.EnvironmentRef) bool { return ref.Name == env.Name }) {
				environments[env.Name], found = env, true
			}
		}
		if !found {
			return nil, fault.New(fault.EnvironmentNotFound, fault.Place{File: name}, "name the manifest of one that is looked at",
				"it has no TestEnvironment of that name")
		}
	}
	return environments, nil
}

// readEnvironments gives the environments of a file, read strictly.
func readEnvironments(name string) ([]*v1alpha1.TestEnvironment, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.InvalidSpec, fault.Place{}, "name the manifest of a TestEnvironment", "opening it: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read from
	data, err := io.ReadAll(io.LimitReader(file, maxEnvironmentFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	if len(data) > maxEnvironmentFile {
		return nil, fault.New(fault.LimitExceeded, fault.Place{}, "name the manifest of a TestEnvironment alone", "it has more than %d bytes", maxEnvironmentFile)
	}
	var environments []*v1alpha1.TestEnvironment
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return environments, nil
		}
		var env *v1alpha1.TestEnvironment
		if err == nil {
			env, err = decodeEnvironment(document)
		}
		if err != nil {
			return nil, fault.New(fault.InvalidSpec, fault.Place{}, "", "it cannot be understood: %w", err)
		}
		if env != nil {
			environments = append(environments, env)
		}
	}
}

// decodeEnvironment gives nil for a document that is something else.
func decodeEnvironment(document []byte) (*v1alpha1.TestEnvironment, error) {
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := sigsyaml.Unmarshal(document, &kind); err != nil {
		return nil, err
	}
	if kind.APIVersion != v1alpha1.GroupVersion.String() || kind.Kind != v1alpha1.TestEnvironmentKind {
		return nil, nil
	}
	env := &v1alpha1.TestEnvironment{}
	return env, sigsyaml.UnmarshalStrict(document, env)
}
