#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# long.sh [SECONDS [NAME...]]: every fuzz target, or those named, for an hour, or SECONDS, one on each processor.
# Closing line: N passed, N failed, N skipped.
set -u
seconds=${1:-3600} count=0 failed=0
names=("${@:2}")
cd "$(dirname "$0")/../.." || exit 1
tests/build.sh clang -DPODSHARK_UNIT_TESTS=OFF || exit 1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(find build/clang/tests/fuzz -maxdepth 1 -type f -executable -name 'fuzz_*' -printf '%f\n' | sed 's/^fuzz_//')
# shellcheck disable=SC2016  # the inner shell's own
printf 'build/clang/tests/fuzz/fuzz_%s\0' "${names[@]}" |
  xargs -0 -P "$(nproc)" -I '{}' sh -c 'tests/fuzz/short.sh "$1" "$2" >"$3/${1##*/}" 2>&1 || : >"$3/${1##*/}.failed"' sh '{}' "$seconds" "$logs"
for log in "$logs"/fuzz_*; do
  case $log in
    *.failed) failed=$((failed + 1)); echo "failed: $(basename "${log%.failed}")"; tail -n 60 "${log%.failed}" ;;
    *) count=$((count + 1)); echo "$(basename "$log"): $(grep -E '^#[0-9]+.DONE' "$log")" ;;
  esac
done
echo "$((count - failed)) passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$count" -gt 0 ]
