# SPDX-License-Identifier: GPL-2.0-or-later
"""Benchmarks inside a rig: paired runs, ratios with spread. Figures are printed, never asserted; run.sh calls it."""

import atexit
import inspect
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from lib_bench import LAST, ROUNDS, machine, own_cpu, row, title  # first: it makes tests/e2e known
import lib
import lib_pcapng
import many
import to_file
import to_wireshark
from lib_podshark import PODSHARK, mapped_rings, resident

DROPPED, RATE = 300000, 100000


def program_time():
    """Nanoseconds and runs of our BPF program so far; the kernel counts while kernel.bpf_stats_enabled is 1."""
    told = json.loads(lib.run(lib.ROOT, ["bpftool", "-j", "prog", "show", "name", "on_drop"]).stdout)
    newest = max(told if isinstance(told, list) else [told], key=lambda program: program["id"])
    return newest.get("run_time_ns", 0), newest.get("run_cnt", 0)


def dropped_packets(web, directory):
    """A flood that a firewall rule in the container drops, shown by nothing but --drops; and what --drops costs TCP."""
    sender = lib.BIN / "tests/tools/packet_sender"
    inside = ["nsenter", "-t", str(web.pid), "-n"]
    lib.run(lib.ROOT, [*inside, "nft", "add table inet b; add chain inet b i { type filter hook input priority 0; };"
                       " add rule inet b i udp dport 9 drop"])
    stats = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
    atexit.register(stats.write_text, stats.read_text())  # the machine's, not the rig's
    stats.write_text("1")
    cost, cpu, shown = [], [], []
    for _ in range(ROUNDS):
        file = directory / "drops.pcapng"
        file.unlink(missing_ok=True)
        child = lib.popen(lib.ROOT, [PODSHARK, "capture", "web", "-q", "-i", "lo", "--drops=on", "-w", file], stderr=subprocess.DEVNULL)
        lib.wait_for(lambda: file.exists() and b"watching-drops" in file.read_bytes(), "drops to be watched")
        used = own_cpu(child.pid)
        time_ns, runs = program_time()
        lib.run(lib.ROOT, [sender, "podman0", web.mac, DROPPED, 142, RATE], timeout=120)
        time.sleep(LAST)
        cpu.append((own_cpu(child.pid) - used) * 1e6 / DROPPED)
        after_ns, after_runs = program_time()
        cost.append((after_ns - time_ns) / max(after_runs - runs, 1))
        lib.end(child, signal.SIGINT)
        shown.append(100 * sum(1 for p in lib_pcapng.read(file).packets if p.interface.name.endswith("/drops")) / DROPPED)
    lib.run(lib.ROOT, [*inside, "nft", "delete table inet b"])
    row("dropped packets: BPF program, each", cost, "ns")
    row("dropped packets: podshark, each", cpu, "us")
    row("dropped packets: shown of those sent", shown, "%")
    rates = {"off": [], "on": []}
    for i in range(2 * ROUNDS):
        for mode in ("off", "on") if i % 2 == 0 else ("on", "off"):  # neither always first
            rates[mode].append(throughput(web, mode))
    for mode, figures in rates.items():
        row(f"TCP while nothing is dropped, --drops={mode}", figures, "Gb/s")
    row("… on / off, pair by pair", [b / a for a, b in zip(*rates.values())], "")
    delays = {mode: [] for mode in ("off", "on")}
    for _ in range(ROUNDS):
        for mode, figures in delays.items():
            figures += delivery(web, mode)
    for mode, figures in delays.items():
        row(f"packet sent to packet in the reader, --drops={mode}", figures, "ms")


def delivery(web, mode, number=40):
    """Milliseconds from sending a packet into the container until the reader of `-w -` has it, one at a time."""
    child = lib.popen(lib.ROOT, [PODSHARK, "capture", "web", "-q", "-i", "eth0", f"--drops={mode}", "-w", "-"],
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    delays, data = [], b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        time.sleep(1)  # attached, and drops watched
        for i in range(number):
            marker = b"delivery-%06d" % i
            sent = time.perf_counter()
            s.sendto(marker, (web.address, 9))
            while marker not in data:
                data = data[-64:] + os.read(child.stdout.fileno(), 65536)
            delays.append((time.perf_counter() - sent) * 1000)
            time.sleep(0.013)  # no multiple of anything
    lib.end(child, signal.SIGINT)
    return delays


def throughput(web, mode):
    """Gb/s from the host into the container while podshark captures its lo only."""
    listener = subprocess.Popen(["nsenter", "-t", str(web.pid), "-n", "python3", "-c",
                                 "import socket\ns = socket.create_server(('', 5201))\nprint('ready', flush=True)\n"
                                 "c, _ = s.accept()\nb = bytearray(1 << 20)\nwhile c.recv_into(b): pass"], stdout=subprocess.PIPE)
    listener.stdout.readline()
    child = lib.popen(lib.ROOT, [PODSHARK, "capture", "web", "-q", "-i", "lo", f"--drops={mode}", "-w", "/dev/null"],
                      stderr=subprocess.DEVNULL)
    time.sleep(1)
    with socket.create_connection((web.address, 5201)) as s:
        block, sent, began = bytes(1 << 20), 0, time.perf_counter()
        while time.perf_counter() - began < 2:
            s.sendall(block)
            sent += len(block)
        rate = sent * 8 / (time.perf_counter() - began) / 1e9
    listener.wait(10)
    lib.end(child, signal.SIGINT)
    return rate


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
    lib.podman(lib.RIG, "exec", "-d", "own", "sh", "-c",
               "while [ ! -e /tmp/end ]; do wget -q -O - http://127.0.0.1/ >/dev/null; done")
    for i in range(ROUNDS):
        fifo = directory / f"fifo{i}"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
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
    lib.podman(lib.RIG, "exec", "own", "sh", "-c", ">/tmp/end")
    row("--capture to section header", header, "ms")
    row("--capture to first packet", packet, "ms")


def first_packet(web, directory):
    """How long before the first packet of a container that starts elsewhere its capture was there already."""
    early = []
    for i in range(ROUNDS):
        file, name = directory / f"armed{i}.pcapng", f"armed{i}"
        errors = (directory / "errors").open("w+")
        child = lib.popen(lib.ROOT, [PODSHARK, "capture", name, "--wait", "-w", file], stderr=errors)
        lib.wait_for(lambda: "waiting for" in (directory / "errors").read_text(), "the notice")
        lib.podman(lib.ROOT, "run", "--rm", "--name", name, lib.IMAGE, "sh", "-c", f"wget -qO- http://{web.address}/; sleep 2")
        lib.wait_for(lambda: b"GET / HTTP" in file.read_bytes(), "the request")
        lib.end(child, signal.SIGINT)
        done = lib_pcapng.read(file)
        syn = next(p for p in done.packets if len(p.data) > 47 and p.data[12:14] == b"\x08\x00" and p.data[47] & 2)
        # The inventory that names it carries the time at which its namespace was opened.
        opened = max(e["_time_ns"] for e in done.events_of("inventory") if e["_time_ns"] <= syn.time_ns)
        early.append((syn.time_ns - opened) / 1e6)
    row("--wait: captured so long before the first SYN", early, "ms")


IDLE, WATCHED_S = 100, 20


def idle_hundred(directory):
    """A hundred containers in which nothing happens: one podshark for all links, and a tcpdump for each eth0."""
    up = {}
    for i in range(IDLE):
        up.update(lib.start(lib.Ctr(f"idle{i}", cmd=("sleep", "1000000"))))
    file = directory / "all.pcapng"
    links = [f"podman:idle{i}/{link}".encode() for i in range(IDLE) for link in ("lo", "eth0")]
    began = time.perf_counter()
    ours = lib.popen(lib.ROOT, [PODSHARK, "capture", "all", "-q", "-w", file], stderr=subprocess.DEVNULL)

    def attached():
        data = file.read_bytes() if file.exists() else b""
        return all(link in data for link in links)
    lib.wait_for(attached, "all links", timeout=60)
    ready = time.perf_counter() - began
    theirs = []
    for c in up.values():
        theirs.append(lib.popen(lib.ROOT, ["nsenter", "-t", str(c.pid), "-n", "tcpdump", "-n", "-U", "-i", "eth0", "-w",
                                           directory / f"{c.name}.pcap"], stderr=subprocess.DEVNULL))
    lib.wait_for(lambda: all((directory / f"{c.name}.pcap").exists() for c in up.values()), "all tcpdumps", timeout=60)

    def cpu(processes):
        return sum(own_cpu(p.pid) for p in processes)
    time.sleep(LAST)
    for what, processes in (("podshark all", [ours]), ("100 tcpdumps", theirs)):
        before = cpu(processes)
        time.sleep(WATCHED_S)
        row(f"{what}: share of a core, idle", [100 * (cpu(processes) - before) / WATCHED_S], "%")
        row(f"{what}: rings", [sum(mapped_rings(p.pid) for p in processes) / 2 ** 20], "MiB")
        row(f"{what}: resident, rings included", [sum(resident(p.pid) for p in processes) / 1024], "MiB")
    row("podshark all: all 200 links captured after", [ready], "s")
    for p in (ours, *theirs):
        lib.end(p, signal.SIGINT)
    many.remove(up)


# Those that begin a table of their own, and those that are rows of one.
TABLES = (to_file.to_file, to_wireshark.to_wireshark, to_wireshark.annotating, many.containers)
ROWS = (start_ups, latency, dropped_packets, first_packet, idle_hundred)


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    directory.chmod(0o1777)
    shm = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir="/dev/shm"))  # no disk makes anybody wait
    atexit.register(shutil.rmtree, shm)
    up = {}
    for spec in (lib.Ctr("web"), lib.Ctr("own", user=lib.RIG)):
        up.update(lib.start(spec))
    print(machine(lib.WORLD))
    wanted = {"web": up["web"], "directory": directory, "shm": shm}
    chosen = [m for m in (*TABLES, *ROWS) if not sys.argv[1:] or m.__name__ in sys.argv[1:]]
    for i, measure in enumerate(chosen):
        if measure in ROWS and (i == 0 or chosen[i - 1] not in ROWS):
            title("and", "min", "median", "max", "unit")
        measure(**{name: wanted[name] for name in inspect.signature(measure).parameters})


if __name__ == "__main__":
    main()
