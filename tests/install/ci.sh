#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests/run.sh runs of this folder: both worlds.
here=$(dirname "$0")
status=0
for world in deb12 deb13; do "$here/run.sh" "$world" || status=1; done
exit $status
