#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# remote.sh: captures over ssh, ours beside sshdump and ssh … tcpdump, in a Debian 13 rig, with the finished build in
# $PODSHARK_BUILD (default build/deb13, which tests/e2e/run.sh deb13 --build makes). Prints a table.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
rig=$top/tests/rig/rig.sh
build=${PODSHARK_BUILD:-$top/build/deb13}
name=bench-$$
export PODSHARK_WORLD=deb13 PODSHARK_BIN=$build
trap '"$rig" down "$name"' EXIT
trap 'exit 130' INT TERM
"$rig" up "$name" "$("$rig" root trixie)" "$top" "$build"
"$rig" image "$name"
"$rig" in "$name" /usr/bin/python3 "$top/tests/bench/remote.py"
