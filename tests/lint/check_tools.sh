#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check_tools.sh format|fix|shell|cppcheck|tidy BUILD|tidy-all BUILD: clang-format on all C++ sources (fix: rewrites
# them), all scripts through shellcheck, cppcheck on all programs, or clang-tidy: on what holds privileges or runs on
# other machines, or on everything, which takes a quarter of an hour.
set -eu
cd "$(dirname "$0")/../.."
tops=(podman extcap plugin tests install .ci)
case $1 in
  format | fix)
    option=(--dry-run --Werror)
    [ "$1" = format ] || option=(-i)
    find "${tops[@]}" -type f \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 -r clang-format "${option[@]}" ;;
  shell)
    grep -rlIZE --exclude-dir=fixtures '^#!/(usr/)?bin/(env )?(ba|da)?sh' "${tops[@]}" | xargs -0 -r shellcheck -x -P SCRIPTDIR ;;
  cppcheck)
    cppcheck -q -j "$(nproc)" --std=c++20 --template=gcc -I. --enable=warning,performance,portability --inline-suppr \
      --suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 podman extcap plugin \
      -i extcap/drops/drops.bpf.c ;;  # its macros are the kernel's
  tidy | tidy-all)
    folders=(podman/wire extcap/worker extcap/drops extcap/agent)
    [ "$1" = tidy ] || folders=(podman extcap plugin)
    find "${folders[@]}" -name '*.cpp' -print0 | xargs -0 -r -n 4 -P "$(nproc)" clang-tidy -p "$2" --quiet ;;
  *) sed -n '3,5s/^# //p' "$0" >&2; exit 2 ;;
esac
