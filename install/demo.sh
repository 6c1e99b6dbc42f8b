#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh: shows that the installed Podshark works. Starts a small container with a published port, captures it
# through tshark as Wireshark would, prints the packets with container names and writes ./demo.pcapng.
# The image is made on the spot from busybox-static; container and image are removed afterwards.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=lib/say.sh
. "$here/lib/say.sh"
# shellcheck source=lib/private.sh
. "$here/lib/private.sh"

name=podshark-demo
image=localhost/podshark-demo:1
requests=3
patience=30  # seconds for each step that waits for an event; far more than it takes

tshark_said() { grep -v '^Running as user' "$work/tshark.err" 2>/dev/null | tail -n 6 | tr '\n' ' ' || true; }

# wait_until WHAT CMD...: polls a condition; the capture ending first, or no success in time, is an error.
wait_until() {
  local what=$1 end=$((SECONDS + patience))
  shift
  until "$@"; do
    if [ -n "${tshark_pid:-}" ] && ! kill -0 "$tshark_pid" 2>/dev/null; then
      die "tshark ended before $what: $(tshark_said)"
    fi
    [ $SECONDS -lt $end ] || die "no sign of $what after $patience s: $(tshark_said)"
    sleep 0.1
  done
}

clean_up() {
  if [ -n "${tshark_pid:-}" ]; then kill "$tshark_pid" 2>/dev/null || true; fi
  remove_container
  remove_private_group
  rm -rf "$work"
}

remove_container() {
  podman rm -f -t 0 "$name" >/dev/null 2>&1 || true
  podman rmi -f "$image" >/dev/null 2>&1 || true
}

# A root file system of one static program.
make_image() {
  local tree=$work/image
  mkdir -p "$tree"/{bin,www,tmp}
  install -m 0755 "$(command -v busybox)" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/httpd"
  echo 'Hello from a Podman container.' >"$tree/www/index.html"
  tar -C "$tree" --owner=0 --group=0 -c . |
    podman import -q --change 'CMD ["httpd","-f","-p","80","-h","/www"]' - "$image"
}

# Only to this machine, on a port that podman chooses. Its messages are in $work/podman.err.
start_container() {
  remove_container
  { make_image >"$work/image.id" &&
    podman create --name "$name" --stop-signal KILL -p 127.0.0.1::80 "$image" >"$work/container.id" &&
    podman start "$name" >/dev/null; } 2>"$work/podman.err"
}

libpod_parents() { find /sys/fs/cgroup -type d -name libpod_parent 2>/dev/null | sort; }

# What a failed start leaves in the cgroup tree: the container's group, and podman's own where there was none before.
remove_cgroups() {
  local id group
  id=$(cat "$work/container.id" 2>/dev/null || true)
  {
    [ ${#id} != 64 ] || find /sys/fs/cgroup -type d -name "*$id*" 2>/dev/null
    comm -13 <(cat <<<"$parents_before") <(libpod_parents)
  } | while IFS= read -r group; do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

# The last thing podman said, which names the cause, without its log prefix.
podman_reason() { grep -v '^time=.*level=warn' "$work/podman.err" | tail -n 1 | cut -c 1-300; }

# One HTTP request from this machine to the published port, answered with 200. By bash alone: a static busybox
# wget crashes where the name service of its glibc is missing. cat writes it in one piece, as a browser would.
page() {
  local address request=$'GET /'$1$' HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r'  # <<< adds the last newline
  address=$(podman port "$name" 80/tcp | head -n 1)
  # shellcheck disable=SC2016  # expanded by that shell
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat <<<"$2" >&3 && cat <&3' "${address%:*}" "${address##*:}" "$request" \
    2>/dev/null | grep ' 200 OK' >/dev/null
}

# Wireshark's interface list may be a moment old; tshark knows only what is in it.
listed() { tshark -D 2>/dev/null | grep "podman:$name " >/dev/null; }

# The interface appears in the file when the link is attached; from then on no packet is missed.
capture_runs() { grep -aqs "podman:$name/" "$work/demo.pcapng"; }

# The last answer is in the file.
answers_captured() {
  [ "$(tshark_read -Y 'http.response.code == 200' -T fields -e frame.number | wc -l)" -ge $requests ]
}

# While it grows, the file's last block may be cut short: that is no error here.
tshark_read() { tshark -n -r "$work/demo.pcapng" "$@" 2>/dev/null || true; }

capture() {
  tshark -n -q -i "podman:$name" -w "$work/demo.pcapng" 2>"$work/tshark.err" &
  tshark_pid=$!
  wait_until "the start of the capture" capture_runs
  for i in $(seq $requests); do page "?request=$i" || die "request $i to the published port failed"; done
  wait_until "the answers in the capture" answers_captured
  kill -INT "$tshark_pid"
  wait "$tshark_pid" || die "tshark failed: $(tshark_said)"
  tshark_pid=
}

show() {
  local lines format='%-4s %-24s %-24s %-9s %s\n'
  lines=$(tshark -n -r "$work/demo.pcapng" -Y tcp -T fields -E separator='|' -e frame.number -e podman.src.name \
    -e ip.src -e tcp.srcport -e podman.dst.name -e ip.dst -e tcp.dstport -e tcp.flags.str -e http.request.uri \
    -e http.response.phrase 2>"$work/read.err") || die "tshark could not read it: $(tr '\n\t' '  ' <"$work/read.err")"
  # shellcheck disable=SC2059  # a constant
  printf "$format" No. From To Flags HTTP
  while IFS='|' read -r number src ip port dst dip dport flags uri phrase; do
    # shellcheck disable=SC2059
    printf "$format" "$number" "${src:-$ip}:$port" "${dst:-$dip}:$dport" "${flags//·/}" "$uri$phrase"
  done <<<"$lines"
  grep -q "|$name|" <<<"$lines" || die "the packets do not carry the container's name: is the plugin loaded?"
}

# In here podman has started the container, directly or in the private namespace.
prove() {
  say "container '$name' runs, its port 80 is published as $(podman port "$name" 80/tcp | head -n 1)"
  wait_until "its web server" page ''
  wait_until "podman:$name in the interface list" listed
  capture
  show
}

run_demo() {
  parents_before=$(libpod_parents)
  if start_container; then
    prove
  elif [ "$(id -u)" = 0 ]; then
    say "podman cannot start containers here directly ($(podman_reason)): using a private mount namespace"
    remove_container
    remove_cgroups
    in_private_namespace "$here/demo.sh" --inside "$work"
  else
    die "podman cannot start a container: $(podman_reason) (as root the demo can use a private mount namespace:" \
      "sudo $here/demo.sh)"
  fi
}

# The file goes to the caller's directory and belongs to the caller.
keep_file() {
  cp -- "$work/demo.pcapng" "$PWD/demo.pcapng" || die "cannot write $PWD/demo.pcapng"
  if [ -n "${SUDO_UID:-}" ]; then chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$PWD/demo.pcapng"; fi
  say "wrote $PWD/demo.pcapng; open it with: wireshark demo.pcapng"
}

main() {
  if [ "${1:-}" = --inside ]; then
    work=$2
    prepare_private_podman
    trap remove_container EXIT
    start_container || die "podman cannot start a container there either: $(podman_reason)"
    prove
    return
  fi
  [ $# = 0 ] || die "unknown option $1; usage: demo.sh"
  work=$(mktemp -d)
  trap clean_up EXIT
  run_demo
  keep_file
}

main "$@"
