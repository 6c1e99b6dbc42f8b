#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# agent_alone.sh COMPILER [LAUNCHER]: podshark-agent can be built from its folder alone, as extcap/agent/README.md says for
# other architectures; what comes out is what check_agent.py expects.
set -eu
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake -S "$here/../../extcap/agent" -B "$work" -DCMAKE_CXX_COMPILER="$1" -DCMAKE_CXX_COMPILER_LAUNCHER="${2:-}" -G Ninja \
  -DPODSHARK_WERROR=ON >"$work/log"
cmake --build "$work" >"$work/log" || { cat "$work/log"; exit 1; }
"$here/check_agent.py" "$work/podshark-agent" "$work"/extcap/agents/podshark-agent-*.gz
