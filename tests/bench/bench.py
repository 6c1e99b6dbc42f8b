# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmarks inside a rig: paired runs, ratios with spread. Figures are printed, never asserted; run.sh calls it."""

import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import lib  # noqa: E402
from lib_podshark import PODSHARK  # noqa: E402

ROUNDS = int(os.environ.get("PODSHARK_BENCH_ROUNDS", "5"))
PACKETS, RATE, SIZE = 1000000, 100000, 200


def row(name, figures, unit):
    print(f"{name:52} {min(figures):9.3f} {statistics.median(figures):9.3f} {max(figures):9.3f} {unit}", flush=True)


def own_cpu(pid):
    """User and system seconds of the process itself, without children, from proc_pid_stat(5)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def capture_cpu(argv, ready, send):
    """CPU seconds of one capture process over one run of the sender, its own start included."""
    child = subprocess.Popen([str(a) for a in argv], env=lib.environment(lib.ROOT), stderr=subprocess.PIPE)
    lib.wait_for(ready, f"{argv[0]} to be ready")
    before = own_cpu(child.pid)
    send()
    settled = [0.0]

    def quiet():
        time.sleep(0.1)
        settled.append(own_cpu(child.pid))
        return settled[-1] == settled[-2]
    lib.wait_for(quiet, "the capture to be idle again")
    used = settled[-1]
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    return used, used - before


def cpu_per_packet(web, directory):
    pid = web.pid
    links = json.loads(lib.run(lib.ROOT, ["nsenter", "-t", str(pid), "-n", "ip", "-j", "link", "show", "eth0"]).stdout)
    sender = lib.BIN / "tests/tools/packet_sender"

    def send():
        lib.run(lib.ROOT, [sender, "podman0", links[0]["address"], PACKETS, SIZE, RATE], timeout=120)
    ours, theirs = directory / "ours.pcapng", directory / "theirs.pcap"
    podshark = [PODSHARK, "capture", "web", "-q", "-i", "eth0", "-w", ours]
    tcpdump = ["nsenter", "-t", pid, "-n", "tcpdump", "-n", "-i", "eth0", "-B", "65536", "-w", theirs]
    runs = []
    for _ in range(ROUNDS):
        ours.unlink(missing_ok=True)
        theirs.unlink(missing_ok=True)
        a = capture_cpu(podshark, lambda: ours.exists() and b"web/eth0" in ours.read_bytes()[:65536], send)
        b = capture_cpu(tcpdump, theirs.exists, send)
        runs.append((a, b))
    for i, what in ((0, "whole process"), (1, "while capturing")):
        row(f"podshark, CPU s per million packets, {what}", [a[i] for a, _ in runs], "s")
        row(f"tcpdump -B 65536, the same", [b[i] for _, b in runs], "s")
        row(f"ratio podshark/tcpdump, pair by pair, {what}", [a[i] / b[i] for a, b in runs], "")


def start_ups():

    def times(args, count=50):
        out = []
        for _ in range(count):
            began = time.perf_counter()
            lib.popen(lib.RIG, [PODSHARK, *args], stdout=subprocess.DEVNULL).wait()
            out.append((time.perf_counter() - began) * 1000)
        return out

    def empty():
        out = []
        for _ in range(50):
            began = time.perf_counter()
            lib.popen(lib.RIG, ["true"], stdout=subprocess.DEVNULL).wait()
            out.append((time.perf_counter() - began) * 1000)
        return out
    row("setpriv true (what the next three rows include)", empty(), "ms")
    row("--extcap-config", times(["--extcap-config", "--extcap-interface", "podman:own"]), "ms")
    row("--extcap-dlts", times(["--extcap-dlts", "--extcap-interface", "podman:own"]), "ms")
    times(["--extcap-interfaces"], 1)
    row("--extcap-interfaces, fresh cache", times(["--extcap-interfaces"], 30), "ms")
    cold = []
    for _ in range(ROUNDS):
        cache = pathlib.Path(lib.environment(lib.RIG)["XDG_RUNTIME_DIR"]) / "podshark"
        lib.run(lib.RIG, ["rm", "-rf", cache])
        cold += times(["--extcap-interfaces"], 1)
    row("--extcap-interfaces, no cache", cold, "ms")


def latency(directory):
    """From the start of --capture to the section header, and to the first packet of traffic that flows already."""
    header, packet = [], []
    for i in range(ROUNDS):
        fifo = directory / f"fifo{i}"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        ping = lib.popen(lib.RIG, ["podman", "exec", "own", "sh", "-c",
                                   "while :; do wget -q -O - http://127.0.0.1/ >/dev/null; done"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.perf_counter()
        child = lib.popen(lib.RIG, [PODSHARK, "--capture", "--extcap-interface", "podman:own", "--fifo", fifo])
        data = b""
        with fifo.open("rb", buffering=0) as stream:
            while b"GET / HTTP" not in data:
                data += stream.read(65536)
                if len(header) == i:
                    header.append((time.perf_counter() - began) * 1000)
            packet.append((time.perf_counter() - began) * 1000)
        lib.end(child)
        lib.end(ping, signal.SIGKILL)
    row("--capture to section header", header, "ms")
    row("--capture to first packet", packet, "ms")


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    directory.chmod(0o1777)
    up = {}
    for spec in (lib.Ctr("web"), lib.Ctr("own", user=lib.RIG)):
        up.update(lib.start(spec))
    cpu = next(l.partition(": ")[2] for l in open("/proc/cpuinfo") if l.startswith("model name"))
    print(f"{os.cpu_count()} x {cpu.strip()}, Linux {os.uname().release}, {lib.WORLD}, {ROUNDS} rounds")
    print(f"{'':52} {'min':>9} {'median':>9} {'max':>9}")
    start_ups()
    latency(directory)
    cpu_per_packet(up["web"], directory)


if __name__ == "__main__":
    main()
