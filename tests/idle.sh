#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# idle.sh CMD...: runs CMD in the computing time that nobody else wants. It leads a session, and so a process group.
# Why a session: where autogroups are on, the kernel weighs sessions against each other first (sched(7)).
# shellcheck disable=SC2016  # expanded inside
exec setsid --wait bash -c '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec chrt --idle 0 "$@"' idle "$@"
