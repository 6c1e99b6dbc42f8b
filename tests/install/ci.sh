#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests/run.sh runs of this folder: the installer in both worlds, the tarball, and the package of
# this Debian.
here=$(dirname "$0")
status=0
for world in deb12 deb13; do "$here/run.sh" "$world" || status=1; done
"$here/tarball.sh" || status=1
"$here/packages.sh" bookworm || status=1
exit $status
