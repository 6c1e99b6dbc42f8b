# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of one container over ssh, each of our ways beside what people use: how soon the first packet is here, how much is
lost, and what it costs here. Paired rounds inside a Debian 13 rig over its sshd on loopback, of a rootful container (as root there) and
of a rootless one (as its user); figures are printed, never asserted. remote.sh calls it."""

import atexit
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import types

from lib_bench import ROUNDS, machine, own_cpu, row, settle, title  # first: it makes tests/e2e known
import lib
import lib_images
import lib_pcapng
import lib_sshd
from lib import RIG, ROOT, Ctr, Net
from lib_podshark import PODSHARK

HERE, THERE = 2231, 2232  # sshd without and with podshark in its PATH
SSHDUMP = next(pathlib.Path("/usr/lib").glob("*/wireshark/extcap/sshdump"), None)
TOOLS = "localhost/tools:1"
PACKETS, SIZE = 100000, 1400
RATES = (20000,)  # a second: 220 Mbit a second
MARK = b"podshark bench ping"
PINGS = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(b"podshark bench ping", (sys.argv[1], 9))
    time.sleep(0.02)
"""


@dataclasses.dataclass(frozen=True)
class Side:
    """A user of the other machine and two of his containers on the bridge; send: argv that sends frames into that bridge."""
    user: str
    web: lib.Up
    tools: lib.Up
    send: tuple
    enter: str  # what people put before tcpdump, the process id left out


def ways(side, directory, out):
    """name: argv that writes a capture of eth0 of side.web, for exec of side.tools, to `out`."""
    def podshark(port, *args, program=PODSHARK, name=side.web.name):
        return [program, "capture", f"ssh://{side.user}@127.0.0.1:{port}/{name}", "-q", "-i", "eth0", *args, "-w", out]
    inside = f"{side.enter.format(side.web.pid)} tcpdump -n -U -i eth0 -w -"
    ssh = f"ssh -T -o BatchMode=yes ssh://{side.user}@127.0.0.1:{HERE}"
    return {
        "podshark, installed there": podshark(THERE, "--drops=off"),
        "podshark, by its agent": podshark(HERE),
        "podshark, tcpdump of the host": podshark(HERE, program=directory / "bare/podshark"),  # has no agents beside it
        "podshark, exec": podshark(HERE, "--method=exec", name=side.tools.name),
        "podshark, sidecar": podshark(HERE, "--method=sidecar", f"--sidecar-image={TOOLS}"),
        "podshark, podman's API": [PODSHARK, "capture", f"podman://{side.user}/{side.web.name}", "-q", "-i", "eth0", "-w", out],
        "ssh … tcpdump -U": ["sh", "-c", f"exec {ssh} '{inside}' >{out}"],
        "the same with --immediate-mode": ["sh", "-c", f"exec {ssh} '{inside} --immediate-mode' >{out}"],
        "sshdump, the same command": [
            SSHDUMP, "--capture", "--extcap-interface", "sshdump", "--fifo", out, "--remote-host", "127.0.0.1", "--remote-port", str(HERE),
            "--remote-username", side.user, "--sshkey", lib_sshd.home(RIG) / "id_ed25519", "--remote-capture-command", inside],
    }


class Run:
    """One way while it captures into a file. sshdump writes only into pipes: it gets one, and a cat behind it."""

    def __init__(self, name, argv, file):
        self.file = file
        file.unlink(missing_ok=True)
        self.copier, self.ours = None, name.startswith("podshark")
        if name.startswith("sshdump"):
            pipe = file.with_suffix(".pipe")
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
            pipe.chmod(0o666)
            argv = [pipe if word == file else word for word in argv]
            self.copier = subprocess.Popen(["sh", "-c", f"exec cat {pipe} >{file}"])
        self.began = time.perf_counter()
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.child = lib.popen(RIG, argv, stdout=subprocess.DEVNULL, stderr=self.errors)

    def wait(self, condition, what):
        def holds():
            assert self.child.poll() is None, f"{what}: {self.said()}"
            return self.file.exists() and condition()
        lib.wait_for(holds, lambda: f"{what}: {self.said()}", timeout=60)

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def cpu(self):
        """Of this machine's side: the process, its children, and ssh, which stays behind when connections are shared."""
        parents = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass  # has ended
        ours = {self.child.pid, *lib.processes("ssh")}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        return sum(own_cpu(pid) for pid in ours if pid in parents)

    def end(self):
        if self.child.poll() is None:
            lib.end(self.child, signal.SIGINT if self.ours else signal.SIGKILL)  # ssh may take no notice of the former
        if self.copier:
            self.copier.wait(10)
        # A shared connection stays for five seconds, and a tcpdump that nobody reads until its next packet. The next way
        # begins without either.
        for pid in lib.processes("ssh", "tcpdump"):
            os.kill(pid, signal.SIGTERM)
        left = ("ssh", "podshark-agent", "tcpdump")
        lib.wait_for(lambda: not lib.processes(*left), lambda: f"the end of {lib.processes(*left)}", timeout=30)


def first_packets(side, directory):
    gateways = [u.inspect()["NetworkSettings"]["Networks"] for u in (side.web, side.tools)]
    pings = [lib.popen(ROOT, ["nsenter", "-t", str(u.pid), "-n", "python3", "-c", PINGS, next(iter(g.values()))["Gateway"]])
             for u, g in zip((side.web, side.tools), gateways)]
    times = {}
    file = directory / "first"
    for _ in range(ROUNDS):
        for name, argv in ways(side, directory, file).items():
            run = Run(name, argv, file)
            run.wait(lambda: MARK in file.read_bytes(), f"the first packet by {name}")
            times.setdefault(name, []).append((time.perf_counter() - run.began) * 1000)
            run.end()
    for ping in pings:
        lib.end(ping)
    for name, figures in times.items():
        row(f"{side.user}: first packet: {name}", figures, "ms")


def throughput(side, directory, rate):
    lost, cpu = {}, {}
    file = directory / "much"
    for _ in range(ROUNDS):
        for name, argv in ways(side, directory, file).items():
            run = Run(name, argv, file)
            run.wait(lambda: file.stat().st_size > 20, f"{name} to begin")
            time.sleep(1)  # the header comes before the packet sockets
            before = run.cpu()
            target = side.tools if "exec" in name else side.web
            lib.run(side.user, [*side.send, target.mac, PACKETS, SIZE, rate], timeout=120)
            settle(lambda: file.stat().st_size, 1)
            cpu.setdefault(name, []).append((run.cpu() - before) * 1e6 / PACKETS)
            run.end()
            lost.setdefault(name, []).append(100 - 100 * count(file) / PACKETS)
    for name in lost:
        row(f"{side.user}: lost at {rate // 1000} k/s: {name}", lost[name], "%")
        row(f"  CPU µs per packet here: {name}", cpu[name], "µs")


def count(path):
    """Different numbered packets of the sender, in a pcap or pcapng file."""
    if path.read_bytes()[:4] != b"\x0a\x0d\x0d\x0a":
        copy = path.with_suffix(".pcapng")
        lib.run(ROOT, ["editcap", "-F", "pcapng", path, copy], check=False)
        path = copy
    return len({frame[42:50] for frame in lib_pcapng.frames(path.read_bytes(), first=0) if len(frame) == SIZE})


def serve_api(user):
    """podman's service of that user, and a connection to it that is called like him."""
    socket = f"{lib.environment(user)['XDG_RUNTIME_DIR']}/bench-api.sock" if user == RIG else "/run/bench-api.sock"
    service = lib.popen(user, ["podman", "system", "service", "-t", "0", f"unix://{socket}"], stderr=subprocess.DEVNULL)
    atexit.register(lib.end, service)
    lib.wait_for(pathlib.Path(socket).exists, "podman's service")
    lib.podman(RIG, "system", "connection", "add", "--identity", lib_sshd.home(RIG) / "id_ed25519", user,
               f"ssh://{user}@127.0.0.1:{HERE}{socket}")


def bring_up():
    lib_images.tool_image(TOOLS, ("tcpdump",), (ROOT, RIG))
    up = {}
    for spec in (Ctr("web"), Ctr("tools", image=TOOLS), Net("net", user=RIG), Ctr("own", user=RIG, network="net"),
                 Ctr("owntools", user=RIG, network="net", image=TOOLS)):
        up.update(lib.start(spec))
    bridge = lib.podman_json(RIG, "network", "inspect", "net")[0]["network_interface"]
    sender = str(lib.BIN / "tests/tools/packet_sender")
    return (Side(ROOT, up["web"], up["tools"], (sender, "podman0"), "nsenter -t {} -n"),
            Side(RIG, up["own"], up["owntools"], ("podman", "unshare", "--rootless-netns", sender, bridge), "podman unshare nsenter -t {} -n"))


def main():
    assert SSHDUMP, "sshdump (Debian's wireshark-common) is not installed in this root"
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    directory.chmod(0o1777)
    (directory / "bare").mkdir()
    shutil.copy2(PODSHARK, directory / "bare")
    sides = bring_up()
    case = types.SimpleNamespace(addClassCleanup=atexit.register)
    path = "SetEnv PATH={}/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin CONTAINERS_CONF=/etc/rig.conf"
    lib_sshd.start(case, "127.0.0.1", path.format(""), f"ListenAddress 127.0.0.1:{THERE}", f"Match LocalPort {THERE}",
                   path.format(f"{PODSHARK.parent}:"), port=HERE)
    known = lib_sshd.home(RIG) / "known_hosts"
    known.write_text(known.read_text() + known.read_text().replace(str(HERE), str(THERE)))
    for side in sides:
        serve_api(side.user)
    print(machine(lib.WORLD))
    title("over ssh", "min", "median", "max", "unit")
    for side in sides:
        first_packets(side, directory)
        for rate in RATES:
            throughput(side, directory, rate)


if __name__ == "__main__":
    main()
