#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh PRESET: configures and builds all of a preset, with the compiler cache.
set -eu
cd "$(dirname "$0")/.."
cmake --preset "$1" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
cmake --build --preset "$1" -- -k 0
