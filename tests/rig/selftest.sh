#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# selftest.sh [WORLD...]: runs containers of every kind in a rig of each world (deb12, deb13), fetches from them
# as a client outside, takes the rig down and asserts that nothing is left on the machine.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
rig=$here/rig.sh
name=selftest-$$
top=/sys/fs/cgroup
[ ! -d $top/unified ] || top=$top/unified
work=$(mktemp -d)
trap '"$rig" down "$name"; rm -rf "$work"' EXIT
passed=0 failed=0

check() {  # check NAME CMD...: runs CMD, counts and reports
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what" >&2; fi
}

# What a rig could leave on the machine, one thing a line. Other rigs may come and go meanwhile: not ours.
snapshot() {
  local others="podshark-rig/|podshark-(?!$name)"
  # libmount's own directory, which the first mount by anybody on a freshly booted machine makes; nothing in it.
  others+="|^file /run/mount 755 root\$"
  {
    ip -o -br link | awk '{print "link", $1, $3}'
    ip -o addr | awk '{print "addr", $2, $4}'
    ip netns | sed 's/^/netns /'
    ip route | sed 's/^/route /'
    cut -d' ' -f5- /proc/self/mountinfo | sed 's/^/mount /'
    find "$top" -maxdepth 2 -type d -printf 'cgroup %p\n' 2>/dev/null
    nft list ruleset | sed 's/^/nft /'
    sed 's/^/passwd /' /etc/passwd /etc/group /etc/subuid /etc/subgid
    find /run /var/lib/containers /etc/containers -printf 'file %p %m %u\n' 2>/dev/null || true
    stat -c 'file %n %a' /dev/net/tun /tmp /home /home/* 2>/dev/null || true
    sysctl -e net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.bridge.bridge-nf-call-iptables
    find /run/podshark-rig -maxdepth 1 -name "$name" -printf 'rig %p\n' 2>/dev/null || true
  } | { grep -vP "$others" || true; } | sort -u
}

# The machine's pids of our rig, each with its start time; and the namespaces they are in.
rig_pids() {
  local pid
  find "$top/podshark-$name" -name cgroup.procs -exec cat {} + | while read -r pid; do
    stat_of "$pid" || true
  done | sort
}
stat_of() {  # "PID STARTTIME" unless gone or a zombie
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  line=${line##*) }
  # shellcheck disable=SC2086
  set -- "$1" $line
  [ "$2" != Z ] && echo "$1 ${21}"
}
namespaces_of() { cut -d' ' -f1 | while read -r pid; do readlink /proc/"$pid"/ns/* 2>/dev/null || true; done | sort -u; }

# A killed process is out of its cgroup a moment before it is a zombie: poll.
nothing_alive() {
  local pid start i
  while read -r pid start; do
    for ((i = 0; i < 50; i++)); do
      [ "$(stat_of "$pid" || true)" = "$pid $start" ] || continue 2
      sleep 0.1
    done
    echo "left: process $pid" >&2
    return 1
  done <"$work/pids"
}
# No process is in a namespace that only our rig had. Inode numbers are used again at once, so one that started
# after 'down' (clock ticks since boot, as in stat) proves nothing.
nothing_held() {
  local path inode pid line
  while read -r path inode; do
    grep -qxF "$inode" "$work/namespaces" || continue
    pid=${path#/proc/} pid=${pid%%/*}
    line=$(stat_of "$pid" || true)
    [ -z "$line" ] || [ "${line#* }" -gt "$1" ] || { echo "left: $path $inode" >&2; return 1; }
  done < <(find /proc/[0-9]*/ns -printf '%p %l\n' 2>/dev/null | grep -Ff "$work/namespaces")
}
nothing_new() {  # the kernel frees namespaces and links a moment after their last process: poll
  for _ in $(seq 50); do
    snapshot >"$work/after"
    cmp -s "$work/before" "$work/after" && return
    sleep 0.1
  done
  diff "$work/before" "$work/after" >&2
}

bb() { "$rig" "$1" "$name" podman run -d "${@:2}" localhost/bb:1 httpd -f -p 80 -h /www >/dev/null; }
fetch() {
  for _ in $(seq 50); do
    "$rig" client "$name" busybox wget -q -O - "http://203.0.113.1:$1/" 2>/dev/null | grep -q hello && return
    sleep 0.1
  done
  return 1
}
denied() { ! "$@" >/dev/null 2>&1; }

# rig.sh shell as a person uses it: a terminal, a command inside, exit.
by_hand() {
  # grep reads to the end: with -q it would leave early, and 'script' would end by SIGPIPE before the rig is down.
  script -qec "$rig shell $name-hand" /dev/null <<<'podman images --format "{{.Repository}}:{{.Tag}}"; exit' |
    grep -P 'localhost/bb:1\r?$' >/dev/null && [ ! -e "/run/podshark-rig/$name-hand" ]
}

world() {
  local root=/ down_at
  [ "$1" = deb12 ] || root=$("$rig" root trixie)
  snapshot >"$work/before"
  readlink /proc/self/ns/* | sort -u >"$work/outer"
  "$rig" up "$name" "$root" "$here"
  check "$1: image" "$rig" image "$name"
  check "$1: rootful bridge" bb in --name web -p 28080:80
  check "$1: rootless default" bb user --name own -p 28081:80
  check "$1: rootless bridge" bb user --name bridged --network bridge -p 28082:80
  check "$1: pod" "$rig" in "$name" podman pod create --name shop -p 28083:80 >/dev/null
  check "$1: pod member" bb in --pod shop --name front
  for port in 28080 28081 28082 28083; do check "$1: fetch $port from outside" fetch $port; done
  check "$1: member of wireshark" "$rig" as "$name" member sh -c 'id -Gn | grep -qw wireshark'
  check "$1: other is no member" "$rig" as "$name" other sh -c '! id -Gn | grep -qw wireshark'
  check "$1: rig has no capabilities" "$rig" user "$name" grep -q 'CapEff:.0*$' /proc/self/status
  check "$1: bound directory readable" "$rig" as "$name" other test -r "$here/rig.sh"
  check "$1: second rig of the name refused" denied "$rig" up "$name"
  rig_pids >"$work/pids"
  namespaces_of <"$work/pids" | { grep -vxFf "$work/outer" || true; } >"$work/namespaces"
  check "$1: the rig has processes and namespaces" test -s "$work/pids" -a -s "$work/namespaces"
  "$rig" down "$name"
  down_at=$(awk -v hz="$(getconf CLK_TCK)" '{printf "%d", $1 * hz}' /proc/uptime)
  check "$1: no process left" nothing_alive
  check "$1: no namespace left" nothing_held "$down_at"
  check "$1: nothing else left" nothing_new
}

[ $# -gt 0 ] || set -- deb12 deb13
for w; do world "$w"; done
check "a rig by hand" by_hand
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
