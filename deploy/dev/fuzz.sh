#!/usr/bin/env bash
# Runs every Fuzz function of the module, each for its share of so many seconds: fuzz.sh 150
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds="${1:-150}"
# A package's tests are listed by compiling them, so that none is missed for how it is written.
list="$(go test -run '^$' -list '^Fuzz' $(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') |
  awk '/^Fuzz/ {names = names " " $1} /^ok/ {n = split(names, f, " "); for (i = 1; i <= n; i++) print $2, f[i]; names = ""}')"
[[ -n "$list" ]] || { echo "there are no Fuzz functions to run"; exit 1; }
each="$((seconds / $(wc -l <<< "$list")))"
((each > 0)) || each=1
while read -r package name; do
  echo "fuzz: $package $name, ${each}s"
  # A crash leaves its input in the package's testdata/fuzz: commit it with the fix. Go calls it
  # a failure, too, when the time is up before it has begun (golang.org/issue/56238); that is none.
  out="$(go test -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" "$package" </dev/null 2>&1)" || {
    if grep -q 'Failing input written' <<< "$out" || ! grep -q '^ *context deadline exceeded$' <<< "$out"; then
      echo "$out"; exit 1
    fi
  }
  grep 'execs' <<< "$out" | tail -1 || true
done <<< "$list"
