# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of one container over ssh, ours beside what people use: how soon the first packet is here, and how much is lost.
Paired rounds inside a Debian 13 rig over its sshd on loopback; figures are printed, never asserted. remote.sh calls it."""

import atexit
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import lib  # noqa: E402
import lib_images  # noqa: E402
import lib_pcapng  # noqa: E402
import lib_sshd  # noqa: E402
from bench import ROUNDS, own_cpu, row, settle  # noqa: E402
from lib_podshark import PODSHARK  # noqa: E402

HERE, THERE = 2231, 2232  # sshd without and with podshark in its PATH
SSHDUMP = next(pathlib.Path("/usr/lib").glob("*/wireshark/extcap/sshdump"), None)
PACKETS, SIZE = 200000, 1400
RATES = (20000, 50000)


def ways(web, out):
    """name: argv that writes a capture of eth0 to `out`."""
    inside = f"nsenter -t {web.pid} -n tcpdump -n -U -i eth0 -w -"
    ssh = f"ssh -T -o BatchMode=yes ssh://root@127.0.0.1:{HERE}"
    found = {
        "podshark, installed there": [PODSHARK, "capture", f"ssh://root@127.0.0.1:{THERE}/web", "-q", "-i", "eth0", "--drops=off", "-w", out],
        "podshark, by its agent": [PODSHARK, "capture", f"ssh://root@127.0.0.1:{HERE}/web", "-q", "-i", "eth0", "-w", out],
        "podshark, exec (tcpdump)": [PODSHARK, "capture", f"ssh://root@127.0.0.1:{HERE}/tools", "-q", "-i", "eth0", "--method=exec", "-w", out],
        "ssh … nsenter tcpdump -U": ["sh", "-c", f"exec {ssh} '{inside}' >{out}"],
        "the same with --immediate-mode": ["sh", "-c", f"exec {ssh} '{inside} --immediate-mode' >{out}"],
    }
    if SSHDUMP:
        found["sshdump, the same command"] = [
            SSHDUMP, "--capture", "--extcap-interface", "sshdump", "--fifo", out, "--remote-host", "127.0.0.1", "--remote-port", str(HERE),
            "--remote-username", "root", "--sshkey", lib_sshd.home(lib.ROOT) / "id_ed25519", "--remote-capture-command", inside]
    return found


def start(argv):
    return lib.popen(lib.ROOT, argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def holds_packet(path):
    """A frame of the sender or a ping: anything beyond headers and our own records."""
    data = path.read_bytes() if path.exists() else b""
    return b"podshark bench ping" in data


def end(child):
    if child.poll() is None:
        lib.end(child, signal.SIGINT)


def ping(addresses, stop):
    """A packet to each, fifty times a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not stop.wait(0.02):
            for address in addresses:
                sender.sendto(b"podshark bench ping", (address, 9))


def first_packets(up, directory):
    stop = threading.Event()
    threading.Thread(target=ping, args=([up["web"].address, up["tools"].address], stop), daemon=True).start()
    times = {}
    for i in range(ROUNDS):
        for name, argv in ways(up["web"], directory / "first").items():
            (directory / "first").unlink(missing_ok=True)
            if "sshdump" in name:
                os.mkfifo(directory / "first.fifo")
                argv[argv.index(directory / "first")] = directory / "first.fifo"
            began = time.perf_counter()
            child = start(argv)
            if "sshdump" in name:
                with (directory / "first.fifo").open("rb", buffering=0) as stream:
                    data = b""
                    while b"podshark bench ping" not in data:
                        data += stream.read(65536)
                (directory / "first.fifo").unlink()
            else:
                while not holds_packet(directory / "first"):
                    time.sleep(0.002)
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            end(child)
    stop.set()
    for name, figures in times.items():
        row(f"first packet: {name}", figures, "ms")


def throughput(up, directory, rate):
    got, cpu = {}, {}
    sender = lib.BIN / "tests/tools/packet_sender"
    for _ in range(ROUNDS):
        for name, argv in ways(up["web"], directory / "much").items():
            (directory / "much").unlink(missing_ok=True)
            copier = None
            if "sshdump" in name:
                os.mkfifo(directory / "much.fifo")
                argv[argv.index(directory / "much")] = directory / "much.fifo"
                copier = subprocess.Popen(["sh", "-c", f"cat {directory}/much.fifo >{directory}/much"])
            child = start(argv)
            target = up["tools" if "exec" in name else "web"]
            file = directory / "much"
            lib.wait_for(lambda: file.exists() and file.stat().st_size > 20, "the capture to begin")
            time.sleep(1)
            before = own_cpu(child.pid)
            lib.run(lib.ROOT, [sender, "podman0", target.mac, PACKETS, SIZE, rate], timeout=120)
            settle(lambda: file.stat().st_size, 1)
            cpu.setdefault(name, []).append((own_cpu(child.pid) - before) * 1e6 / PACKETS)
            end(child)
            if copier:
                copier.wait(10)
                (directory / "much.fifo").unlink()
            got.setdefault(name, []).append(100 - 100 * count(file) / PACKETS)
    for name in got:
        row(f"lost at {rate // 1000} k/s: {name}", got[name], "%")
        row(f"  CPU µs per packet here: {name}", cpu[name], "µs")


def count(path):
    """Different numbered packets of the sender, in a pcap or pcapng file."""
    if path.read_bytes()[:4] != b"\x0a\x0d\x0d\x0a":
        copy = path.with_suffix(".pcapng")
        lib.run(lib.ROOT, ["editcap", "-F", "pcapng", path, copy], check=False)
        path = copy
    return len({frame[42:50] for frame in lib_pcapng.frames(path.read_bytes(), first=0) if len(frame) == SIZE})


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    lib_images.tool_image("localhost/tools:1", ("tcpdump",), (lib.ROOT,))
    up = {}
    for spec in (lib.Ctr("web"), lib.Ctr("tools", image="localhost/tools:1")):
        up.update(lib.start(spec))
    case = types.SimpleNamespace(addClassCleanup=atexit.register)
    path = "SetEnv PATH={}/usr/local/bin:/usr/bin:/bin:/usr/sbin CONTAINERS_CONF=/etc/rig.conf"
    lib_sshd.start(case, "127.0.0.1", path.format(""), f"ListenAddress 127.0.0.1:{THERE}", f"Match LocalPort {THERE}",
                   path.format(f"{PODSHARK.parent}:"), port=HERE)
    known = lib_sshd.home(lib.ROOT) / "known_hosts"
    known.write_text(known.read_text() + known.read_text().replace(str(HERE), str(THERE)))
    cpu = next(l.partition(": ")[2] for l in open("/proc/cpuinfo") if l.startswith("model name"))
    print(f"{os.cpu_count()} x {cpu.strip()}, Linux {os.uname().release}, {lib.WORLD}, {ROUNDS} rounds")
    print(f"{'':60} {'min':>9} {'median':>9} {'max':>9}")
    first_packets(up, directory)
    for rate in RATES:
        throughput(up, directory, rate)


if __name__ == "__main__":
    main()
