package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"bufio"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// maxEnvironmentFile bounds what is read of one.
const maxEnvironmentFile = 4 << 20

// environmentFiles are the values of --environment-file.
type environmentFiles []string

func addEnvironmentFileFlag(command *cobra.Command) *environmentFiles {
	var files environmentFiles
	command.Flags().StringArrayVar((*[]string)(&files), "environment-file", nil,
		"manifest `FILE` of the TestEnvironment, whose policy is checked too; repeatable")
	return &files
}

// read gives the environments by name; what else is in the files is passed over.
func (files environmentFiles) read() (map[string]*v1alpha1.TestEnvironment, error) {
	environments := map[string]*v1alpha1.TestEnvironment{}
	for _, name := range files {
		if err := readEnvironments(name, environments); err != nil {
			return nil, fault.At(err, fault.Place{File: name})
		}
	}
	return environments, nil
}

func readEnvironments(name string, into map[string]*v1alpha1.TestEnvironment) error {
	file, err := os.Open(name)
	if err != nil {
		return fault.New(fault.InvalidSpec, fault.Place{}, "name the manifest of a TestEnvironment", "opening --environment-file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read from
	documents := yaml.NewYAMLReader(bufio.NewReader(io.LimitReader(file, maxEnvironmentFile)))
	found := false
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading --environment-file: %w", err)
		}
		env, is, err := decodeEnvironment(document)
		if err != nil {
			return fault.New(fault.InvalidSpec, fault.Place{}, "", "it is no TestEnvironment: %w", err)
		}
		if is {
			into[env.Name], found = env, true
		}
	}
	if !found {
		return fault.New(fault.InvalidSpec, fault.Place{}, "name the manifest of one", "there is no TestEnvironment in it")
	}
	return nil
}

// decodeEnvironment reads a document strictly if it is an environment.
func decodeEnvironment(document []byte) (*v1alpha1.TestEnvironment, bool, error) {
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := sigsyaml.Unmarshal(document, &kind); err != nil {
		return nil, false, err
	}
	if kind.APIVersion != v1alpha1.GroupVersion.String() || kind.Kind != v1alpha1.TestEnvironmentKind {
		return nil, false, nil
	}
	env := &v1alpha1.TestEnvironment{}
	return env, true, sigsyaml.UnmarshalStrict(document, env)
}
