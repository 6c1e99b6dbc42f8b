# SPDX-License-Identifier: GPL-2.0-or-later
"""A program called ssh that comes back to this machine: what podshark does with other machines, without sshd."""

from lib_podshark import PODSHARK

FAKE = """#!/bin/sh
# Says who was called; runs what it is to run there, here. A host that begins with "gone" is not there.
for word; do there=$command; command=$word; done
echo "begin $there $*" >>{log}
case $there in gone*|*@gone*) sleep 0.3; echo "ssh: connect to host $there port 22: Connection refused" >&2; code=255 ;;
*) cd /; PATH={path} sh -c "$command"; code=$? ;; esac
echo "end $there" >>{log}
exit $code
"""


class FakeSsh:
    """Below `directory`; `env` for who shall use it. `installed`: podshark is, on the other machine."""

    def __init__(self, directory, installed=True):
        self.log, self.bin = directory / "log", directory / "bin"
        self.log.touch()
        self.log.chmod(0o666)
        self.bin.mkdir()
        path = (f"{PODSHARK.parent}:" if installed else "") + "/usr/local/bin:/usr/bin:/bin"
        self.program("ssh", FAKE.format(log=self.log, path=path))
        self.env = {"PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin"}

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def called(self, what="begin"):
        return [line for line in self.log.read_text().splitlines() if line.startswith(what)]
