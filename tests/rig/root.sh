#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# root.sh SUITE DIR: makes or reuses DIR/SUITE, a Debian tree with packages.txt installed, and prints its path.
# It serves as the lower layer of overlays, so it is never changed in place: a new list makes a new tree.
set -eu
suite=$1 dir=$2
here=$(dirname "$(readlink -f "$0")")
packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
stamp=$(printf '%s' "$packages" | sha256sum | cut -d' ' -f1)
mkdir -p "$dir"
exec 9>"$dir/$suite.lock"
flock 9  # two test runs may want the same root
if [ ! -d "$dir/$suite" ] || [ "$(cat "$dir/$suite.stamp" 2>/dev/null)" != "$stamp" ]; then
  options=()
  # sid's Release files of a mirror or snapshot may be past their date.
  [ "$suite" != sid ] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
  rm -rf "$dir/$suite.tmp" "$dir/$suite.stamp"
  mmdebstrap --variant=minbase --include="$packages" "${options[@]}" "$suite" "$dir/$suite.tmp" >&2
  rm -rf "${dir:?}/$suite"
  mv "$dir/$suite.tmp" "$dir/$suite"
  printf '%s\n' "$stamp" >"$dir/$suite.stamp"
fi
echo "$dir/$suite"
