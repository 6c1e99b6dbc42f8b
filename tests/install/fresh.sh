#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fresh.sh SUITE: the README's first command on a Debian that has nothing yet but sudo and a person who may use it
# (bookworm, trixie, sid). Needs the network, 2 GB below $PODSHARK_CACHE for a while and some ten minutes.
# Closing line: N passed, N failed, N skipped.
# shellcheck disable=SC2016  # expanded inside
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
rig=$top/tests/rig/rig.sh
cache=${PODSHARK_CACHE:-/var/cache/podshark}
suite=${1:?usage: fresh.sh SUITE}
name=fresh-$$
mkdir -p "$cache"
work=$(mktemp -d "$cache/fresh.XXXXXX")
root=$work/root uplink='' passed=0 failed=0
clean_up() {
  "$rig" down "$name"
  [ -z "$uplink" ] || kill "$uplink" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

inside() { "$rig" in "$name" "$@"; }
# As after a login: nothing of the rig's environment.
person() { inside su -l person -c "cd podshark && $1"; }

check() {  # NAME CMD...
  local what=$1
  shift
  if "$@"; then passed=$((passed + 1)); echo "ok     $what"; else failed=$((failed + 1)); echo "FAILED $what"; fi
}

# iproute2 and catatonit are what the rig itself needs.
options=()
[ "$suite" != sid ] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
mmdebstrap --variant=minbase --include=sudo,iproute2,catatonit "${options[@]}" "$suite" "$root"
"$rig" up "$name" "$root"
# The rig has no way out; this one gets one, and forgets the outside client.
slirp4netns --configure --mtu=1500 --disable-host-loopback "$(cat "/run/podshark-rig/$name/pid")" tap0 >"$work/slirp.log" 2>&1 &
uplink=$!
until inside ip -o addr show tap0 2>/dev/null | grep -q 10.0.2.100; do
  kill -0 $uplink || { cat "$work/slirp.log"; exit 1; }
  sleep 0.1
done
inside ip link del wan0  # its documentation addresses may be a mirror's here
inside ip route replace default via 10.0.2.2 dev tap0
inside sh -c 'rm -f /etc/resolv.conf; echo nameserver 10.0.2.3 >/etc/resolv.conf'
inside groupdel wireshark
inside useradd -m -s /bin/bash person
inside sh -c 'echo "person ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/person'
git -C "$top" archive --prefix=podshark/ HEAD | inside tar -x -C /home/person
inside chown -R person: /home/person/podshark

check "sudo ./install/setup.sh --demo" person 'sudo ./install/setup.sh --demo 2>&1 | tee /tmp/setup.log; exit ${PIPESTATUS[0]}'
check "it installed packages" person "grep -q 'installing [0-9]* packages' /tmp/setup.log"
check "it printed packets with container names" person "grep -q 'podshark-demo:80 .*request=3' /tmp/setup.log"
check "demo.pcapng names the container for anybody" \
  person 'sudo chmod a+r demo.pcapng && tshark -r demo.pcapng -Y http -T fields -e podman.src.name | grep -q podshark-demo'
check "the group is there" inside getent group wireshark
check "the worker is for the group" \
  person '[ "$(stat -c "%a %U:%G" /usr/local/libexec/podshark/podshark-worker)" = "750 root:wireshark" ]'
check "Wireshark lists Podman" person 'tshark -D | grep -q "podman:all (Podman"'
check "doctor is content" person 'podshark doctor'
check "no container is left" person '[ -z "$(sudo podman ps -aq)" ]'
check "sudo ./install/setup.sh --uninstall" person 'sudo ./install/setup.sh --uninstall && [ ! -e /usr/local/bin/podshark ]'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
