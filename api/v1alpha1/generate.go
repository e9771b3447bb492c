package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.22.0 object paths=. crd paths=. output:crd:dir=../../deploy/crds
//go:generate go run github.com/elastic/crd-ref-docs@v0.3.0 --source-path=. --config=../../docs/reference/config.yaml --renderer=markdown --output-path=../../docs/reference/api.md
