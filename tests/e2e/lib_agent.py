# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the built podshark-agent, from the file that podshark sends."""

import contextlib
import gzip
import os
import pathlib
import platform
import signal
import subprocess
import tempfile

import lib
import lib_pcapng

PACKED = lib.BIN / f"extcap/agents/podshark-agent-{platform.machine()}.gz"
INTERNAL, USAGE, NO_PROCESS, NOT_PERMITTED, NO_LINK, BAD_FILTER, BEATS_MISSED, READER_GONE = 80, 81, 82, 83, 84, 87, 88, 89


def unpack(directory):
    """The program, for all users."""
    program = pathlib.Path(directory, "podshark-agent")
    program.write_bytes(gzip.decompress(PACKED.read_bytes()))
    program.chmod(0o755)
    return program


def compiled(filter_, linktype=1):
    """A value of -f, from libpcap's own compiler."""
    name = {1: "EN10MB", 101: "RAW"}[linktype]
    lines = lib.run(lib.ROOT, ["tcpdump", "-y", name, "-ddd", filter_]).stdout.splitlines()[1:]
    code = b"".join(int(c).to_bytes(2, "little") + bytes((int(t), int(f))) + int(k).to_bytes(4, "little")
                    for c, t, f, k in (line.split() for line in lines))
    return f"{linktype}:{code.hex()}"


class Agent:
    """`podshark-agent capture ARGS` in the background, its stdin held open, its stdout a file."""

    def __init__(self, test, program, user, *args, stdout=None, **kwargs):
        handle, self.path = tempfile.mkstemp(dir=test.tmp, suffix=".pcapng")
        words = [program, "capture", *map(str, args)]
        if "-L" not in words:
            words[2:2] = ["-L", "60"]
        kwargs.setdefault("stdin", subprocess.PIPE)
        self.process = test.child(user, words, stdout=handle if stdout is None else stdout, stderr=subprocess.PIPE, **kwargs)
        os.close(handle)

    def so_far(self):
        if os.path.getsize(self.path) < 28:
            return None
        return lib_pcapng.read(self.path, partial=True)

    def wait(self, condition, what):
        """Polls until condition(what is captured so far) is true."""
        def attempt():
            now = self.so_far()
            if self.process.poll() is not None:
                raise AssertionError(f"the agent ended with {self.process.returncode}: {self.process.stderr.read()}")
            return now and condition(now)
        return lib.wait_for(attempt, what)

    def wait_links(self, *names):
        self.wait(lambda now: set(names) <= {i.name for i in now.interfaces}, f"links {names}")

    def wait_data(self, text, link=None):
        self.wait(lambda now: any(text in p.data for p in now.packets if link in (None, p.interface.name)), f"{text} in a packet")

    def ended(self, code=0, timeout=10):
        """Waits for its end by itself; (capture, stderr)."""
        try:
            got = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("the agent did not end") from None
        errors = self.process.stderr.read().decode()
        if got != code:
            raise AssertionError(f"the agent exited {got}, not {code}: {errors}")
        size = os.path.getsize(self.path)
        return (lib_pcapng.read(self.path) if size else None), errors

    def stop(self):
        """By the end of its stdin, as podshark does; what it captured."""
        self.process.stdin.close()
        capture, errors = self.ended()
        if errors:
            raise AssertionError(f"the agent said: {errors}")
        return capture

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
