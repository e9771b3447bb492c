package main

import (
	"fmt"
	"os"

	"github.com/assay-dev/assay/deploy/devcluster/image"
)

// nonroot is the user of every image, and what test pods run as.
const nonroot = "65532:65532"

const searchPath = "PATH=/usr/local/bin:/usr/local/go/bin:/bin"

// shop and probe are what the Dockerfile of the shop makes too.
func shop(b builder) (image.Spec, error)  { return fromShop(b, "shop") }
func probe(b builder) (image.Spec, error) { return fromShop(b, "probe") }

func fromShop(b builder, command string) (image.Spec, error) {
	binary, err := b.compile("shop", "./cmd/"+command, "/"+command)
	return image.Spec{
		Tag:        "assay.dev/shop/" + command + ":dev",
		Files:      []image.File{binary},
		Entrypoint: []string{"/" + command},
		User:       nonroot,
	}, err
}

// shell is Debian's static busybox and httpc.
func shell(b builder) (image.Spec, error) {
	if err := ensurePackage("/bin/busybox", "busybox-static"); err != nil {
		return image.Spec{}, err
	}
	files, err := image.Busybox()
	if err != nil {
		return image.Spec{}, err
	}
	httpc, err := b.compile("images", "./httpc", "/usr/local/bin/httpc")
	return image.Spec{
		Tag:        "assay.dev/tools/shell:dev",
		Files:      append(files, httpc, image.CACertificates()),
		Entrypoint: []string{"/bin/sh"},
		Env:        []string{searchPath},
		User:       nonroot,
	}, err
}

// k6 is built from its Go module, by a module that holds its dependencies apart.
func k6(b builder) (image.Spec, error) {
	if _, err := os.Stat(b.out + "/bin/k6"); err != nil {
		fmt.Fprintln(os.Stderr, "k6     is compiled: some minutes the first time")
	}
	binary, err := b.compile("images/k6", "go.k6.io/k6", "/usr/local/bin/k6")
	return image.Spec{
		Tag:        "assay.dev/tools/k6:dev",
		Files:      append(image.Accounts(), binary, image.CACertificates()),
		Entrypoint: []string{"k6"},
		Env:        []string{searchPath, "K6_NO_USAGE_REPORT=true", "K6_NO_COLOR=true"},
		User:       nonroot,
	}, err
}
