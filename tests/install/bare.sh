# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian that has nothing yet, as a rig with a way out. Sets name, root, work; needs the network. To be sourced.

top=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
rig=$top/tests/rig/rig.sh
cache=${PODSHARK_CACHE:-/var/cache/podshark}
passed=0 failed=0 rigs=() uplinks=()

clean_up() {
  local rig_name pid
  for rig_name in "${rigs[@]}"; do "$rig" down "$rig_name"; done
  for pid in "${uplinks[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf --one-file-system "$work"
}
mkdir -p "$cache"
work=$(mktemp -d "$cache/bare.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM

# make_bare SUITE DIR [PACKAGE...]: iproute2 and catatonit are what the rig itself needs.
make_bare() {
  local suite=$1 dir=$2 options=()
  shift 2
  [ "$suite" != sid ] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
  mmdebstrap --variant=minbase --include="$(IFS=,; echo "iproute2,catatonit${*:+,$*}")" "${options[@]}" "$suite" "$dir"
}

# rig_with_network NAME ROOT [BIND...]: a rig has no way out; this one gets one, and forgets the outside client.
rig_with_network() {
  local name=$1 uplink
  "$rig" up "$@"
  rigs+=("$name")
  slirp4netns --configure --mtu=1500 --disable-host-loopback "$(cat "/run/podshark-rig/$name/pid")" tap0 >"$work/slirp-$name.log" 2>&1 &
  uplink=$!
  uplinks+=("$uplink")
  until "$rig" in "$name" ip -o addr show tap0 2>/dev/null | grep -q 10.0.2.100; do
    kill -0 "$uplink" || { cat "$work/slirp-$name.log"; exit 1; }
    sleep 0.1
  done
  "$rig" in "$name" ip link del wan0  # its documentation addresses may be a mirror's here
  "$rig" in "$name" ip route replace default via 10.0.2.2 dev tap0
  "$rig" in "$name" sh -c 'rm -f /etc/resolv.conf; echo nameserver 10.0.2.3 >/etc/resolv.conf'
}

check() {  # NAME CMD...
  local what=$1 status=0
  shift
  set +e  # not as a condition: bash would ignore set -e in there
  (set -e; "$@")
  status=$?
  set -e
  if [ $status = 0 ]; then passed=$((passed + 1)); echo "ok     $what"; else failed=$((failed + 1)); echo "FAILED $what"; fi
}
# fails CMD...: set -e does not look at '! CMD'.
fails() { if "$@"; then echo "should have failed: $*"; return 1; fi; }
# run CMD...: its output in $work/log, shown when it fails.
run() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }; }

# A rootful container through the helper that is the group's, with names by the plugin. `inside` and `member` are the caller's.
member_captures() {
  member podshark capture web -i eth0 -f 'tcp port 80' -c 4 --duration 30 -q -w /home/member/m.pcapng &
  local capture=$!
  while kill -0 "$capture" 2>/dev/null; do
    inside busybox wget -qO /dev/null http://127.0.0.1:8080/ || true
    sleep 0.1
  done
  wait "$capture"
  member tshark -r /home/member/m.pcapng -Y 'podman.dst.name == "web"' -T fields -e tcp.dstport >"$work/log"
  grep -qx 80 "$work/log"
}

finish() {
  echo "$passed passed, $failed failed, 0 skipped"
  [ $failed = 0 ]
  exit
}
