#!/usr/bin/env bash
# Lints the product's module: formatting, vet, staticcheck, and that generated code is what
# generating it again gives.
set -euo pipefail
cd "$(dirname "$0")/../.."
staticcheck="$1"
echo "lint: gofmt"
unformatted="$(gofmt -l $(git ls-files '*.go'))"
[[ -z "$unformatted" ]] || { echo "not formatted (run gofmt -w):"; echo "$unformatted"; exit 1; }
echo "lint: go vet, with every build tag"
go vet -tags 'apiserver e2e' ./...
echo "lint: staticcheck"
go run "$staticcheck" -tags 'apiserver e2e' ./...
echo "lint: go.mod is tidy, generated code is up to date"
before="$(mktemp)"; trap 'rm -f "$before"' EXIT
state() { cat go.mod go.sum $(git ls-files 'api/*zz_generated*' 'deploy/crds/*' 'docs/reference*') | sha256sum; }
state > "$before"
go mod tidy
go generate ./...
state | cmp -s - "$before" || { echo "go.mod or generated code was not up to date (run make generate and go mod tidy, and commit):"; git status --short; exit 1; }
