# SPDX-License-Identifier: GPL-2.0-or-later
"""plugin_cost.py: what the plugin costs tshark, in instructions (callgrind) per packet, CPU and wall time. Figures are
printed, never asserted. PODSHARK_BUILD names the build; PODSHARK_BENCH_ROUNDS the interleaved timed rounds (default 10,
0: instructions only). Needs valgrind; no privileges."""

import os
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wireshark"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import make_capture  # noqa: E402
from lib_plugin import PluginTest  # noqa: E402
from make_capture import Capture, container, dns_answer, inventory, ip, tcp_segment, udp  # noqa: E402

ROUNDS = int(os.environ.get("PODSHARK_BENCH_ROUNDS", "10"))
COUNTED, TIMED, CONTAINERS = 40_000, 1_000_000, 1000


def address(number):
    return f"10.{90 + number // 250}.{number % 250}.2"


def traffic(packets, named=True):
    """90 % TCP with consistent sequence numbers, 8 % DNS, 2 % ICMP, among 1000 containers."""
    everyone = [container(f"c{i}", f"{address(i)}/24") for i in range(CONTAINERS)]
    capture = Capture(events=named)
    for part in range(4):
        if named:
            capture.inventory(inventory(*everyone[part * 250:part * 250 + 250], part=part + 1, parts=4))
    link = capture.interface("podman:all/any" if named else "eth0")
    frames, seq = [], {}
    payload = b"x" * 120
    for n in range(min(packets, COUNTED)):
        a, b = n % CONTAINERS, (n * 7 + 1) % CONTAINERS
        if n % 50 == 0:
            head = struct.pack(">BBHHHBBH", 0x45, 0, 48, 1, 0, 64, 1, 0)
            body = struct.pack(">BBHHH", 8, 0, 0, 1, n & 0xFFFF) + bytes(20)
            addresses = b"".join(bytes(int(x) for x in address(i).split(".")) for i in (a, b))
            frames.append(make_capture.ethernet(0x0800, head + addresses + body))
        elif n % 12 == 0:
            frames.append(ip(address(a), address(b), udp(53, 40000, dns_answer("www.example.com", "192.0.2.9"))))
        else:
            at = seq.setdefault((a, b), 1000)
            frames.append(ip(address(a), address(b), tcp_segment(40000 + a % 100, 80, at, 1, 0x10, payload)))
            seq[a, b] = at + len(payload)
    blocks = bytearray(capture.data)
    for n in range(packets):
        data = frames[n % len(frames)]
        stamp = make_capture.START + n * 10**5
        body = struct.pack("<5I", link, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data)) + make_capture.pad(data)
        blocks += make_capture.block(6, body)
    return bytes(blocks)


class Bench(PluginTest):
    def runTest(self):
        """Only for what lib_plugin sets up."""

    def cost(self, path, plugin, *args, under=()):
        """(stderr, CPU seconds, wall seconds) of tshark on that file."""
        argv, env = self.command("-n", "-r", path, *args, plugin=plugin, under=under)
        began = time.monotonic()
        child = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{argv} failed: {errors}")
        return errors, usage.ru_utime + usage.ru_stime, time.monotonic() - began

    def instructions(self, path, one, plugin, *args):
        """Per packet: a run of all packets less one of a single packet."""
        counts = []
        for file in (path, one):
            errors, _, _ = self.cost(file, plugin, *args, under=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
            counts.append(int(re.search(r"Collected : (\d+)", errors)[1]))
        return (counts[0] - counts[1]) / COUNTED

    def compare(self, title, files, one, two, limit):
        """one and two: (plugin?, file, arguments…); prints two : one."""
        a, b = (self.instructions(files[f], files[f + "1"], plugin, *args) for plugin, f, *args in (one, two))
        print(f"{title:66} {a:9.0f} {b:9.0f} {b / a:7.4f}  (aim {limit})", flush=True)


def main():
    Bench.setUpClass()
    bench = Bench()
    files = {}
    for name, data in (("named", traffic(COUNTED)), ("named1", traffic(1)), ("plain", traffic(COUNTED, named=False)),
                       ("plain1", traffic(1, named=False))):
        files[name] = bench.tmp / f"{name}.pcapng"
        files[name].write_bytes(data)
        files[name].chmod(0o644)
    quiet = ("-q", "-Y", "tcp.port==1")
    ours = ("-q", "-Y", 'podman.name == "c7"')
    print(f"{'instructions per packet':66} {'without':>9} {'with':>9}   ratio")
    bench.compare("loaded, unused: -q -Y tcp.port==1, inventory in the file", files, (False, "named", *quiet),
                  (True, "named", *quiet), 1.01)
    bench.compare("loaded, unused: the same on a plain capture", files, (False, "plain", *quiet),
                  (True, "plain", *quiet), 1.01)
    bench.compare("-Y podman.name == …: against the same where nobody has a name", files, (True, "plain", *ours),
                  (True, "named", *ours), 1.15)
    bench.compare("-z conv,podman against -z conv,ip", files, (False, "named", "-q", "-z", "conv,ip"),
                  (True, "named", "-q", "-z", "conv,podman"), "-")
    if ROUNDS:
        large = bench.tmp / "large.pcapng"
        large.write_bytes(traffic(TIMED))
        large.chmod(0o644)
        took = {False: [], True: []}
        for number in range(ROUNDS):
            for plugin in ((False, True) if number % 2 else (True, False)):
                took[plugin].append(bench.cost(large, plugin, *quiet)[1:])
        for which, name in enumerate(("CPU", "wall")):
            with_us, without = ([one[which] for one in took[plugin]] for plugin in (True, False))
            least, middle = (f(with_us) / f(without) for f in (min, statistics.median))
            print(f"{name} time of {TIMED} packets, loaded and unused, {ROUNDS} rounds: minimum {least:.3f}, median {middle:.3f} of "
                  f"without (without: {min(without):.2f} to {max(without):.2f} s)")
    Bench.doClassCleanups()


if __name__ == "__main__":
    main()
