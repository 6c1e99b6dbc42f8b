#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sudo tests/run.sh [--quick | --long [NAME...]] [--no-install]: installs what the tests need, builds, tests; README.md.
#   (neither)  everything CI runs       --quick  five minutes after the build      --long  only tests/long.txt
# Its last lines: how many minutes it took; N passed, N failed, N skipped. Exits 1 when anything failed.
# shellcheck disable=SC2317  # steps are called by name
set -uo pipefail
top=$(readlink -f "$(dirname "$0")/..")
cd "$top" || exit 1
what=ci install=yes names=()
for arg; do
  case $what:$arg in
    *:--quick | *:--long) what=${arg#--} ;;
    *:--no-install) install= ;;
    long:[a-z]*) names+=("$arg") ;;
    *) sed -n '3,5s/^# //p' "$0" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || { echo "tests/run.sh: must run as root (the rig makes namespaces and mounts)" >&2; exit 1; }
# Debian's own programs first, whatever the caller's PATH holds.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export PODSHARK_CACHE=${PODSHARK_CACHE:-/var/cache/podshark}
export CCACHE_DIR=$PODSHARK_CACHE/ccache CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1  # other checkouts' objects serve too
unset PODSHARK_BUILD LIBRARY_PATH CPATH CXXFLAGS LDFLAGS
mkdir -p build/logs "$CCACHE_DIR"
began_run=$EPOCHSECONDS passed=0 failed=0 skipped=0 bad=()

# step NAME CMD...: runs CMD with its output in build/logs/NAME.log and adds its closing line to the totals; a step
# without one is a single test by its exit code.
step() {
  local name=$1 began=$SECONDS status=0
  shift
  "$@" >"build/logs/$name.log" 2>&1 </dev/null || status=$?
  count "$name" "$status" $((SECONDS - began))
}
count() {  # NAME EXIT-STATUS SECONDS
  local name=$1 log=build/logs/$1.log status=$2 line p=0 f=0 s=0
  took=$3
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | awk '{p += $1; f += $3; s += $5}
    END {if (NR) print p, f, s}')
  read -r p f s <<<"${line:-$((status == 0)) 0 0}"
  # A run that died, or failed before its tests, failed once more than it counted.
  if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  result="$p passed, $f failed, $s skipped"
  printf '%-16s %4d s   %s   %s\n' "$name" "$took" "$result" "$log"
  [ "$f" != 0 ] || return 0
  bad+=("$name")
  echo "--- end of $log"
  tail -n 30 "$log"
  echo "---"
  return 1
}
# reasons NAME: what failed in that step. Why an end-to-end test failed stands indented below its line.
reasons() {
  awk '/^FAILED/ {on = 1} !/^FAILED|^ / {on = 0} on || /^not ok|^\[  FAILED|error:|\*\*\*Failed/' "build/logs/$1.log" |
    cut -c 1-300 | head -n 60 | awk -v step="$1" '{print step ": " $0}'
}

packages() {
  local missing=() package
  while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done < <(grep -v '^#' tests/packages.txt)
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "missing: ${missing[*]}"
  [ -n "$install" ] || return 1
  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

# meanwhile NAME CMD...: a step that computes while others mostly wait, as end-to-end tests do: in idle time, so that it
# takes nothing from them. One at a time, in the order given. collect NAME: waits for it and counts it.
declare -A job=()
last_job=''
meanwhile() {
  local name=$1
  shift
  (
    [ -z "$last_job" ] || tail --pid="$last_job" -f /dev/null
    SECONDS=0 status=0
    tests/idle.sh "$@" >"build/logs/$name.log" 2>&1 </dev/null &
    trap 'kill -- -$!; exit 143' TERM
    wait $! || status=$?
    echo $SECONDS >"build/logs/$name.took"
    exit $status
  ) &
  last_job=$! job[$name]=$!
}
collect() {
  local status=0
  wait "${job[$1]}" || status=$?
  count "$1" "$status" "$(cat "build/logs/$1.took")"
}
# shellcheck disable=SC2046  # one number each
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# long NAME COMMAND: one of tests/long.txt; its row in docs/LONG-TESTS.md says when it was last run and how that went.
long() {
  local table=docs/LONG-TESTS.md machine
  machine="$(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
  step "long-$1" bash -c "$2"
  { grep -v "^| $1 |" $table
    echo "| $1 | $(date -u '+%F %H:%M') | $version | $machine | $took s | $result |"; } >$table.new
  cat $table.new >$table && rm $table.new
}

finish() {
  local name
  grep -h '^unsteady' build/logs/e2e-*.log 2>/dev/null
  for name in "${bad[@]}"; do reasons "$name"; done  # last, where a log that was cut still has it
  [ ${#bad[@]} = 0 ] || echo "failed: ${bad[*]}"
  echo "the whole run: $(((EPOCHSECONDS - began_run + 30) / 60)) minutes"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ] && [ $passed -gt 0 ]
  exit
}

step packages packages || finish
step build tests/build.sh release || finish
case $what in
  quick)
    step quick tests/ctest.sh build/release -L 'quick|unit'
    step e2e-deb12 tests/e2e/run.sh deb12 --quick ;;
  ci)
    step rig tests/rig/selftest.sh  # alone: it looks for what a rig leaves behind
    meanwhile build-deb13 tests/e2e/run.sh deb13 --build
    meanwhile clang tests/build.sh clang -DPODSHARK_UNIT_TESTS=OFF
    meanwhile build-asan tests/build.sh asan-ubsan
    meanwhile fuzz tests/ctest.sh build/clang -L fuzz
    meanwhile asan-ubsan tests/ctest.sh build/asan-ubsan -L unit
    meanwhile tsan tests/tsan.sh
    meanwhile analysis tests/ctest.sh build/release -L ci
    scripts=()  # other folders' own
    for script in tests/*/ci.sh; do
      name=$(basename "$(dirname "$script")")
      scripts+=("$name") && meanwhile "$name" "$script"
    done
    step quick tests/ctest.sh build/release -L 'quick|unit' -LE wireshark  # these are among e2e-deb12's
    step e2e-deb12 tests/e2e/run.sh deb12
    collect build-deb13 && step e2e-deb13 tests/e2e/run.sh deb13 --unit
    for name in clang build-asan fuzz asan-ubsan tsan analysis "${scripts[@]}"; do collect "$name"; done ;;
  long)
    version=$(git describe --always --dirty 2>/dev/null || echo unknown)  # before the table changes
    while read -r name command; do
      [ ${#names[@]} = 0 ] || [[ " ${names[*]} " = *" $name "* ]] || continue
      long "$name" "$command"
    done < <(grep -vE '^#|^$' tests/long.txt) ;;
esac
finish
