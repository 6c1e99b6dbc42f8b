#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# short.sh PROGRAM [SECONDS]: twenty seconds, or SECONDS, of a fuzz target from its seeds. An input that it fails on is left
# beside the program. Without SECONDS the mutations are always the same, so that a change is judged and not chance.
set -eu
here=$(dirname "$(readlink -f "$0")")
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
target=$(basename "$1")
seed=1
[ $# -lt 2 ] || seed=0  # another each time
/usr/bin/python3 -B "$here/make_corpus.py" "$corpus" "${target#fuzz_}"
# By the clock, and CI runs it in time that nobody else wants: what hangs, hangs for longer than that.
"$1" "$corpus" -seed="$seed" -max_total_time="${2:-20}" -max_len=16384 -timeout=60 -print_final_stats=1 -artifact_prefix="$1."
