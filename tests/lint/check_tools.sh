#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check_tools.sh format|fix|shell: clang-format on all C++ sources (fix: rewrites them), or shellcheck on all scripts.
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
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
