# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: figures as Markdown tables, CPU time of processes, waiting."""

import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

LAST = 1  # seconds after the last packet, until everybody has handled it: rings hand blocks over, files are flushed
ROUNDS = int(os.environ.get("PODSHARK_BENCH_ROUNDS", "5"))


def machine(world):
    cpu = next(l.partition(": ")[2] for l in open("/proc/cpuinfo") if l.startswith("model name"))
    return f"{os.cpu_count()} x {cpu.strip()}, Linux {os.uname().release}, {world}, {ROUNDS} rounds"


def title(*columns):
    print("\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns), flush=True)


def line(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def spread(figures, digits=2):
    """median (min - max)"""
    return f"{statistics.median(figures):.{digits}f} ({min(figures):.{digits}f} - {max(figures):.{digits}f})"


def row(name, figures, unit):
    line(name, *(f"{f:.3f}" for f in (min(figures), statistics.median(figures), max(figures))), unit)


def ratios(ours, theirs):
    """Of each pair of one round."""
    return [a / b for a, b in zip(ours, theirs)]


def own_cpu(pid):
    """Seconds that the threads of the process have run, without children; in nanoseconds, unlike those of proc_pid_stat(5)
    (Documentation/scheduler/sched-stats.rst of the kernel)."""
    return sum(int(f.read_text().split()[0]) for f in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def settle(value, seconds=0.5):
    """Waits until a value stays the same for so long."""
    since, last = time.perf_counter(), value()
    while time.perf_counter() - since < seconds:
        time.sleep(0.1)
        if (now := value()) != last:
            since, last = time.perf_counter(), now
    return last
