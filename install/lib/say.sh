# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# One-line messages: say for progress, note for what the reader should know, die for the end.

say() { printf 'podshark: %s\n' "$*"; }
note() { printf 'podshark: note: %s\n' "$*" >&2; }
die() {
  printf 'podshark: error: %s\n' "$*" >&2
  exit 1
}
