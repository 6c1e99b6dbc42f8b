#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [TEST...]: the plugin in real tshark, on made-up captures; needs no podman and no privileges. PODSHARK_BUILD
# names the build tree (default build/release). TEST as test_plugin.Fields. Closing line: N passed, M failed, K skipped.
set -eu
top=$(readlink -f "$(dirname "$0")/../..")
export PODSHARK_BUILD=${PODSHARK_BUILD:-$top/build/release} LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
[ $# -gt 0 ] || set -- test_plugin test_fields
exec /usr/bin/python3 "$top/tests/e2e/lib_run.py" "$@"
