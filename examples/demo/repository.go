package main

import (
	_ "embed"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:embed repository.yaml
var repositoryYAML []byte

// repositoryObjects are the TestRepository of the shop and the Secret that it names.
func repositoryObjects(h host) ([]*unstructured.Unstructured, error) {
	repository := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(repositoryYAML, &repository.Object); err != nil {
		return nil, fmt.Errorf("repository.yaml: %w", err)
	}
	if err := unstructured.SetNestedField(repository.Object, h.repository(), "spec", "url"); err != nil {
		return nil, err
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Secret",
		"metadata":   map[string]any{"name": "gitea", "namespace": repository.GetNamespace()},
		"stringData": map[string]any{"username": h.user, "password": h.token},
	}}
	return []*unstructured.Unstructured{secret, repository}, nil
}
