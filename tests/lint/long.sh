#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# long.sh: clang-tidy on every program; that build compiles no files together.
set -eu
cd "$(dirname "$0")/../.."
tests/build.sh clang -DPODSHARK_UNIT_TESTS=OFF
exec tests/lint/check_tools.sh tidy-all build/clang
