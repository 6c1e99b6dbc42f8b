#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [NAME...]: benchmarks (or those named, functions of bench.py's TABLES and ROWS) in a Debian 12 rig, with the finished build in
# $PODSHARK_BUILD (default build/release); then what the plugin costs, and the file formats alone. Prints Markdown tables;
# PODSHARK_BENCH_ROUNDS (default 5) says how often each pair is run. remote.sh has those over ssh.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
rig=$top/tests/rig/rig.sh
build=${PODSHARK_BUILD:-$top/build/release}
name=bench-$$
export PODSHARK_WORLD=deb12 PODSHARK_BIN=$build
trap '"$rig" down "$name"' EXIT
trap 'exit 130' INT TERM
"$rig" up "$name" / "$top" "$build"
"$rig" image "$name"
"$rig" in "$name" /usr/bin/python3 "$top/tests/bench/bench.py" "$@"
[ $# -eq 0 ] || exit 0
PODSHARK_BUILD=$build /usr/bin/python3 "$top/tests/bench/plugin_cost.py"
"$build/tests/bench/bench_formats"
