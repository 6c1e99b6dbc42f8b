#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_agent.py PROGRAM FILE.gz: podshark-agent runs anywhere (static, no loader, nothing of the C++ library) and is
small enough to be sent each time. Prints each violation and exits 1."""

import gzip
import pathlib
import re
import subprocess
import sys

LIMIT = 100_000  # bytes, gzipped
CXX = re.compile(r"\b(_ZSt|_ZNSt|_ZNKSt|_Zn[aw]|_Zd[al]|__cxa_|__gxx_|_Unwind_)")


def output(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def violations(program, packed):
    headers = output("readelf", "-lW", program)
    for segment in ("INTERP", "DYNAMIC"):
        if re.search(rf"^\s*{segment}\s", headers, re.MULTILINE):
            yield f"{program} has a segment {segment}: it is not static"
    stack = re.search(r"^\s*GNU_STACK\s.*$", headers, re.MULTILINE)
    if not stack or "E" in stack[0].split()[-2]:
        yield f"{program} has an executable stack"
    for line in output("nm", program).splitlines():
        if CXX.search(line):
            yield f"{program} has {line.split()[-1]} of the C++ library"
    size = pathlib.Path(packed).stat().st_size
    if size >= LIMIT:
        yield f"{packed} has {size} bytes, not less than {LIMIT}"
    if not gzip.decompress(pathlib.Path(packed).read_bytes()).startswith(b"\x7fELF"):
        yield f"{packed} is no program"


def main():
    if not all(pathlib.Path(p).is_file() for p in sys.argv[1:3]):
        print("podshark-agent is not built: musl-dev was missing when cmake ran")
        return 1
    found = list(violations(*sys.argv[1:3]))
    print("\n".join(found) or f"agent: {pathlib.Path(sys.argv[2]).stat().st_size} bytes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
