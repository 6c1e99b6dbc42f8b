#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# images.sh: makes the pictures of docs/images anew, with real Wireshark in a Debian 12 rig and the build in build/release.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
cd "$top"
tests/e2e/run.sh deb12 test_tour test_menu.Filters.test_the_menu_has_all_entries
for picture in build/artifacts/deb12/tour/*.png build/artifacts/deb12/menu.png; do
  # Half as many bytes, and windows have few colours.
  convert "$picture" -strip -dither None -colors 200 -define png:compression-level=9 "PNG8:docs/images/$(basename "$picture")"
done
