#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh WORLD: the installer, doctor and demo as people use them, in a rig of that world (deb12 or deb13), of which
# nothing remains. The build tree ($PODSHARK_INSTALL_BUILD, default build/install-test-WORLD) is kept for the next run.
# Closing line: N passed, N failed, N skipped.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
rig=$top/tests/rig/rig.sh
world=${1:-}
case $world in
  deb12) root=/ ;;
  deb13) root=$("$rig" root trixie) ;;
  *) sed -n '3,5s/^# //p' "$0" >&2; exit 2 ;;
esac
name=install-$world-$$
build=${PODSHARK_INSTALL_BUILD:-$top/build/install-test-$world}
export CCACHE_DIR=${PODSHARK_CACHE:-/var/cache/podshark}/ccache CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1
mkdir -p "$build" "$CCACHE_DIR"
trap '"$rig" down "$name"' EXIT
trap 'exit 130' INT TERM
"$rig" up "$name" "$root" "$top" "$build" "$CCACHE_DIR"
"$rig" image "$name"
# The build trees of root and of the user 'rig' are made in there, so both have to be writable for their owner.
mkdir -p "$build/system" "$build/user"
"$rig" in "$name" chown -R rig: "$build/user"
status=0
# The same warnings as elsewhere, so that the compiler cache knows these objects already.
"$rig" in "$name" env CMAKE_CXX_COMPILER_LAUNCHER=ccache PODSHARK_WERROR=ON "$top/tests/install/inside.sh" "$build" || status=$?
# What 'rig' made belongs to a user who is only known inside.
chown -R --reference="$top" "$build"
exit $status
