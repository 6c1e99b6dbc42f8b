#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# metadata.sh: what software centres and rpmbuild are told is well formed, and of this version.
set -euo pipefail
cd "$(dirname "$0")/../../install"
appstreamcli validate --no-net org.podshark.Podshark.metainfo.xml
said=$(rpmlint rpm/podshark.spec)
# Only of old versions of rpm, and of sources that are published somewhere.
! grep -E ' [EW]: ' <<<"$said" | grep -vE 'no-buildroot-tag|invalid-url Source0' || exit 1
rpmspec -P rpm/podshark.spec >/dev/null
version=$(sed -n 's/^project(podshark VERSION \([0-9.]*\).*/\1/p' ../CMakeLists.txt)
grep -qx "Version:  *$version" rpm/podshark.spec || { echo "podshark.spec is not of version $version"; exit 1; }
