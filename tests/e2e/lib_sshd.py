# SPDX-License-Identifier: GPL-2.0-or-later
"""A real sshd for a test class, in the Debian 13 root only (Debian 12's is the machine's own, without one)."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import lib
from lib import RIG, ROOT, run, wait_for


def start(case, address, *settings, enter=(), port=22):
    """sshd listens at address:port in a namespace (enter: argv before it); root and the rootless user may log in as
    anybody, and know its key. A class may have several. Ends with the class. Returns a directory with `host`, `keys`, `log`."""
    name_this_machine(case)
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="sshd-"))
    tmp.chmod(0o755)
    case.addClassCleanup(shutil.rmtree, tmp)
    run(ROOT, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp / "host"])
    pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    known = address if port == 22 else f"[{address}]:{port}"
    for user in (ROOT, RIG):
        ssh = home(user)
        if not (ssh / "id_ed25519").exists():  # else another of the class has made it
            run(user, ["mkdir", "-p", "-m", "700", ssh])
            run(user, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "id_ed25519"])
            case.addClassCleanup(shutil.rmtree, ssh)
        with (ssh / "known_hosts").open("a") as hosts:
            hosts.write(f"{known} {(tmp / 'host.pub').read_text()}")
        shutil.chown(ssh / "known_hosts", user)
        with (tmp / "keys").open("a") as keys:
            keys.write((ssh / "id_ed25519.pub").read_text())
    (tmp / "conf").write_text("".join(f"{line}\n" for line in (
        f"ListenAddress {address}:{port}", f"HostKey {tmp}/host", "StrictModes no", "UsePAM yes", f"AuthorizedKeysFile {tmp}/keys",
        "PasswordAuthentication no", *settings)))
    server = lib.popen(ROOT, [*enter, "/usr/sbin/sshd", "-D", "-E", tmp / "log", "-f", tmp / "conf"], stderr=subprocess.DEVNULL)
    case.addClassCleanup(lib.end, server, 9)
    wait_for(lambda: run(ROOT, ["ssh", "-o", "BatchMode=yes", f"ssh://{RIG}@{address}:{port}", "true"], check=False).returncode == 0,
             lambda: f"sshd to let us in: {(tmp / 'log').read_text()}")
    return tmp


def name_this_machine(case):
    """sudo asks for its own machine's name, and waits ten seconds where nobody answers."""
    hosts = pathlib.Path("/etc/hosts")
    before, line = hosts.read_text(), f"127.0.1.1 {os.uname().nodename}\n"
    if line not in before:
        case.addClassCleanup(hosts.write_text, before)
        hosts.write_text(before + line)


def home(user):
    return pathlib.Path(lib.environment(user)["HOME"], ".ssh")


def sessions(mark=b"@notty"):
    """Processes of sshd that carry commands now, or those that have `mark` in their title."""
    return [pid for pid in lib.processes("sshd", "sshd-session")
            if mark in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]


def hold_up(seconds):
    """Nothing passes the connections for so long, then all of it."""
    stopped = sessions()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)  # the length of it is the subject
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def cut(stopped=None):
    """Neither side hears of the other, as when a cable is pulled: sshd's processes are stopped, then killed. Yields how many
    seconds ago that was, as a call."""
    stopped = sessions() if stopped is None else stopped
    assert stopped, "nobody is connected"
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        yield lambda: time.monotonic() - began
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
