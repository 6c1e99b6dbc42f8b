#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh PRESET [-DOPTION=VALUE…]: configures and builds all of a preset, with the compiler cache.
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
cmake --build --preset "$preset" -- -k 0
