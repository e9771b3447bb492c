// Command images builds the images of the examples, without a container engine: the shop, its
// probe, and the tools that run its suites. It prints the tar of each on a line of its own.
//
//	go run . [-out DIR] [NAME...]
//
// What has not changed is not built again. `devcluster load` and `docker load` read the tars.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/deploy/devcluster/image"
)

// recipe makes an image.
type recipe struct {
	name string
	// spec gathers what goes into the image.
	spec func(builder) (image.Spec, error)
}

var recipes = []recipe{
	{"shop", shop},
	{"probe", probe},
	{"shell", shell},
	{"go", goToolchain},
	{"k6", k6},
}

func main() {
	out := flag.String("out", filepath.Join(os.TempDir(), "assay-images"), "folder of the tars and of what is kept between builds")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// run builds the named images, or all.
func run(out string, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(recipes, func(r recipe) bool { return r.name == name }) {
			return fmt.Errorf("no image %q: there are %s", name, strings.Join(allNames(), ", "))
		}
	}
	b, err := newBuilder(out)
	if err != nil {
		return err
	}
	for _, r := range recipes {
		if len(names) > 0 && !slices.Contains(names, r.name) {
			continue
		}
		archive, err := b.build(r)
		if err != nil {
			return fmt.Errorf("image %q: %w", r.name, err)
		}
		fmt.Println(archive)
	}
	return nil
}

func allNames() []string {
	var names []string
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}
