#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh [-o DIR]: builds podshark_VERSION~DEBIAN_ARCH.deb of this checkout, for the Debian and the Wireshark that this
# machine has, into DIR (default: build/debian). Unsigned, binary only, needs no root.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
install=${here%/*}
source_dir=${install%/*}
# shellcheck source=../lib/say.sh
. "$install/lib/say.sh"
# shellcheck source=../lib/system.sh
. "$install/lib/system.sh"

out=$source_dir/build/debian
case $#:${1:-} in
  0:) ;;
  2:-o) out=$2 ;;
  *) sed -n '3,4s/^# //p' "$0" >&2; exit 2 ;;
esac

# 12 → deb12; testing and sid have no number. deb12 < deb13 < sid, so that an upgrade of Debian is one of ours.
debian_name() {
  local version
  version=$(os_release VERSION_ID)
  if [ -n "$version" ]; then echo "deb$version"; else echo sid; fi
}

# What Debian expects at the top of the tree, from install/debian/debian and what is said elsewhere already.
write_debian() {
  local to=$1 version depends permit
  version=$(sed -n 's/^project(podshark VERSION \([0-9.]*\).*/\1/p' "$source_dir/CMakeLists.txt")~$(debian_name)
  depends=$(sed -e '/^#/d' -e '/^g++$/d' "$install/packages-build.txt" | paste -sd, | sed 's/,/, /g')
  cp -r "$here/debian" "$to"
  sed -i "s/@BUILD_DEPENDS@/$depends/" "$to/control"
  permit=$(sed -n 's/^\(podshark-[a-z]*\) /  permit \1 /p' "$install/capabilities.txt")
  sed -i "s/^  @PERMIT@/${permit//$'\n'/\\n}/" "$to/podshark.postinst"
  printf 'podshark (%s) unstable; urgency=medium\n\n  * Built from Podshark'"'"'s sources, whose CHANGELOG.md tells what is new.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^Maintainer: //p' "$to/control")" "$(date -R -r "$source_dir/CHANGELOG.md")" >"$to/changelog"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/podshark"
for part in CMakeLists.txt podman extcap plugin install docs README.md CHANGELOG.md; do
  cp -r "$source_dir/$part" "$work/podshark"
done
write_debian "$work/podshark/debian"
cd "$work/podshark"
# Its debugging symbols would take most of the time and nobody asks for them.
export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}" CCACHE_BASEDIR=$PWD
dpkg-buildpackage -us -uc -b >"$work/log" 2>&1 || {
  tail -n 30 "$work/log" >&2
  die "dpkg-buildpackage failed (above); needs build-essential, debhelper and install/packages-build.txt"
}
mv -- "$work"/podshark_*.deb "$out/"
ls "$out"/podshark_*.deb
