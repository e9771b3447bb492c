#!/usr/bin/env bash
# Runs the Fuzz functions of the module, or those whose names match, each for its share of so many
# seconds: fuzz.sh 150 [FuzzScan]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds="${1:-150}" pattern="${2:-.}" module="$(go list -m)" cache="$(go env GOCACHE)/fuzz"
work="$(mktemp -d)"; trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"; export TMPDIR="$work/tmp" # the fuzzer leaves folders behind when its time is up
mapfile -t dirs < <(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u)
# Only our own code guides the fuzzer: go test -fuzz would compile everything that we use, the
# standard library and Kubernetes' packages included, a second time with counters in it.
echo "fuzz: compiling ${#dirs[@]} packages"
go test -c -o "$work/" -gcflags="$module/...=-d=libfuzzer" "${dirs[@]/#/./}"
list=()
for dir in "${dirs[@]}"; do
  names="$(cd "$dir" && "$work/${dir##*/}.test" -test.list '^Fuzz')"
  for name in $names; do [[ ! "$name" =~ $pattern ]] || list+=("$dir $name"); done
done
((${#list[@]} > 0)) || { echo "fuzz: no Fuzz function matches $pattern"; exit 1; }
each="$((seconds / ${#list[@]}))"
((each > 0)) || each=1
for entry in "${list[@]}"; do
  read -r dir name <<< "$entry"
  # A crash leaves its input in the package's testdata/fuzz: commit it with the fix. Making
  # inputs smaller is nearly left out, as it takes up to a minute for each that is new.
  out="$(cd "$dir" && "$work/${dir##*/}.test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "${each}s" \
    -test.fuzzminimizetime 20x -test.fuzzcachedir "$cache/$module/$dir" </dev/null 2>&1)" || {
    # Go calls it a failure, too, when the time is up before it has begun or while an input is
    # made smaller (golang.org/issue/56238); that is none.
    if grep -q 'Failing input written' <<< "$out" || ! grep -q '^ *context deadline exceeded$' <<< "$out"; then
      cut -c1-2000 <<< "$out"; exit 1
    fi
  }
  echo "fuzz: $dir $name, $(grep 'execs' <<< "$out" | tail -1 || true)"
done
