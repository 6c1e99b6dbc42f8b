# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share. They run inside a rig (tests/rig) as root, with podman, tshark and us.

A test module names the containers it wants and gets them once, before its first test:

    CONTAINERS = (Ctr("web", ports=("28080:80",)), Ctr("own", user=RIG), Pod("shop", members=("front",)))

    class Capture(RigTest):
        def test_it(self):
            self.assertIn("hello", fetch(28080))
            pid = self.up["web"].pid
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

ROOT, RIG, OTHER, MEMBER = "root", "rig", "other", "member"
HOST, CLIENT = "203.0.113.1", "203.0.113.2"
IMAGE = "localhost/bb:1"
WEB = ("httpd", "-f", "-p", "80", "-h", "/www")  # serves one page that says hello
WORLD = os.environ.get("PODSHARK_WORLD", "")  # deb12 or deb13
BIN = pathlib.Path(os.environ.get("PODSHARK_BIN", "/nonexistent"))  # the build tree
ARTIFACTS = pathlib.Path(os.environ.get("PODSHARK_ARTIFACTS", "/tmp"))  # for what people look at: screenshots


# ---- commands as any user ----

def environment(user, **extra):
    """The complete environment of a command of `user`; nothing of the test's own passes except PODSHARK_*."""
    entry = pwd.getpwnam(user)
    paths = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if user != ROOT:
        paths = "/usr/local/bin:/usr/bin:/bin"  # what Debian gives ordinary users
    env = {"HOME": entry.pw_dir, "USER": user, "PATH": paths, "LANG": "C.UTF-8",
           "CONTAINERS_CONF": "/etc/rig.conf"}
    if user != ROOT:
        env["XDG_RUNTIME_DIR"] = f"/run/user/{entry.pw_uid}"
    env.update({k: v for k, v in os.environ.items() if k.startswith("PODSHARK_")})
    env.update(extra)
    return env


def argv_as(user, argv, no_new_privs=False):
    """argv that drops to `user` with an empty capability set (nothing is dropped for root)."""
    argv = [str(a) for a in argv]
    if user == ROOT:
        return argv
    drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--inh-caps=-all"]
    return drop + (["--no-new-privs"] if no_new_privs else []) + ["--"] + argv


def popen(user, argv, env=None, no_new_privs=False, **kwargs):
    """A child in a session of its own, so that `end` reaches whatever it started. cwd is the user's home."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("cwd", pwd.getpwnam(user).pw_dir)
    return subprocess.Popen(argv_as(user, argv, no_new_privs), env=environment(user, **(env or {})),
                            start_new_session=True, **kwargs)


def run(user, argv, *, check=True, timeout=60, text=True, input=None, **kwargs):
    """Runs to the end; returns CompletedProcess with stdout and stderr. A failure raises with its stderr."""
    kwargs.setdefault("stdin", subprocess.DEVNULL if input is None else subprocess.PIPE)
    child = popen(user, argv, text=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
    try:
        out, err = child.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        end(child, signal.SIGKILL)
        out, err = child.communicate()
        raise AssertionError(f"{user}: {argv} did not end within {timeout} s; stderr: {err}") from None
    if check and child.returncode:
        raise AssertionError(f"{user}: {argv} exited {child.returncode}; stdout: {out}; stderr: {err}")
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


def end(child, signum=signal.SIGTERM, timeout=20):
    """Signals the child's session and waits; returns the exit code (negative signal number)."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signum)
    return child.wait(timeout)


def wait_for(condition, what, timeout=20):
    """Polls until condition() is true and returns its value; says what it waited for when it never is. What is known
    only then may be told by a function."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what() if callable(what) else what}")
        time.sleep(0.02)


def client(argv, **kwargs):
    """Runs argv in the network namespace of the client outside."""
    return run(ROOT, ["ip", "netns", "exec", "client", *argv], **kwargs)


def processes(*names):
    """Pids of live processes (no zombies) whose comm is one of names (at most 15 characters count)."""
    found, wanted = [], {n[:15] for n in names}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            head, _, tail = pathlib.Path("/proc", entry, "stat").read_text().rpartition(")")
            if head.partition("(")[2] in wanted and tail.split()[0] != "Z":
                found.append(int(entry))
    return found


# ---- podman ----

def podman(user, *args, check=True, timeout=90):
    """stdout of a podman command of `user`, without the trailing newline."""
    return run(user, ["podman", *args], check=check, timeout=timeout).stdout.rstrip("\n")


def podman_json(user, *args):
    return json.loads(podman(user, *args) or "null")


def image_for(user):
    """Gives the user the tests' image; root and rig have it from the start."""
    image = run(ROOT, ["podman", "save", IMAGE], text=False).stdout
    run(user, ["podman", "load", "-q"], input=image, text=False)


@dataclasses.dataclass(frozen=True)
class Ctr:
    """A container to bring up. user=RIG without network: slirp4netns (deb12) or pasta (deb13)."""
    name: str
    user: str = ROOT
    network: str = ""
    ports: tuple = ()
    pod: str = ""
    options: tuple = ()  # further words of `podman run`
    cmd: tuple = WEB
    image: str = IMAGE


@dataclasses.dataclass(frozen=True)
class Pod:
    name: str
    user: str = ROOT
    network: str = ""
    ports: tuple = ()
    members: tuple = ()  # names of containers; the first serves the web page, the others sleep


@dataclasses.dataclass(frozen=True)
class Net:
    name: str
    user: str = ROOT
    options: tuple = ()  # further words of `podman network create`


class Up:
    """A running container (or a pod's infra container); facts are asked of podman anew each time."""

    def __init__(self, name, user):
        self.name, self.user = name, user

    def inspect(self):
        return podman_json(self.user, "inspect", self.name)[0]

    @property
    def id(self):
        return self.inspect()["Id"]

    @property
    def pid(self):
        return self.inspect()["State"]["Pid"]

    @property
    def address(self):
        """Its first IPv4 address on a bridge, or '' (default rootless networks have none in podman's eyes)."""
        networks = self.inspect()["NetworkSettings"].get("Networks") or {}
        return next((n["IPAddress"] for n in networks.values() if n.get("IPAddress")), "")

    @property
    def mac(self):
        """The MAC address of its eth0."""
        return json.loads(self.enter("ip", "-j", "link", "show", "eth0").stdout)[0]["address"]

    def exec(self, *argv, **kwargs):
        """Runs argv inside the container through podman."""
        return run(self.user, ["podman", "exec", self.name, *argv], **kwargs)

    def enter(self, *argv, **kwargs):
        """Runs a program of the rig in the container's network namespace, as root."""
        return run(ROOT, ["nsenter", "-t", str(self.pid), "-n", *argv], **kwargs)


def start(spec):
    """Brings one Ctr, Pod or Net up; returns {name: Up}."""
    publish = [w for p in getattr(spec, "ports", ()) for w in ("-p", p)]
    network = ["--network", spec.network] if getattr(spec, "network", "") else []
    if isinstance(spec, Net):
        podman(spec.user, "network", "create", *spec.options, spec.name)
        return {}
    if isinstance(spec, Pod):
        podman(spec.user, "pod", "create", "--name", spec.name, *network, *publish)
        up = {}
        for i, member in enumerate(spec.members):
            cmd = WEB if i == 0 else ("sleep", "1000000")
            up.update(start(Ctr(member, spec.user, pod=spec.name, cmd=cmd)))
        return up
    pod = ["--pod", spec.pod] if spec.pod else []
    podman(spec.user, "run", "-d", "--name", spec.name, *network, *publish, *pod, *spec.options, spec.image,
           *spec.cmd)
    return {spec.name: Up(spec.name, spec.user)}


COOKED = """
import fcntl, os, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1001))  # TUNSETIFF: tun, no header
fcntl.ioctl(fd, 0x400454CD, int(sys.argv[2]))  # TUNSETLINK
print(flush=True)
sys.stdin.read()
"""


def add_cooked_link(test, up, name, address, arphrd=778):
    """A link whose type has no link-layer header that we know (778: GRE), in the netns of a container until the test's end."""
    holder = test.child(ROOT, ["nsenter", "-t", str(up.pid), "-n", "python3", "-c", COOKED, name, str(arphrd)],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    up.enter("ip", "address", "add", address, "dev", name)
    up.enter("ip", "link", "set", name, "up")


def remove_all(user):
    """Removes every container, pod and network of the user."""
    podman(user, "pod", "rm", "-f", "-a", "-t", "0")
    podman(user, "rm", "-f", "-a", "-t", "0", check=False)  # 4.3.1 may try one before those that depend on it
    podman(user, "rm", "-f", "-a", "-t", "0")
    for network in podman_json(user, "network", "ls", "--format", "json"):
        if network["name"] != "podman":
            podman(user, "network", "rm", "-f", network["name"])


def fetch(port, path="/", outside=True, host=HOST, timeout=20):
    """GET http://host:port/path, from outside or from the host itself; polls until somebody serves it."""
    url = f"http://{host}:{port}{path}"

    def attempt():
        if outside:
            got = client(["busybox", "wget", "-q", "-O", "-", url], check=False)
            return got.stdout if got.returncode == 0 else None
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.read().decode()
        return None

    return wait_for(attempt, f"an answer from {url}", timeout)


# ---- the base class ----

def quick(item):
    """Marks a test or a class as part of `run.sh --quick`."""
    item.quick = True
    return item


def long(item):
    """Marks a test or a class that runs only when named (tests/long.txt names them all)."""
    item.long = True
    return item


def once(test):
    """A slow test to which podman's and Wireshark's versions make no difference: it exists on Debian 12 only."""
    return test if WORLD == "deb12" else None


class RigTest(unittest.TestCase):
    """Containers of the module's CONTAINERS are in self.up by name; each test has self.tmp, open to all users,
    and fails when a process of ours outlives it."""

    OURS = ("podshark", "podshark-worker", "podshark-keeper", "podshark-drops")
    end_within = 10  # seconds a process of ours has after the test
    maxDiff = None
    _module, up = None, {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if RigTest._module == cls.__module__:
            return
        RigTest._module, RigTest.up = cls.__module__, {}
        specs = getattr(__import__(cls.__module__), "CONTAINERS", ())
        users = sorted({s.user for s in specs})
        unittest.addModuleCleanup(RigTest._down, users)
        for spec in specs:
            RigTest.up.update(start(spec))

    @staticmethod
    def _down(users):
        RigTest._module, RigTest.up = None, {}
        for user in users:
            remove_all(user)

    def setUp(self):
        super().setUp()
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="e2e-"))
        self.tmp.chmod(0o1777)
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.addCleanup(self._nothing_left)  # before rmtree, after the test's own cleanups

    def _nothing_left(self):
        try:
            wait_for(lambda: not processes(*self.OURS), f"{self.OURS} to end", self.end_within)
        except AssertionError:
            left = {p: pathlib.Path(f"/proc/{p}/cmdline").read_bytes() for p in processes(*self.OURS)}
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            self.fail(f"processes left after the test: {left}")

    def child(self, user, argv, **kwargs):
        """A background process that is ended with the test, whatever happens."""
        process = popen(user, argv, **kwargs)
        self.addCleanup(self._reap, process)
        return process

    @staticmethod
    def _reap(process):
        if process.poll() is None:
            end(process, signal.SIGKILL)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
