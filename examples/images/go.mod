// The images of the examples, built without a container engine. Apart from the product, whose
// go.mod needs none of this.
module github.com/assay-dev/assay/examples/images

go 1.26.0

require github.com/assay-dev/assay/deploy/devcluster v0.0.0

require (
	github.com/google/go-containerregistry v0.22.1 // indirect
	github.com/klauspost/compress v1.19.2 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
)

replace github.com/assay-dev/assay/deploy/devcluster => ../../deploy/devcluster
