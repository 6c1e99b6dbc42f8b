# SPDX-License-Identifier: GPL-2.0-or-later
"""Another machine whose clock is wrong. Time namespaces do not cover the clock of packets, and the kernel stamps them:
so programs that stand before the real ones in that machine's PATH shift whatever tells a time there.

podshark: the times of its capture's blocks and records; bash, date: the answers of a clock. Run as one of them."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from datetime import datetime, timezone

EPB, ISB = 6, 5
STAMP = re.compile(rb'"(time|packet)":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z"')


def install(directory, podshark, ns, bash=True):
    """Programs for a PATH in that directory; without bash 5 the clock is asked by date."""
    directory.mkdir(mode=0o755)
    (directory / "date").write_text(f"#!/bin/sh\necho $(($(/bin/date +%s%N) + {ns}))\n")  # quick: it is started for each answer
    (directory / "date").chmod(0o755)
    for name in ("podshark", "bash"):
        program = directory / name
        program.write_text(f"#!/bin/sh\nexec /usr/bin/python3 -B {__file__} {name} {podshark} {ns} {int(bash)} \"$@\"\n")
        program.chmod(0o755)
    return directory


def shifted_text(ns, match):
    seconds = int(datetime.fromisoformat(match[2].decode()).replace(tzinfo=timezone.utc).timestamp())
    then = seconds * 10**9 + int(match[3]) + ns
    text = datetime.fromtimestamp(then // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return b'"%s":"%s.%09dZ"' % (match[1], text.encode(), then % 10**9)


def shift(block, ns):
    kind = int.from_bytes(block[:4], "little")
    if kind not in (EPB, ISB):
        return block
    high, low = struct.unpack_from("<II", block, 12)
    stamp = (high << 32 | low) + ns
    block = STAMP.sub(lambda m: shifted_text(ns, m), block)
    return block[:12] + struct.pack("<II", stamp >> 32, stamp & 0xFFFFFFFF) + block[20:]


def capture(argv, ns):
    signal.signal(signal.SIGTERM, lambda *_: None)  # the lease signals the whole group: podshark flushes and ends
    child = subprocess.Popen(argv, stdout=subprocess.PIPE)
    try:
        while len(head := child.stdout.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            sys.stdout.buffer.write(shift(head + child.stdout.read(length - 8), ns))
            sys.stdout.buffer.flush()
    except OSError:
        child.stdout.close()  # nobody reads: it notices too
    return child.wait()


def main(name, podshark, ns, bash, *argv):
    now = time.time_ns
    if name == "podshark":
        if argv[0] == "capture":
            return capture([podshark, *argv], int(ns))
        os.execv(podshark, [podshark, *argv])
    if bash == "0":
        return 0
    if "while" not in argv[1]:
        print("1.000000")
        return 0
    for line in iter(sys.stdin.readline, ""):
        micros = (now() + int(ns)) // 1000
        print(line.strip(), f"{micros // 10**6}.{micros % 10**6:06}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
