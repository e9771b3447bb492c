#!/usr/bin/env bash
# Brings up what the demo, the end-to-end tests and the benchmarks stand on, and prints it as
# shell assignments: KUBECONFIG, GITEA_URL, GITEA_USER, GITEA_TOKEN, KUBECTL.
#
# With KUBECONFIG set, that cluster is used as it is; images are then loaded by $ASSAY_LOAD
# (a command that takes a tar, such as "kind load image-archive"), and GITEA_URL, GITEA_USER
# and GITEA_TOKEN must name a Gitea that its pods reach, and that reaches its Services, as the
# tests of webhooks do. Otherwise devcluster brings up both.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bin
if [[ -n "${KUBECONFIG:-}" ]]; then
  : "${GITEA_URL:?with KUBECONFIG set, GITEA_URL, GITEA_USER and GITEA_TOKEN must name a Gitea too}" "${GITEA_USER:?}" "${GITEA_TOKEN:?}"
  : "${ASSAY_LOAD:?with KUBECONFIG set, ASSAY_LOAD must be a command that loads an image tar into the cluster}"
  kubectl="kubectl"
else
  name="${ASSAY_CLUSTER:-assay}"
  deploy/dev/devcluster.sh >&2
  bin/devcluster up --name "$name" >&2
  # ASSAY_PAGES=yes builds the style sheets of Gitea's pages too, which needs npm.
  bin/devcluster gitea up ${ASSAY_PAGES:+--pages} >&2
  KUBECONFIG="$(bin/devcluster kubeconfig --name "$name")"
  eval "$(bin/devcluster gitea env)"
  ASSAY_LOAD="$PWD/bin/devcluster load --name $name"
  kubectl="$(bin/devcluster assets)/kubectl"
fi
for v in KUBECONFIG GITEA_URL GITEA_USER GITEA_TOKEN ASSAY_LOAD; do printf 'export %s=%q\n' "$v" "${!v}"; done
printf 'export KUBECTL=%q\n' "$kubectl"
[[ "$kubectl" == kubectl ]] || printf 'export PATH=%q:"$PATH"\n' "$(dirname "$kubectl")"
