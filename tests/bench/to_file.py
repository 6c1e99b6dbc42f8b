# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures to a file: podshark, tcpdump and dumpcap of the same container, the same packets sent to each in turn."""

import signal
import subprocess
import time

import lib
from lib_bench import LAST, ROUNDS, line, own_cpu, ratios, spread, title
from lib_podshark import PODSHARK, wait_rings

RATES = (50000, 100000, 300000, 0)  # packets a second; 0: as many as the link takes
SIZES = (64, 200, 1400)
SECONDS = 1.5
MOST = 400000  # packets, where no rate limits them
RING = 64  # MiB, for each of them


def tools(web, file):
    enter = ["nsenter", "-t", str(web.pid), "-n"]
    return {
        "podshark": [PODSHARK, "capture", "web", "-q", "-i", "eth0", "--drops=off", "--nat=off", f"--ring-size={RING}", "-w", file],
        "tcpdump": [*enter, "tcpdump", "-n", "-i", "eth0", "-B", str(RING * 1024), "-w", file],
        "dumpcap": [*enter, "dumpcap", "-q", "-i", "eth0", "-B", str(RING), "-w", file],
    }


def packets(file):
    """Packets of the sender in the file: those that a handful of records and ARP frames do not exceed in length."""
    said = lib.run(lib.ROOT, ["capinfos", "-TrcM", file], check=False).stdout.split()
    return int(said[-1]) if said and said[-1].isdigit() else 0


def one(argv, web, file, size, rate):
    """(CPU µs per packet of the whole process, lost percent, packets a second that were sent)"""
    file.unlink(missing_ok=True)
    child = lib.popen(lib.ROOT, argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_rings(web, 1)
    time.sleep(0.3)  # whatever a start still does
    sent = int(rate * SECONDS) or MOST
    before, began = own_cpu(child.pid), time.perf_counter()
    lib.run(lib.ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", web.mac, sent, size, rate], timeout=120)
    real = sent / (time.perf_counter() - began)
    time.sleep(LAST)
    used = own_cpu(child.pid) - before
    lib.end(child, signal.SIGINT)
    got = min(packets(file), sent)
    file.unlink()
    return used * 1e6 / sent, 100 - 100 * got / sent, real


def to_file(web, shm):
    title("to a file", "CPU µs/packet: podshark", "tcpdump", "dumpcap", "ratio to tcpdump", "to dumpcap", "lost: podshark", "tcpdump", "dumpcap", "sent")
    file = shm / "captured"
    for size in SIZES:
        for rate in RATES:
            runs = {}
            for i in range(ROUNDS):
                order = list(tools(web, file).items())
                for name, argv in order[i % 3:] + order[:i % 3]:  # nobody always first
                    runs.setdefault(name, []).append(one(argv, web, file, size, rate))
            cpu = {name: [r[0] for r in figures] for name, figures in runs.items()}
            speed = sum(r[2] for figures in runs.values() for r in figures) / (3 * ROUNDS)
            line(f"{size} bytes, {f'{rate // 1000} k/s' if rate else 'full speed'}", *(spread(cpu[n]) for n in cpu if n == "podshark"),
                 *(spread(cpu[n]) for n in ("tcpdump", "dumpcap")),
                 *(spread(ratios(cpu["podshark"], cpu[n])) for n in ("tcpdump", "dumpcap")),
                 *(spread([r[1] for r in runs[n]]) + " %" for n in ("podshark", "tcpdump", "dumpcap")), f"{speed / 1000:.0f} k/s")
