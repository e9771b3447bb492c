#!/usr/bin/env bash
# Builds the product's and the examples' images, loads them into the cluster of
# deploy/dev/cluster.sh, and installs Assay there. Expects that script's variables.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${KUBECONFIG:?run eval \"\$(deploy/dev/cluster.sh)\" first}"
started=$SECONDS
say() { printf '[%3ds] %s\n' $((SECONDS - started)) "$*" >&2; }

say "building assay and assay-exec"
CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath" go build -ldflags '-s -w' -o bin/ ./cmd/assay ./cmd/assay-exec
[[ -x bin/devcluster ]] || deploy/dev/devcluster.sh

# A tag that changes with the program makes the Deployment roll when it does.
tag="dev-$(cat bin/assay bin/assay-exec | sha256sum | cut -c1-12)"
say "making the image assay.dev/assay:$tag"
bin/devcluster image -o bin/assay.tar --tag "assay.dev/assay:$tag" --ca-certificates --user 65532:65532 \
  --entrypoint /assay --file /assay=bin/assay:0755 --file /assay-exec=bin/assay-exec:0755 >&2
say "making the images of the examples (k6 is built from its module the first time, which takes minutes)"
# It finds its own sources by the paths in the program, so those stay.
list="$(cd examples/images && GOFLAGS=-buildvcs=false go run . -out "${ASSAY_IMAGES:-$HOME/.cache/assay-images}")"
mapfile -t tars <<< "$list"
for tar in bin/assay.tar "${tars[@]}"; do
  say "loading $(basename "$tar")"
  $ASSAY_LOAD "$tar" >&2
done

say "installing Assay"
overlay="$(mktemp -d -p . .install-XXXXXX)"
trap 'rm -rf "$overlay"' EXIT
cat > "$overlay/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../deploy]
components: [../deploy/webhook]
images: [{name: assay.dev/assay, newTag: "$tag"}]
patches:
- target: {kind: Deployment, name: assay-controller}
  patch: |
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: --insecure-allow-http}
YAML
"$KUBECTL" apply --server-side --force-conflicts -k "$overlay" >&2
"$KUBECTL" -n assay-system rollout status deployment/assay-controller --timeout=180s >&2
say "Assay runs"
