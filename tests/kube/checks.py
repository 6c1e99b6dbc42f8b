# SPDX-License-Identifier: GPL-2.0-or-later
"""checks.py DIR [NAME...]: what podshark does with a real Kubernetes node; runs on it (run.sh). The client is Kubernetes' own
kubectl 1.20, and /usr/bin/kubectl too where there is another."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import lib_pcapng  # noqa: E402  (its path is known only now)

PODSHARK = pathlib.Path(os.environ["PODSHARK_BIN"], "extcap/podshark")
DIR = pathlib.Path(sys.argv[1])
USER = {"KUBECONFIG": str(DIR / "etc/user.conf")}  # user `user`, who may nothing unless granted


def run(*argv, code=0, env=None, timeout=60, text=True):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=text, timeout=timeout,
                          env={**os.environ, **(env or {})}, check=False)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{argv} exited {done.returncode}, not {code}: {done.stdout!r} {done.stderr!r}")
    return done


def kubectl(*args, **kwargs):
    return run("kubectl", *args, **kwargs).stdout


def wait_for(condition, what, timeout=30):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {timeout} s for {what}")


def tools_of_pods():
    """Command lines of tcpdump and podshark-agent, in whatever pod; those of kubectl contain them too."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            if not words[0].endswith(b"kubectl") and (words[0].endswith(b"tcpdump") or words[1:2] == [b"capture"] and b"self" in words):
                found.append(words)
    return found


def ping(pod):
    """One ICMP echo to the pod's own address: what every capture of it sees."""
    address = json.loads(kubectl("get", "pod", "-n", "store", pod, "-o", "json"))["status"]["podIP"]
    run("ping", "-c", "1", "-W", "2", address)


class Capture:
    """`podshark capture` in the background."""

    def __init__(self, *args, env=None):
        self.dir = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.dir.name, "out.pcapng")
        self.errors = pathlib.Path(self.dir.name, "err").open("w+")
        self.process = subprocess.Popen([str(PODSHARK), "capture", *args, "-w", str(self.path)], stdin=subprocess.DEVNULL,
                                        stderr=self.errors, env={**os.environ, **(env or {})}, start_new_session=True)

    def said(self):
        return pathlib.Path(self.errors.name).read_text()

    def now(self):
        if not self.path.exists() or self.path.stat().st_size < 28:
            return None
        return lib_pcapng.read(self.path, partial=True)

    def attached(self, links=1):
        wait_for(lambda: self.process.poll() is not None or ((now := self.now()) and len(now.links) >= links), "links")
        if self.process.poll() is not None:
            raise AssertionError(f"ended: {self.said()}")
        return self

    def wait_packets(self, number):
        wait_for(lambda: (now := self.now()) and len(now.packets) >= number, f"{number} packets; {self.said()}")
        return self

    def stop(self, signum=signal.SIGINT):
        self.process.send_signal(signum)
        self.process.wait(20)
        return lib_pcapng.read(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        self.dir.cleanup()


# ---- the checks: each function whose name begins with check_ ----

def check_list_shows_what_kubectl_shows():
    table = run(PODSHARK, "list", "--kube", "--namespace", "all").stdout
    assert set(re.findall(r"kube://store/([a-z]+)", table)) == {"api", "bare", "hosted", "hostly", "plain", "shop", "tight"}, table
    assert "kube://store/shop/web" in table and "deployment/api" in table and "10.244.0." in table, table
    everything = run(PODSHARK, "list", "--kube", "--namespace", "store", "--all").stdout
    assert "Unschedulable" in everything and "terminated (Error)" in everything, everything
    assert "No running pods" in run(PODSHARK, "list", "--kube").stdout  # of namespace default


def check_list_json_is_an_inventory():
    known = json.loads(run(PODSHARK, "list", "--kube", "--context", "k", "--namespace", "store", "--json").stdout)
    assert known["kind"] == "inventory" and known["host"] == "k"
    web, = [c for c in known["containers"] if c["name"] == "web"]
    told = json.loads(kubectl("get", "pod", "-n", "store", "shop", "-o", "json"))
    assert web["id"] in told["status"]["containerStatuses"][1]["containerID"] + told["status"]["containerStatuses"][0]["containerID"]
    assert web["kubernetes"] == {"namespace": "store", "pod": "shop", "container": "web"}, web
    holder, = [c for c in known["containers"] if c["name"] == "shop"]
    assert holder["networks"][0]["addresses"] == [told["status"]["podIP"]], holder


def check_capture_by_exec_of_tcpdump():
    with Capture("kube://store/shop") as capture:
        capture.attached()
        ping("shop")
        done = capture.wait_packets(2).stop()
        said = capture.said()
    link, = done.links
    assert link.name == "kube:store/shop/any", link.name
    assert link.keys["pod"] == "shop" and link.keys["namespace"] == "store" and link.keys["image"], link.description
    assert "through kubectl exec (tcpdump)" in said, said
    assert "'web' of pod 'store/shop' has neither tcpdump nor dumpcap" in said, said  # why container dump was taken
    names = done.events_of("inventory")[-1]["containers"]
    assert {"shop", "web", "dump"} <= {c["name"] for c in names}, names
    wait_for(lambda: not tools_of_pods(), f"nothing left: {tools_of_pods()}", 10)


def check_capture_of_a_deployment_and_by_label():
    for name in ("kube://store/deployment/api", "kube://store/label=app=api", "kube://k@store/api-*"):
        with Capture(name, "-f", "icmp") as capture:
            capture.attached(2)
            for pod in re.findall(r"pod/(api-\S+)", kubectl("get", "pods", "-n", "store", "-o", "name")):
                ping(pod)
            done = capture.wait_packets(4).stop()
        assert len({link.name for link in done.links}) == 2, [link.name for link in done.links]
        times = [p.time_ns for p in done.packets]
        assert times == sorted(times), name


def check_podshark_agent_is_sent_where_there_is_no_tool():
    with Capture("kube://store/plain", "-f", "icmp") as capture:
        capture.attached(2)
        ping("plain")
        done = capture.wait_packets(2).stop()
        said = capture.said()
    assert "podshark-agent, sent into container 'main'" in said and "has neither tcpdump nor dumpcap" in said, said
    assert {"kube:store/plain/eth0", "kube:store/plain/lo"} <= {link.name for link in done.links}
    assert {p.interface.name for p in done.packets} == {"kube:store/plain/eth0"}
    wait_for(lambda: not tools_of_pods(), f"nothing left: {tools_of_pods()}", 10)
    assert run("kubectl", "exec", "-n", "store", "plain", "--", "ls", "-A", "/tmp").stdout == ""


def check_an_ephemeral_container_is_made_once_and_used_again():
    with pod_that_gets_a_container():
        for n, words in enumerate(("ephemeral container 'podshark-agent'", "ephemeral container 'podshark-agent'")):
            with Capture("kube://store/bare", "--agent-image", "localhost/agent:1") as capture:
                capture.attached()
                ping("bare")
                done = capture.wait_packets(2).stop()
                assert words in capture.said() and "has no shell" in capture.said(), capture.said()
            assert "kube:store/bare/eth0" in {link.name for link in done.links}, n
        told = json.loads(kubectl("get", "pod", "-n", "store", "bare", "-o", "json"))
        made = [c["name"] for c in told["spec"]["ephemeralContainers"] if c["image"] == "localhost/agent:1"]
        assert made == ["podshark-agent"], made
        assert "(ephemeral)" in run(PODSHARK, "list", "--kube", "--namespace", "store").stdout


def check_links_filter_snaplen_and_count():
    with Capture("kube://store/shop/dump", "-i", "eth0", "-f", "icmp", "-s", "60", "-c", "2") as capture:
        capture.attached()
        ping("shop")
        capture.process.wait(20)
        done = lib_pcapng.read(capture.path)
    assert [link.name for link in done.links] == ["kube:store/shop/eth0"]
    # tcpdump keeps room for a VLAN tag.
    assert [p.original_length for p in done.packets] == [98, 98] and all(50 < len(p.data) <= 60 for p in done.packets)


# Each way into a pod: tcpdump in a container, the agent sent into one, an ephemeral container, a node pod.
WAYS = (("kube://store/shop/dump",), ("kube://store/plain",), ("kube://store/bare", "--agent-image", "localhost/agent:1"),
        ("kube://store/tight", "--node-pod", "localhost/tool:1"))


@contextlib.contextmanager
def pod_that_gets_a_container():
    """Ephemeral containers can not be removed: their pod is made anew."""
    try:
        yield
    finally:
        kubectl("delete", "pod", "-n", "store", "bare", "--now")
        kubectl("apply", "-f", HERE / "pods.yaml")
        wait_for(lambda: re.search(r"bare +1/1 +Running", kubectl("get", "pods", "-n", "store")), "pod bare", 60)


def check_it_ends_there_however_it_ends_here():
    with pod_that_gets_a_container():
        for args in WAYS:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                with Capture(*args) as capture:
                    capture.attached()
                    assert tools_of_pods(), args
                    capture.process.send_signal(signum)
                    capture.process.wait(20)
                    wait_for(lambda: not tools_of_pods(), f"the far side of {args} to end after signal {signum}", 10)
    # That of the capture which was killed ends by itself, and the next capture removes it.
    kubectl("delete", "pods", "-n", "store", "-l", "app.kubernetes.io/managed-by=podshark")


def check_kubectl_killed_is_told_and_the_file_is_whole():
    with Capture("kube://store/shop/dump") as capture:
        capture.attached()
        ping("shop")
        capture.wait_packets(2)
        child, = execs()
        os.kill(child, signal.SIGKILL)
        assert capture.process.wait(20) != 0, capture.said()
        assert len(lib_pcapng.read(capture.path).packets) >= 2
    wait_for(lambda: not tools_of_pods(), "tcpdump to end", 10)


def check_a_cut_line_ends_it_there_and_is_told_here():
    """As when the line is cut and nobody is told: kubectl stands still."""
    with pod_that_gets_a_container():
        for args in WAYS:
            with Capture(*args) as capture:
                capture.attached()
                ping(args[0].split("/")[3])
                capture.wait_packets(2)
                time.sleep(13)  # quiet, but answering: that is not a cut line
                assert capture.process.poll() is None, (args, capture.said())
                child, = execs()
                os.kill(child, signal.SIGSTOP)
                began = time.monotonic()
                wait_for(lambda: not tools_of_pods(), f"the far side of {args} to end", 10)
                assert capture.process.wait(16) == 12, capture.said()
                assert time.monotonic() - began < 16, args
                assert "was lost: nothing has come from there for 10 s; what came until then is kept" in capture.said().splitlines()[-1], capture.said()
                assert "podshark-alive" not in capture.said(), capture.said()
                assert len(lib_pcapng.read(capture.path).packets) >= 2
    wait_for(lambda: not node_pods("store"), "node pods to be removed", 20)


def check_a_short_interruption_is_none():
    """Eight seconds without a beat end the far side (its lease is six); it says so, and that is no end of the container."""
    with pod_that_gets_a_container():
        for args in WAYS:
            with Capture(*args) as capture:
                capture.attached()
                child, = execs()
                os.kill(child, signal.SIGSTOP)
                wait_for(lambda: not tools_of_pods(), f"the far side of {args} to end", 10)
                os.kill(child, signal.SIGCONT)
                assert capture.process.wait(16) == 12, (args, capture.said())
                assert "has stopped" not in capture.said(), (args, capture.said())
                assert re.search("nothing from here has reached|was lost", capture.said().splitlines()[-1]), (args, capture.said())
    wait_for(lambda: not node_pods("store"), "node pods to be removed", 20)


def check_a_pod_in_its_nodes_network_is_limited_to_its_ports():
    done = run(PODSHARK, "capture", "kube://store/hostly", "-w", "/dev/null", code=7)
    assert "uses its node's network" in done.stderr and "declares no ports" in done.stderr, done.stderr
    with Capture("kube://store/hostly", "-f", "icmp", "-c", "2") as capture:
        capture.attached()
        ping("hostly")
        capture.process.wait(20)
        assert len(lib_pcapng.read(capture.path).packets) == 2, capture.said()
    with Capture("kube://store/hosted") as capture:
        capture.attached()
        address = json.loads(kubectl("get", "pod", "-n", "store", "hosted", "-o", "json"))["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:8099/passwd", timeout=10) as answer:
            assert b"root" in answer.read()
        done = capture.wait_packets(6).stop()
    ports = {int.from_bytes(p.data[at:at + 2], "big") for p in done.packets for at in (40, 42)}
    assert 8099 in ports and 6443 not in ports and 10250 not in ports, ports


def node_pods(name_space):
    """Name and phase of each, those that are being deleted left out."""
    told = json.loads(kubectl("get", "pods", "-n", name_space, "-l", "app.kubernetes.io/managed-by=podshark", "-o", "json"))
    return {p["metadata"]["name"]: p["status"].get("phase") for p in told["items"] if "deletionTimestamp" not in p["metadata"]}


def check_a_node_pod_captures_the_restricted_pod_and_is_removed():
    for image, words, more, where in (("tool", "(tcpdump in node pod 'podshark-node-", (), "store"),
                                      ("plain", "(podshark-agent, sent into node pod 'podshark-node-", ("--node-namespace", "default"), "default")):
        with Capture("kube://store/tight", "--node-pod", f"localhost/{image}:1", *more) as capture:
            capture.attached()
            made, = node_pods(where)
            ping("tight")
            done = capture.wait_packets(2).stop()
            said = capture.said()
        assert words in said and "as in restricted pods" in said, said
        assert {link.keys["pod"] for link in done.links} == {"tight"}, [link.description for link in done.links]
        address = json.loads(kubectl("get", "pod", "-n", "store", "tight", "-o", "json"))["status"]["podIP"]
        assert any(bytes(map(int, address.split("."))) in p.data for p in done.packets), address
        wait_for(lambda: not tools_of_pods(), f"nothing left: {tools_of_pods()}", 10)
        wait_for(lambda: made not in kubectl("get", "pods", "-n", where), f"{made} to be gone", 30)


def check_a_node_pod_of_several_links_is_one():
    with Capture("kube://store/tight", "-i", "eth0,lo", "-f", "icmp", "--node-pod", "localhost/tool:1") as capture:
        capture.attached(2)
        assert len(node_pods("store")) == 1, node_pods("store")
        ping("tight")
        done = capture.wait_packets(2).stop()
    assert {link.name for link in done.links} == {"kube:store/tight/eth0", "kube:store/tight/lo"}
    assert {p.interface.name for p in done.packets} == {"kube:store/tight/eth0"}


def check_a_node_pod_ends_by_itself_and_the_next_capture_removes_it():
    words = ("kube://store/tight", "--node-pod", "localhost/tool:1")
    with Capture(*words) as capture:
        capture.attached()
        left, = node_pods("store")
        capture.stop(signal.SIGKILL)
        wait_for(lambda: not tools_of_pods(), "tcpdump to end", 10)
    wait_for(lambda: node_pods("store").get(left) == "Succeeded", f"{left} to end: {node_pods('store')}", 60)
    with Capture(*words) as capture:
        capture.attached().stop()
    wait_for(lambda: not node_pods("store"), "node pods to be removed", 20)


def check_a_node_pod_ends_with_the_pod_it_is_for():
    try:
        with Capture("kube://store/tight", "--node-pod", "localhost/tool:1") as capture:
            capture.attached()
            kubectl("delete", "pod", "-n", "store", "tight", "--now", "--wait=false")
            capture.process.wait(60)
            assert "has stopped" in capture.said().splitlines()[-1], capture.said()
        wait_for(lambda: not node_pods("store"), "the node pod to be removed", 20)
    finally:
        wait_for(lambda: "tight" not in kubectl("get", "pods", "-n", "store"), "pod tight to be gone", 180)
        kubectl("apply", "-f", HERE / "pods.yaml")
        wait_for(lambda: re.search(r"tight +1/1 +Running", kubectl("get", "pods", "-n", "store")), "pod tight", 60)


def execs():
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and exec_of(int(p))]


def exec_of(pid):
    with contextlib.suppress(OSError):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return words[0].endswith(b"kubectl") and b"exec" in words
    return False


def check_what_can_not_be_is_one_line():
    cases = (
        (("kube://store/pending",), 4, "has no running container (Pending, Unschedulable)"),
        (("kube://store/done",), 4, "has no running container (Failed)"),
        (("kube://store/none",), 3, "no pod is 'kube://store/none'"),
        (("kube://nowhere/none",), 3, "has no running pod, or does not exist"),
        (("kube://store/shop/zzz",), 3, "it has web, dump"),
        (("kube://zz@store/shop",), 2, "no such context"),
        (("kube://store/shop", "--context", "zz"), 2, "no such context"),
        (("kube://store/plain", "--method", "exec"), 7, "has neither tcpdump nor dumpcap"),
        (("kube://store/bare",), 7, "has no shell"),
        (("kube://store/tight",), 5, "as in restricted pods"),
        (("kube://store/shop/dump", "-f", "no such filter"), 8, "filter"),
        (("kube://store/shop/dump", "-i", "eth9"), 2, "eth9"),
        (("kube://store/shop", "--wait"), 7, "--wait is not possible in a pod"),
        (("kube://store",), 2, "is not kube://"),
    )
    for args, code, words in cases:
        done = run(PODSHARK, "capture", *args, "-w", "/dev/null", code=code)
        assert words in done.stderr and len(done.stderr.splitlines()) == 1, (args, done.stderr)
    # The attempt is told before.
    done = run(PODSHARK, "capture", "kube://store/tight", "--node-pod", "localhost/none:1", "-w", "/dev/null", code=1)
    assert re.search("node pod 'podshark-node-.*does not start: .*Pull.*before that", done.stderr.splitlines()[-1]), done.stderr
    assert not node_pods("store")
    done = run(PODSHARK, "capture", "kube://store/tight", "--node-pod", "localhost/bare:1", "-w", "/dev/null", code=7)
    assert "does not start" in done.stderr.splitlines()[-1], done.stderr
    done = run(PODSHARK, "capture", "kube://store/bare", "--agent-image", "localhost/none:1", "-w", "/dev/null", code=1)
    assert "the ephemeral container does not start" in done.stderr.splitlines()[-1], done.stderr
    with tempfile.TemporaryDirectory() as tmp:
        closed = pathlib.Path(tmp, "conf")
        closed.write_text((DIR / "etc/user.conf").read_text().replace("6443", "6444"))
        done = run(PODSHARK, "list", "--kube", code=12, env={"KUBECONFIG": str(closed)})
        assert "its API server is not reachable" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
        closed.write_text((DIR / "etc/user.conf").read_text().replace("tuser", "twrong"))
        done = run(PODSHARK, "list", "--kube", code=5, env={"KUBECONFIG": str(closed)})
        assert "credentials are not accepted" in done.stderr, done.stderr
        done = run(PODSHARK, "list", "--kube", code=6, env={"PATH": tmp})
        assert "kubectl is not installed" in done.stderr, done.stderr


def check_probe_by_port_forward():
    done = run(PODSHARK, "probe", "kube://store/shop:80")
    assert ": ok: " in done.stdout and "not proven: that it listens on the pod's address" in done.stdout, done.stdout
    done = run(PODSHARK, "probe", "kube://store/shop:81", code=12)
    assert ": refused: nothing listens on that port" in done.stdout, (done.stdout, done.stderr)
    done = run(PODSHARK, "probe", "kube://store/pending:80", code=4)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    done = run(PODSHARK, "probe", "kube://store/none:80", code=3)
    done = run(PODSHARK, "probe", "kube://store/shop:80", code=5, env=USER)
    assert "may not get pods" in done.stderr, done.stderr


def grant(name, verbs, resources):
    kubectl("create", "role", name, "-n", "store", f"--verb={verbs}", f"--resource={resources}")
    kubectl("create", "rolebinding", name, "-n", "store", f"--role={name}", "--user=user")


def check_rights_are_named_by_verb_and_resource_until_they_are_enough():
    def refused(words):
        done = run(PODSHARK, "capture", "kube://store/shop/dump", "-c", "1", "-w", "/dev/null", code=5, env=USER)
        assert words in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    try:
        refused("user 'user' may not list pods in namespace 'store'")
        done = run(PODSHARK, "list", "--kube", "--namespace", "all", code=5, env=USER)
        assert "in all namespaces" in done.stderr, done.stderr
        grant("get-only", "get", "pods")
        refused("may not create pods/exec in namespace 'store' (needed is get and create on pods/exec")
        grant("execs", "get,create", "pods/exec")
        with Capture("kube://store/shop/dump", env=USER) as capture:  # a single pod needs no list
            capture.attached()
            ping("shop")
            assert len(capture.wait_packets(2).stop().packets) >= 2
        words = ("capture", "kube://store/tight", "--node-pod", "localhost/tool:1", "-c", "1", "-w", "/dev/null")
        done = run(PODSHARK, *words, code=5, env=USER)
        assert "may not create pods in namespace 'store'; before that: " in done.stderr, done.stderr
        assert "needed is create, get and delete on pods there" in done.stderr, done.stderr
        grant("makes", "create", "pods")
        with Capture("kube://store/tight", "--node-pod", "localhost/tool:1", env=USER) as capture:
            capture.attached().stop()
            assert re.search("node pod 'store/podshark-node-.* could not be removed; .* may not delete pods", capture.said()), capture.said()
        wait_for(lambda: list(node_pods("store").values()) == ["Succeeded"], f"it to end by itself: {node_pods('store')}", 60)
    finally:
        kubectl("delete", "pods", "-n", "store", "-l", "app.kubernetes.io/managed-by=podshark", code=None)
        for name in ("get-only", "execs", "makes"):
            kubectl("delete", "role,rolebinding", name, "-n", "store", code=None)


def main():
    kubectl("apply", "-f", HERE / "pods.yaml")
    wait_for(lambda: kubectl("get", "pods", "-n", "store").count(" Running ") == 8 and
             " Error " in kubectl("get", "pods", "-n", "store"), "the pods to run", 90)
    wanted, passed, failed = sys.argv[2:], 0, 0
    for name, check in [(n, c) for n, c in globals().items() if n.startswith("check_")]:
        if wanted and name not in wanted and name.removeprefix("check_") not in wanted:
            continue
        began = time.monotonic()
        try:
            check()
            passed += 1
            print(f"ok      {name.removeprefix('check_')} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # whatever it is, the others are run
            failed += 1
            print(f"FAILED  {name.removeprefix('check_')}", flush=True)
            print("    " + traceback.format_exc().replace("\n", "\n    "), flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
