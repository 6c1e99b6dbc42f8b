#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# long.sh [SECONDS]: every fuzz target for an hour, or SECONDS. Closing line: N passed, N failed, N skipped.
set -u
seconds=${1:-3600} passed=0 failed=0
cd "$(dirname "$0")/../.." || exit 1
tests/build.sh clang -DPODSHARK_UNIT_TESTS=OFF || exit 1
for target in build/clang/tests/fuzz/fuzz_*; do
  if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
  if tests/fuzz/short.sh "$target" "$seconds"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
