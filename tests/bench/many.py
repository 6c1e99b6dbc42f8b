# SPDX-License-Identifier: GPL-2.0-or-later
"""What grows with the number of containers: captures of 1, 10 and 100 at once; list and check with 1, 50 and 200."""

import json
import signal
import subprocess
import time

import lib
from lib_bench import LAST, ROUNDS, own_cpu, ratios, row, title
from lib_podshark import PODSHARK, wait_rings

CAPTURED, LISTED = (1, 10, 100), (1, 50, 200)
PACKETS, SIZE, RATE = 200000, 200, 100000


def wall(argv, user=lib.ROOT):
    began = time.perf_counter()
    lib.run(user, argv, timeout=120, check=False)
    return (time.perf_counter() - began) * 1000


def fill(up, number):
    """So many containers that do nothing."""
    while len(up) < number:
        up.update(lib.start(lib.Ctr(f"many{len(up)}", cmd=("sleep", "1000000"))))


def remove(up):
    lib.podman(lib.ROOT, "rm", "-f", "-t", "0", *up, timeout=300)


def captured(containers, argvs):
    """CPU seconds of these processes while the packets arrive, evenly at all containers."""
    children = [lib.popen(lib.ROOT, argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for argv in argvs]
    for c in containers:
        wait_rings(c, 1)
    time.sleep(1)
    before = sum(own_cpu(c.pid) for c in children)
    for c in containers:
        lib.run(lib.ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", c.mac, PACKETS // len(containers), SIZE, RATE], timeout=60)
    time.sleep(LAST)
    used = sum(own_cpu(c.pid) for c in children) - before
    for c in children:
        lib.end(c, signal.SIGINT)
    return used * 1e6 / PACKETS


def containers(shm):
    title("with many containers", "min", "median", "max", "unit")
    up = {}
    for number in CAPTURED:
        fill(up, number)
        some = list(up.values())[:number]
        ours = [[PODSHARK, "capture", *(c.name for c in some), "-q", "-i", "eth0", "--drops=off", "--nat=off", "-w", shm / "all.pcapng"]]
        theirs = [["nsenter", "-t", str(c.pid), "-n", "tcpdump", "-n", "-i", "eth0", "-w", shm / f"{c.name}.pcap"] for c in some]
        pairs = [(captured(some, ours), captured(some, theirs)) for _ in range(ROUNDS)]
        row(f"capture of {number}: podshark, CPU per packet", [a for a, _ in pairs], "µs")
        row(f"{number} x tcpdump, the same", [b for _, b in pairs], "µs")
        row("ratio, pair by pair", ratios(*zip(*pairs)), "")
        for file in shm.glob("*.pcap*"):
            file.unlink()
    remove(up)
    others = len(json.loads(lib.run(lib.ROOT, [PODSHARK, "list", "--json"]).stdout)["containers"])
    up = {}
    for number in LISTED:
        fill(up, number - others)
        pairs = [(wall([PODSHARK, "list"]), wall(["podman", "ps", "--format", "json"])) for _ in range(ROUNDS)]
        row(f"list with {number} running", [a for a, _ in pairs], "ms")
        row("podman ps, the same", [b for _, b in pairs], "ms")
        row("ratio, pair by pair", ratios(*zip(*pairs)), "")
        row(f"check web:80 with {number} running", [wall([PODSHARK, "check", "web:80"]) for _ in range(ROUNDS)], "ms")
    remove(up)
