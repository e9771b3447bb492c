package v1alpha1

//go:generate go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.22.0 object paths=. crd paths=. output:crd:dir=../../deploy/crds
