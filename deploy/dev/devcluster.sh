#!/usr/bin/env bash
# Builds bin/devcluster. It finds its own sources by the paths in the program, so those stay.
set -euo pipefail
cd "$(dirname "$0")/../devcluster"
GOFLAGS=-buildvcs=false go build -o ../../bin/devcluster .
