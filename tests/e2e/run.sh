#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh WORLD [--quick] [--unit] [TEST...]: end-to-end tests in a rig of that world (deb12, deb13 or sid).
#   --unit  also runs the unit tests there; TEST as in lib_run.py (test_rig, test_rig.Rig.test_users, a path)
#   --build only builds there
# deb12 uses the finished build in $PODSHARK_BUILD (default build/release); the others build first, inside their
# root, in $PODSHARK_BUILD (default build/WORLD). Closing line: N passed, M failed, K skipped.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
rig=$top/tests/rig/rig.sh
cache=${PODSHARK_CACHE:-/var/cache/podshark}
world=${1:-} quick=() unit='' only_build=''
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=(--quick) ;;
    --unit) unit=yes ;;
    --build) only_build=yes ;;
    *) break ;;
  esac
  shift
done
case $world in
  deb12) root=/ build=${PODSHARK_BUILD:-$top/build/release} ;;
  deb13) root=$("$rig" root trixie) build=${PODSHARK_BUILD:-$top/build/deb13} ;;
  sid) root=$("$rig" root sid) build=${PODSHARK_BUILD:-$top/build/sid} ;;
  *) sed -n '3,7s/^# //p' "$0" >&2; exit 2 ;;
esac
name=e2e-$world-$$
export PODSHARK_WORLD=$world PODSHARK_BIN=$build PODSHARK_ARTIFACTS=$top/build/artifacts/$world
export CCACHE_DIR=$cache/ccache CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1
mkdir -p "$build" "$PODSHARK_ARTIFACTS" "$CCACHE_DIR"
trap '"$rig" down "$name"' EXIT
trap 'exit 130' INT TERM
"$rig" up "$name" "$root" "$top" "$build" "$CCACHE_DIR"
[ -n "$only_build" ] || "$rig" image "$name"

if [ "$world" != deb12 ]; then
  exec 9>"$build/.lock"
  flock 9  # two runs may share the build tree
  "$rig" in "$name" cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DPODSHARK_WERROR=ON -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  "$rig" in "$name" ninja -C "$build" -k 0
  exec 9>&-
fi
[ -z "$only_build" ] || exit 0

status=0
if [ -n "$unit" ]; then
  "$rig" in "$name" "$top/tests/ctest.sh" "$build" -L unit || status=1
fi
"$rig" in "$name" /usr/bin/python3 "$top/tests/e2e/lib_run.py" "${quick[@]}" "$@" || status=1
exit $status
