#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# manual.sh BUILD: mandoc and man find nothing to say about the manual pages of that build.
set -euo pipefail
cd "$1/extcap/manual"
pages=(./*.1)
[ ${#pages[@]} -gt 10 ] || { echo "there are only ${#pages[@]} pages in $PWD"; exit 1; }
# A page that is made anew with each build has no date, and others are not installed here.
said=$(mandoc -T lint -W warning "${pages[@]}" | grep -v 'missing date' || true)
said+=$(for page in "${pages[@]}"; do man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null; done)
[ -z "$said" ] || { printf '%s\n' "$said"; exit 1; }
