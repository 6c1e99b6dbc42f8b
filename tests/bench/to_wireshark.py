# SPDX-License-Identifier: GPL-2.0-or-later
"""The way to Wireshark: through a fifo into dumpcap at full speed, and how long a packet takes until tshark prints it."""

import os
import pathlib
import select
import signal
import socket
import subprocess
import time

import lib
import lib_images
from lib_bench import ROUNDS, ratios, row, settle, title
from lib_podshark import PODSHARK, extcap_home, wait_rings
from to_file import packets

TOOLS = "localhost/benchtools:1"
PACKETS, SIZE, RATE = 400000, 200, 100000
MARKS = 40


def writers(web, tools, fifo):
    """name: (container, argv that writes into the fifo or its standard output)"""
    return {
        "podshark": (web, [PODSHARK, "--capture", "--extcap-interface", "podman:web", "--link", "eth0", "--drops", "off", "--fifo", fifo]),
        "tcpdump -U": (web, ["nsenter", "-t", str(web.pid), "-n", "tcpdump", "-n", "-U", "-i", "eth0", "-w", "-"]),
        "podman exec tcpdump -U": (tools, ["podman", "exec", "--privileged", "benchtools", "tcpdump", "-Z", "root", "-n", "-U", "-i", "eth0", "-w", "-"]),
    }


def share(target, argv, shm, rate):
    """Percent of the packets that came through dumpcap."""
    fifo, file = shm / "pipe", shm / "piped.pcapng"
    for path in (fifo, file):
        path.unlink(missing_ok=True)
    os.mkfifo(fifo)
    dumpcap = lib.popen(lib.ROOT, ["dumpcap", "-q", "-i", fifo, "-w", file], stderr=subprocess.DEVNULL)
    with fifo.open("wb") as opened:
        child = lib.popen(lib.ROOT, argv, stdout=opened, stderr=subprocess.DEVNULL)
    wait_rings(target, 1)
    settle(lambda: file.exists() and file.stat().st_size)
    lib.run(lib.ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", target.mac, PACKETS, SIZE, rate], timeout=120)
    settle(lambda: file.stat().st_size, seconds=2)
    lib.end(child, signal.SIGINT)
    for pid in lib.processes("tcpdump"):  # podman exec leaves it running
        os.kill(pid, signal.SIGTERM)
    dumpcap.wait(60)
    return 100 * min(packets(file), PACKETS) / PACKETS


def delays(argv, address):
    """Milliseconds from sending a packet until tshark prints its line, one at a time."""
    child = lib.popen(lib.ROOT, argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out, seen = [], b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        number = 0
        while len(out) < MARKS + 5:
            number += 1
            line = f" → {20000 + number} ".encode()
            sent = time.perf_counter()
            s.sendto(b"mark", (address, 20000 + number))
            while line not in seen and time.perf_counter() - sent < 5:  # what comes before its start is lost
                if select.select([child.stdout], [], [], 0.1)[0]:
                    seen = seen[-4096:] + os.read(child.stdout.fileno(), 65536)
            if line in seen:
                out.append((time.perf_counter() - sent) * 1000)
            time.sleep(0.037)
    lib.end(child, signal.SIGINT)
    return out[5:]  # the first ones wait for its start


def to_wireshark(web, shm):
    lib_images.tool_image(TOOLS, ("tcpdump",), (lib.ROOT,))
    tools = lib.start(lib.Ctr("benchtools", image=TOOLS))["benchtools"]
    title("through a fifo into dumpcap", "min", "median", "max", "unit")
    for rate in (RATE, 0):
        got = {}
        for _ in range(ROUNDS):
            for name, (target, argv) in writers(web, tools, shm / "pipe").items():
                got.setdefault(name, []).append(share(target, argv, shm, rate))
        for name, figures in got.items():
            row(f"{name}: arrived at {f'{rate // 1000} k/s' if rate else 'full speed'}", figures, "%")
    title("from a packet to its line in tshark", "min", "median", "max", "unit")
    extcap_home(lib.ROOT)
    shark = ["tshark", "-l", "-n", "-i"]
    inside = f"nsenter -t {web.pid} -n tcpdump -n -i eth0 -U --immediate-mode -w -"
    ways = {"tshark -i podman:web": [*shark, "podman:web"],
            "tcpdump -U --immediate-mode | tshark -i -": ["sh", "-c", f"{inside} | {' '.join(shark)} -"]}
    found = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, argv in ways.items():
            found[name] += delays(argv, web.address)
    for name, figures in found.items():
        row(name, figures, "ms")
    row("ratio of medians of each round", ratios(*(
        [sorted(f[i * MARKS:(i + 1) * MARKS])[MARKS // 2] for i in range(ROUNDS)] for f in found.values())), "")


def annotating(web, shm):
    """podshark annotate beside editcap, which only copies, on one file."""
    title("annotate", "min", "median", "max", "unit")
    file, inventory = shm / "plain.pcap", shm / "inventory.json"
    child = lib.popen(lib.ROOT, ["nsenter", "-t", str(web.pid), "-n", "tcpdump", "-n", "-i", "eth0", "-B", "65536", "-w", file],
                      stderr=subprocess.DEVNULL)
    wait_rings(web, 1)
    lib.run(lib.ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", web.mac, 1000000, SIZE, 100000], timeout=120)
    settle(lambda: file.stat().st_size, 2)
    lib.end(child, signal.SIGINT)
    lib.run(lib.ROOT, [PODSHARK, "inventory", "-o", inventory])
    size = file.stat().st_size / 1e6

    def speed(argv):
        began = time.perf_counter()
        lib.run(lib.ROOT, argv, timeout=120)
        pathlib.Path(argv[-1]).unlink()
        return size / (time.perf_counter() - began)
    pairs = [(speed([PODSHARK, "annotate", file, "--inventory", inventory, "-o", shm / "out.pcapng"]),
              speed(["editcap", "-F", "pcapng", file, shm / "out.pcapng"])) for _ in range(ROUNDS)]
    row(f"podshark annotate, {size:.0f} MB", [a for a, _ in pairs], "MB/s")
    row("editcap -F pcapng, the same file", [b for _, b in pairs], "MB/s")
    row("ratio, pair by pair", ratios(*zip(*pairs)), "")
