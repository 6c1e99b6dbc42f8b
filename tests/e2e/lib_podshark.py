# SPDX-License-Identifier: GPL-2.0-or-later
"""Running podshark and tshark in tests."""

import json
import os
import pathlib
import re
import shutil
import signal
import tempfile

import lib
import lib_images
import lib_pcapng

PODSHARK = lib.BIN / "extcap/podshark"
WORKER = lib.BIN / "extcap/podshark-worker"
PREFIX = pathlib.Path("/usr/local")  # where install_worker puts both
DROPS = lib.BIN / "extcap/podshark-drops"
INSTALLED_WORKER = PREFIX / "libexec/podshark/podshark-worker"


def give_capabilities():
    lib.run(lib.ROOT, ["setcap", "cap_sys_admin,cap_sys_ptrace,cap_net_raw=p", INSTALLED_WORKER])


def install_worker():
    """podshark and its helpers as the installer leaves them."""
    lib.run(lib.ROOT, ["install", "-D", "-m", "0755", PODSHARK, PREFIX / "bin/podshark"])
    lib.run(lib.ROOT, ["install", "-D", "-m", "0750", "-g", "wireshark", WORKER, INSTALLED_WORKER])
    give_capabilities()
    drops = INSTALLED_WORKER.with_name("podshark-drops")
    lib.run(lib.ROOT, ["install", "-D", "-m", "0750", "-g", "wireshark", DROPS, drops])
    lib.run(lib.ROOT, ["setcap", "cap_bpf,cap_perfmon=p", drops])


def remove_worker():
    lib.run(lib.ROOT, ["rm", "-rf", PREFIX / "bin/podshark", INSTALLED_WORKER.parent])


def give_dumpcap(test, group):
    """dumpcap as install-setuid leaves it: with capabilities, for members of that group; until the test's end."""
    dumpcap = lib_images.program("dumpcap")
    before = os.stat(dumpcap)
    test.addCleanup(os.chmod, dumpcap, before.st_mode & 0o7777)
    test.addCleanup(os.chown, dumpcap, before.st_uid, before.st_gid)  # takes the capabilities away too
    lib.run(lib.ROOT, ["chgrp", group, dumpcap])
    lib.run(lib.ROOT, ["chmod", "0750", dumpcap])
    lib.run(lib.ROOT, ["setcap", "cap_net_raw,cap_net_admin=eip", dumpcap])


def podshark(user, *args, **kwargs):
    """Runs `podshark ARGS` to the end; keyword arguments as lib.run."""
    return lib.run(user, [PODSHARK, *args], **kwargs)


def mapped_rings(pid):
    """Bytes of packet rings that a process has mapped; they are there once links are captured."""
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        if "socket:" in line:
            begin, _, end = line.split()[0].partition("-")
            total += int(end, 16) - int(begin, 16)
    return total


def wait_rings(up, number):
    """Waits until that many packet sockets are bound to links in the netns of a container: what is sent now, they see."""
    def bound():
        # sk RefCnt Type Proto Iface R(unning) …: packet_seq_show, net/packet/af_packet.c of the kernel
        rows = [row.split() for row in up.enter("cat", "/proc/net/packet").stdout.splitlines()[1:]]
        return sum(1 for row in rows if row[4] != "0" and row[5] == "1") >= number
    lib.wait_for(bound, f"{number} packet sockets in {up.name}")


def resident(pid):
    """kB of memory that a process has, mapped rings included."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def inventory(user, *args):
    """`podshark list --json` parsed."""
    return json.loads(podshark(user, "list", "--json", *args).stdout)


def interfaces(text):
    """Parses extcap sentences: [{'': 'interface', 'value': …, 'display': …}, …]."""
    found = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        sentence = {"": word}
        while rest:
            key, _, rest = rest.lstrip()[1:].partition("=")
            value, _, rest = rest.partition("}")
            sentence[key] = value
        found.append(sentence)
    return found


def in_order(case, times, errors):
    """But for those which a busy machine delayed by more than packets wait for each other: they are counted and told."""
    behind = sum(t < max(times[:i]) for i, t in enumerate(times) if i)
    told = re.search(r"warning: (\d+) packets came so late", errors)
    case.assertLessEqual(behind, int(told[1]) if told else 0, errors)
    case.assertLess(behind, len(times) / 2)


class Capture:
    """A `podshark capture` in the background that writes to a file.

    with Capture(RIG, "own", "-i", "eth0") as capture:
        capture.wait_packets(1) …
        done = capture.stop()     # lib_pcapng.Capture

    links=False: it may begin with nothing to capture.
    """

    def __init__(self, user, *args, env=None, no_new_privs=False, links=True, program=PODSHARK):
        self.user, self.needs_links = user, links
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="capture-"))
        shutil.chown(self.directory, user)
        self.path = self.directory / "out.pcapng"
        self.errors = (self.directory / "stderr").open("w+")
        self.process = lib.popen(user, [program, "capture", *args, "-w", self.path], env=env,
                                 no_new_privs=no_new_privs, stderr=self.errors)

    def __enter__(self):
        try:
            ready = self.links if self.needs_links else self.so_far
            lib.wait_for(lambda: ready() or self.process.poll() is not None, "the capture to attach a link")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            lib.end(self.process, signal.SIGKILL)
        self.errors.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def stderr(self):
        self.errors.flush()
        return (self.directory / "stderr").read_text()

    def so_far(self):
        """What is in the file now; None before its first block."""
        if not self.path.exists() or self.path.stat().st_size < 28:
            return None
        return lib_pcapng.read(self.path, partial=True)

    def links(self):
        now = self.so_far()
        return now.links if now else []

    def wait_packets(self, number, link=None):
        def enough():
            now = self.so_far()
            if not now:
                return None
            packets = now.packets_of(link) if link else now.packets
            return packets if len(packets) >= number else None
        return lib.wait_for(enough, f"{number} packets in the file; stderr: {self.stderr()}")

    def stop(self, signum=signal.SIGINT, code=0):
        """Ends it, checks the exit code and reads the complete file."""
        got = lib.end(self.process, signum)
        if got != code:
            raise AssertionError(f"podshark capture exited {got}, not {code}; stderr: {self.stderr()}")
        return lib_pcapng.read(self.path)


def inboxes(user):
    """Sockets of the user's running captures, to which probes and checks report."""
    runtime = lib.environment(user).get("XDG_RUNTIME_DIR") or "/run"
    return list(pathlib.Path(runtime, "podshark").glob("capture.*"))


def extcap_home(user, program=PODSHARK):
    """Links podshark into the personal extcap directory of the user's Wireshark: 4.0 and 4.4 look in different
    ones. Returns the directory."""
    home = pathlib.Path(lib.environment(user)["HOME"])
    where = home / (".config/wireshark/extcap" if lib.WORLD == "deb12" else ".local/lib/wireshark/extcap")
    lib.run(user, ["mkdir", "-p", where])
    lib.run(user, ["ln", "-sf", program, where / "podshark"])
    return where


def tshark(user, *args, **kwargs):
    """tshark without name resolution and with UTC; stdout."""
    return lib.run(user, ["tshark", "-n", *args], env={"TZ": "UTC"}, **kwargs).stdout


def fields(path, *names, display_filter="", user=lib.ROOT):
    """[{name: value}] of the packets of a file that match, read by real tshark."""
    args = ["-r", path, "-T", "fields", "-E", "separator=\x1f", "-E", "occurrence=a", "-E", "aggregator=,"]
    for name in names:
        args += ["-e", name]
    if display_filter:
        args += ["-Y", display_filter]
    return [dict(zip(names, line.split("\x1f"))) for line in tshark(user, *args).splitlines()]


if not os.access(PODSHARK, os.X_OK):
    raise RuntimeError(f"{PODSHARK} is not there; PODSHARK_BIN must name a build tree")
