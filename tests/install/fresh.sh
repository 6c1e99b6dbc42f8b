#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fresh.sh SUITE: the README's first command on a Debian that has nothing yet but sudo and a person who may use it
# (bookworm, trixie, sid). Needs the network, 2 GB below $PODSHARK_CACHE for a while and some ten minutes.
# Closing line: N passed, N failed, N skipped.
# shellcheck disable=SC2016,SC2317  # expanded, called inside
set -euo pipefail
suite=${1:?usage: fresh.sh SUITE}
# shellcheck source=bare.sh
. "$(dirname "$0")/bare.sh"
name=fresh-$$

inside() { "$rig" in "$name" "$@"; }
# As after a login: nothing of the rig's environment.
person() { inside su -l person -c "cd podshark && $1"; }

make_bare "$suite" "$work/root" sudo
rig_with_network "$name" "$work/root"
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
finish
