#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [CHECK...]: podshark against a real API server, kubelet and containerd (Kubernetes 1.20.2), which build.sh compiles
# first where they are missing. Uses the finished build in $PODSHARK_BUILD (default build/release), as root; Debian 12.
# Closing line: N passed, M failed, 0 skipped.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")
export PODSHARK_BIN=${PODSHARK_BUILD:-$top/build/release}
dir=$("$here/build.sh")
images=$(mktemp -d)
trap '"$here/up.sh" down "$dir"; rm -rf "$images"' EXIT
trap 'exit 130' INT TERM

# busybox alone, and with tcpdump and what it is linked with; `pause` is what the kubelet holds a pod's network with.
image() {
  local applet file
  mkdir -p "$images/$1"/{bin,etc,tmp,proc,sys,dev}
  chmod 1777 "$images/$1/tmp"
  cp "$(command -v busybox)" "$images/$1/bin/busybox"
  for applet in sh sleep cat httpd wget ping id ls ps kill nc timeout dd true base64 gunzip mktemp chmod rm uname nsenter grep mkdir; do
    ln -s busybox "$images/$1/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$images/$1/etc/passwd"
  shift
  for file; do cp --parents -L "$file" "$images/tool"; done
}
image pause
image plain
tcpdump=$(command -v tcpdump)
mapfile -t libraries < <(ldd "$tcpdump" | grep -o '/[^ ]*')
image tool "$tcpdump" "${libraries[@]}"
# One without a shell, and podshark-agent alone, as docs/KUBERNETES.md has it made.
mkdir -p "$images/bare" "$images/agent"
cp "$(command -v busybox)" "$images/bare/busybox"
gunzip -c "$PODSHARK_BIN/extcap/agents/podshark-agent-$(uname -m).gz" >"$images/agent/podshark-agent"
chmod 755 "$images/agent/podshark-agent"
"$here/up.sh" up "$dir" "agent=$images/agent" "bare=$images/bare" "pause=$images/pause" "plain=$images/plain" "tool=$images/tool"
"$here/up.sh" in "$dir" /usr/bin/python3 "$here/checks.py" "$dir" "$@"
