package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestKustomizationsBuild(t *testing.T) {
	for folder, want := range map[string]string{
		"platform":            "Namespace shop-staging",
		"shop/deploy/staging": "Deployment shop-staging/shop",
		"shop/deploy/prod":    "Deployment shop-prod/shop",
	} {
		t.Run(folder, func(t *testing.T) {
			onDisk, err := buildFolder(filepath.Join("..", folder))
			if err != nil {
				t.Fatal(err)
			}
			inTree, err := buildTree(os.DirFS(".."), folder)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(names(onDisk), names(inTree)) || !slices.Contains(names(onDisk), want) {
				t.Errorf("on the disk %q, in the tree %q, want %q in both", names(onDisk), names(inTree), want)
			}
		})
	}
}

func names(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		name := o.GetName()
		if o.GetNamespace() != "" {
			name = o.GetNamespace() + "/" + name
		}
		all = append(all, o.GetKind()+" "+name)
	}
	return all
}

func TestRepositoryObjects(t *testing.T) {
	objects, err := repositoryObjects(host{url: "http://gitea:3000", user: "robin", token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(objects); !slices.Equal(got, []string{"Secret shop/gitea", "TestRepository shop/shop"}) {
		t.Errorf("got %q", got)
	}
	url, _, _ := unstructured.NestedString(objects[1].Object, "spec", "url")
	if url != "http://gitea:3000/robin/shop.git" {
		t.Errorf("url is %q", url)
	}
}

// The mistake must be one that the shop's own tests find, and the mend must be none.
func TestRulesOfTheStory(t *testing.T) {
	shop := t.TempDir()
	if err := os.CopyFS(shop, os.DirFS("../shop")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		rules string
		fails bool
	}{
		"broken": {brokenRules, true},
		"mended": {mendedRules, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(shop, rulesFile), []byte(test.rules), 0o644); err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), "go", "test", "-run", "TestRulesKeepTheMargin", "./services/checkout")
			c.Dir = shop
			if out, err := c.CombinedOutput(); (err != nil) != test.fails {
				t.Errorf("%v, want a failure: %t\n%s", err, test.fails, out)
			}
		})
	}
}
