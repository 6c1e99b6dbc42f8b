#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh WORLD: the installer, doctor and demo as people use them, in a rig of that world (deb12 or deb13), of which
# nothing remains but the build trees ${PODSHARK_INSTALL_BUILD:-build/install-test-WORLD}-system and -user.
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
# Beside the other builds, not below: the compiler cache knows sources by their path from the build tree.
trees=("$build-system" "$build-user")
mkdir -p "${trees[@]}" "$CCACHE_DIR"
trap '"$rig" down "$name"' EXIT
trap 'exit 130' INT TERM
"$rig" up "$name" "$root" "$top" "${trees[@]}" "$CCACHE_DIR"
"$rig" image "$name"
# The build trees of root and of the user 'rig' are made in there, so both have to be writable for their owner.
"$rig" in "$name" chown -R rig: "$build-user"
status=0
# The same warnings as elsewhere, so that the compiler cache knows these objects already.
"$rig" in "$name" env CMAKE_CXX_COMPILER_LAUNCHER=ccache PODSHARK_WERROR=ON \
  "$top/tests/install/inside.sh" "$build" || status=$?
# What 'rig' made belongs to a user who is only known inside.
chown -R --reference="$top" "${trees[@]}"
exit $status
