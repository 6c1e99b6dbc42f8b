#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fresh.sh SUITE: the README's first command on a Debian that has nothing yet but sudo and a person who may use it
# (bookworm, trixie, sid), then each of its block "On the command line" that needs no other machine and no screen. Needs the network, 2 GB below $PODSHARK_CACHE for a while and some ten minutes.
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

# Whose they are: root, in whose name all of the block is tried. web has traffic until the rig goes down.
web_and_db() {
  "$rig" image "$name"
  run inside podman run -d --name web -p 8080:80 localhost/bb:1 httpd -f -p 80 -h /www
  run inside podman run -d --name db localhost/bb:1
  inside sh -c 'while sleep 0.1; do busybox wget -qO /dev/null http://127.0.0.1:8080/; done' >/dev/null 2>&1 &
}
# says PATTERN COMMAND: it succeeds, and this is in its output.
says() {
  run inside timeout 90 bash -c "set -eo pipefail; cd /home/person; $2"
  grep -qE -- "$1" "$work/log" || { cat "$work/log"; return 1; }
}
# Each has a check below: a line of another one would be noticed here.
commands_of_the_block() {
  awk '/^## / {on = $0 == "## On the command line"} on && /^    / {print $1, $2; begun = 1} on && begun && !/^    / {exit}' \
    "$top/README.md" | sort -u >"$work/commands"
  printf '%s\n' podshark\ {annotate,capture,check,doctor,hosts,inventory,list,listen,probe,top,trace} 'tshark -i' |
    diff "$work/commands" -
}
lists() {
  says '^web .*8080.80/tcp.* podman:web$' 'podshark list'
  says '"name":"db"' 'podshark list --all --json'
}
captures() {
  says '^web$' "podshark capture web -w web.pcapng -c 20 -q && tshark -r web.pcapng -Y 'tcp.dstport == 80' -T fields -e podman.dst.name"
  says ' GET / HTTP' "podshark capture web -i eth0 -f 'port 80' -c 100 -w - | tshark -r -"
}
tops() {
  says '^web .*[1-9]' 'podshark top --once'
  says '"name":"web"' 'podshark top web --once --json'
}
probes() {
  says '^web:80/tcp from db: ok: reached the application' 'podshark probe web:80 --from db'
  says '^db:9001/tcp from web: ok: reached the listener' 'podshark probe db:9001 --from web --listen'
}
listens() {
  says '10\.88\.0\.1' 'podshark listen web:8080 --count 1 --timeout 60 & listening=$!
    address=$(podman inspect -f "{{.NetworkSettings.IPAddress}}" web)
    while kill -0 $listening 2>/dev/null; do busybox wget -qO - "http://$address:8080/" || sleep 0.2; done
    wait $listening'
}
# The default network has no name service, which is a warning.
checks() {
  says 'running containers, .*: 0 errors' 'podshark check web:80 --from db || [ $? = 13 ]'
}
annotates() {
  says '^web$' "dumpcap -q -P -i podman0 -f 'tcp port 80' -c 8 -w old.pcap && podshark annotate old.pcap -o new.pcapng --live &&
    tshark -r new.pcapng -Y 'tcp.dstport == 80' -T fields -e podman.dst.name"
}
hosts() {
  says '"host":"me@there"' 'podshark hosts add me@there && podshark hosts --json'
  says '^No hosts' 'podshark hosts remove me@there && podshark hosts'
}

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
check "two containers run" web_and_db
check "the README's block has no command that is not tried" commands_of_the_block
check "podshark list" lists
check "podshark capture" captures
check "podshark top" tops
check "podshark probe" probes
check "podshark listen" listens
check "podshark check" checks
check "podshark trace" says '^=> it came through' 'podshark trace web:80 --from db --yes'
check "podshark inventory" says '"name":"web"' 'podshark inventory --redact -o web.podman.json && cat web.podman.json'
check "podshark annotate" annotates
check "podshark hosts" hosts
check "podshark doctor --json" says '"topic":"plugin","level":"ok"' 'podshark doctor --json'
check "tshark -i podman:web" says ' GET / HTTP' '(tshark -l -i podman:web -Y http.request || true) | head -n 1'
check "sudo ./install/setup.sh --uninstall" person 'sudo ./install/setup.sh --uninstall && [ ! -e /usr/local/bin/podshark ]'
finish
