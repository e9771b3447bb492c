# Two commands matter: make demo, and make test. Both need Debian, Go and root, install what
# else they need, and use the cluster that KUBECONFIG names instead of their own when it is set.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export GOTOOLCHAIN := local
# One set of flags for the image and the tests, so that nothing is compiled twice.
export GOFLAGS := -buildvcs=false -trimpath
export CGO_ENABLED := 0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
MODULES := deploy/devcluster examples/images examples/shop
CLUSTER = eval "$$(deploy/dev/cluster.sh)"

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Show the main job: a pull request that breaks something, and its mend.
	@export ASSAY_PAGES="$$(command -v npm || true)"; $(CLUSTER); deploy/dev/install.sh; go run ./examples/demo

.PHONY: test
test: lint test-unit test-fuzz test-apiserver test-devcluster test-e2e ## Everything, in this order.
	@echo "All tests passed: lint, unit, fuzz, API server, devcluster, end to end. make demo shows the whole."

.PHONY: lint
lint: ## gofmt, vet, staticcheck, generated code up to date.
	@deploy/dev/lint.sh $(STATICCHECK)

.PHONY: test-unit
test-unit: ## Tests that need no cluster.
	go test ./...
	for m in $(MODULES); do (cd $$m && go test ./...); done

.PHONY: test-fuzz
test-fuzz: ## Fuzz what reads suites and kustomizations and selects by paths, for a few seconds each.
	@deploy/dev/fuzz.sh 30 '^Fuzz(ParseFile|Values|Scan|Reference|ReferenceInField|Selection|Plan)$$'

FUZZ_SECONDS := 150
FUZZ := .
.PHONY: fuzz
fuzz: ## All of them, or those whose names match FUZZ, in FUZZ_SECONDS together (150).
	@deploy/dev/fuzz.sh $(FUZZ_SECONDS) '$(FUZZ)'

.PHONY: test-apiserver
test-apiserver: ## Tests on a real API server, without nodes.
	@deploy/dev/devcluster.sh
	export KUBEBUILDER_ASSETS="$$(bin/devcluster assets)"; \
	go test -tags apiserver $$(git grep -l '^//go:build apiserver' | xargs -n1 dirname | sort -u | sed 's,^,./,')

.PHONY: test-devcluster
test-devcluster: ## Tests of the cluster that the others stand on: two side by side, broken, mended, gone.
	@deploy/dev/devcluster.sh
	bin/devcluster build # building takes long the first time, says so, and counts for no test's timeout
	cd deploy/devcluster && GOFLAGS=-buildvcs=false go test -tags cluster -count=1 -timeout 20m .

.PHONY: test-e2e
test-e2e: ## Tests on a real cluster with a real Gitea.
	@$(CLUSTER); deploy/dev/install.sh; \
	go test -tags e2e -count=1 -timeout 30m $$(git grep -l '^//go:build e2e' | xargs -n1 dirname | sort -u | sed 's,^,./,')

.PHONY: bench-git
bench-git: ## What many and big repositories cost, beside the git command. Needs only git.
	go run ./deploy/bench/fleet

.PHONY: bench-render
bench-render: ## What rendering costs beside the kustomize program, on one repository; needs no cluster.
	go run ./deploy/bench/render

.PHONY: bench
bench: bench-git bench-render ## Seconds from push to status, and what a run costs beside bare pods.
	@$(CLUSTER); deploy/dev/install.sh; go run ./deploy/bench

.PHONY: generate
generate: ## CRDs, deep copies, and the reference of both.
	go generate ./...

.PHONY: clean
clean: ## Take the demo's cluster and Gitea down again.
	@deploy/dev/devcluster.sh
	bin/devcluster gitea down; bin/devcluster down
