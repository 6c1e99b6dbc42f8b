#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_hardening.py PROGRAM...: what was built makes exploits hard, as readelf(1) sees it: position independent, relocations
read-only and bound at the start, no executable stack or writable code, stack canaries, checked string functions, no search
path for libraries.
Prints each violation and exits 1."""

import re
import subprocess
import sys


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], check=True, capture_output=True, text=True).stdout


def flags(segment):
    """The R, W and E of a program header's line: …, FileSiz, MemSiz, Flg (with spaces), Align."""
    return "".join(word for word in segment.split()[5:] if re.fullmatch("[RWE]+", word))


def violations(program):
    headers, dynamic = readelf("-l", program), readelf("-d", program)
    if not re.search(r"^Elf file type is DYN", headers, re.MULTILINE):
        yield "is not position independent"
    if "GNU_RELRO" not in headers:
        yield "has no read-only relocations"
    if not re.search(r"\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b", dynamic):
        yield "binds functions when they are called first"
    stack = re.search(r"^\s*GNU_STACK\s.*$", headers, re.MULTILINE)
    if not stack or "E" in flags(stack[0]):
        yield "has an executable stack"
    for load in re.findall(r"^\s*LOAD\s.*$", headers, re.MULTILINE):
        if {"W", "E"} <= set(flags(load)):
            yield "has a segment that is writable and executable"
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "looks for libraries in folders of its own (RPATH)"
    symbols = readelf("--dyn-syms", program)
    if "__stack_chk_fail" not in symbols:
        yield "has no stack canaries"
    if not re.search(r"\b__(?!stack)\w+_chk\b", symbols):
        yield "has no checked functions of the C library (_FORTIFY_SOURCE)"


def main():
    found = [f"{program} {what}" for program in sys.argv[1:] for what in violations(program)]
    print("\n".join(found) or f"hardening: {len(sys.argv) - 1} programs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
