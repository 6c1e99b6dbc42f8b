#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tsan.sh: the tests of what runs in several threads, with ThreadSanitizer. Everything else has one thread.
set -eu
cd "$(dirname "$0")/.."
cmake --preset tsan -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DPODSHARK_PLUGIN=OFF
cmake --build --preset tsan --target unit_threads
tests/ctest.sh build/tsan -R '^threads\.'
