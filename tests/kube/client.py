# SPDX-License-Identifier: GPL-2.0-or-later
"""client.py [NAME...]: a FAKE API server (a few REST answers, no exec) for the real kubectl that podshark starts. Shows what
reaches the wire and what becomes of refusals; what a cluster does is shown by run.sh."""

import contextlib
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
PODSHARK = pathlib.Path(os.environ["PODSHARK_BIN"], "extcap/podshark").resolve()
PODS = json.loads((HERE.parent / "fixtures/kube-1.20.2/pods.json").read_text())["items"]
PLACE = "/api/v1/namespaces/store/pods"
LEFT = {"metadata": {"name": "podshark-node-left", "namespace": "store"}, "status": {"phase": "Succeeded"}}  # by a capture that was killed


def refusal(code, reason, message):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}


def pod_list(pods):
    return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": pods}


class Api(http.server.BaseHTTPRequestHandler):
    """Tokens: none is not known, nobody may nothing, bare may all and finds no shell in its pods, bare-VERB may not do that;
    all others may list and get."""

    seen, bodies = [], []
    made = {}  # what was created, by its name

    def answer(self, body):
        url = urllib.parse.urlsplit(self.path)
        user = self.headers.get("Authorization", "").removeprefix("Bearer ")
        Api.seen.append((self.command, url.path, urllib.parse.parse_qs(url.query)))
        if body:
            Api.bodies.append((self.command, url.path, json.loads(body)))
        if user == "none":
            return refusal(401, "Unauthorized", "Unauthorized")
        if url.path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if url.path == "/apis":
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
        if url.path == "/api/v1":
            verbs = ["create", "delete", "get", "list", "patch"]
            return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": verbs, "shortNames": ["po"]}]}
        if self.command != "GET" or url.path.endswith(("/exec", "/portforward")):
            return self.change(user, url.path, json.loads(body or "{}"))
        if user == "nobody":
            where = 'in the namespace "store"' if "namespaces" in url.path else "at the cluster scope"
            return refusal(403, "Forbidden", f'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" {where}')
        if url.path in ("/api/v1/pods", PLACE):
            selector = urllib.parse.parse_qs(url.query).get("labelSelector", [""])[0]
            if selector == "app.kubernetes.io/managed-by=podshark":
                return pod_list([LEFT])
            return pod_list([p for p in PODS if not selector or p["metadata"].get("labels", {}).get("app") == "shop"])
        if url.path.startswith(PLACE + "/"):
            name, _, part = url.path.removeprefix(PLACE + "/").partition("/")
            if part == "ephemeralcontainers":  # kubectl before 1.22 asks for those that are there, and sends all
                return 200, {"kind": "EphemeralContainers", "apiVersion": "v1", "metadata": {"name": name}, "ephemeralContainers": []}
            for pod in (*Api.made.values(), *PODS):
                if pod["metadata"]["name"] == name:
                    return 200, {"kind": "Pod", "apiVersion": "v1", **pod}
        return pod_list([]) if url.path.endswith("/pods") else refusal(404, "NotFound", "not found")

    def change(self, user, path, body):
        name, _, part = path.removeprefix(PLACE).strip("/").partition("/")
        verb = {"PUT": "patch", "PATCH": "patch", "DELETE": "delete"}.get(self.command, "create")
        if not user.startswith("bare") or (user == f"bare-{verb}" and part != "exec"):
            resource = f"pods/{part}" if part else "pods"
            return refusal(403, "Forbidden", f'pods "{name}" is forbidden: User "{user}" cannot {verb} resource "{resource}" in API '
                                             'group "" in the namespace "store"')
        if part == "exec":
            return refusal(500, "InternalError", 'OCI runtime exec failed: exec failed: exec: "sh": executable file not found in $PATH')
        if part == "ephemeralcontainers":
            pod = json.loads(json.dumps(next(p for p in PODS if p["metadata"]["name"] == name)))
            added = body.get("ephemeralContainers") or body["spec"]["ephemeralContainers"]
            pod["status"]["ephemeralContainerStatuses"] = [{"name": c["name"], "state": {"running": {}}} for c in added]
            Api.made[name] = pod
            return 200, {"kind": "EphemeralContainers" if self.command == "PUT" else "Pod", "apiVersion": "v1", **body}
        if verb == "create":
            Api.made[body["metadata"]["name"]] = {**body, "status": {"phase": "Running"}}
            return 201, body
        Api.made.pop(name, None)
        return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def do_GET(self):  # noqa: N802  (its name there)
        length = int(self.headers.get("Content-Length") or 0)
        code, body = self.answer(self.rfile.read(length))
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_):
        """Nothing of it is to be read."""


def config(port, user):
    context = {"name": "lab", "context": {"cluster": "c", "user": "u", "namespace": "store"}}
    return {"apiVersion": "v1", "kind": "Config", "current-context": "lab", "contexts": [context],
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": user}}]}


class Scene:
    def __init__(self, directory, port):
        self.directory, self.port = pathlib.Path(directory), port

    def podshark(self, *args, user="admin", code=0, port=None, lines=1):
        """One run; failures have to be one line, but where several things fail."""
        path = self.directory / f"{user}.json"
        path.write_text(json.dumps(config(port or self.port, user)))
        for kept in (Api.seen, Api.bodies, Api.made):
            kept.clear()
        done = subprocess.run([str(PODSHARK), *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "KUBECONFIG": str(path), "HOME": str(self.directory)})
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        assert code == 0 or len(done.stderr.splitlines()) == lines, done.stderr
        return done.stdout if code == 0 else done.stderr

    @staticmethod
    def asked(path):
        return [query for _, p, query in Api.seen if p == path]


# ---- the checks ----

def check_list(scene):
    table = scene.podshark("list", "--kube")
    assert scene.asked(PLACE), Api.seen  # the namespace of the context
    assert "kube://store/shop/web" in table and "deployment/api" in table, table
    known = json.loads(scene.podshark("list", "--kube", "--context", "lab", "--namespace", "all", "--json"))
    assert scene.asked("/api/v1/pods"), Api.seen
    assert {c["kubernetes"]["pod"] for c in known["containers"]} >= {"shop", "plain"}, known
    scene.podshark("list", "--kube", "--namespace", "elsewhere")
    assert scene.asked("/api/v1/namespaces/elsewhere/pods"), Api.seen


def check_labels_are_the_servers(scene):
    scene.podshark("capture", "kube://store/label=app=shop,tier!=db", "-w", "/dev/null", user="list-only", code=5)
    assert scene.asked(PLACE)[0]["labelSelector"] == ["app=shop,tier!=db"], Api.seen


def check_refusals(scene):
    error = scene.podshark("list", "--kube", user="nobody", code=5)
    assert "user 'nobody' may not list pods in namespace 'store'" in error and "get and list on pods" in error, error
    error = scene.podshark("list", "--kube", "--namespace", "all", user="nobody", code=5)
    assert "in all namespaces" in error, error
    error = scene.podshark("list", "--kube", user="none", code=5)
    assert "credentials are not accepted" in error, error
    error = scene.podshark("capture", "kube://store/shop", "-w", "/dev/null", user="list-only", code=5)
    assert "may not create pods/exec in namespace 'store'" in error and "get and create on pods/exec" in error, error
    assert any(p.endswith("/shop/exec") and "tcpdump" in q["command"] for _, p, q in Api.seen), Api.seen
    # What is refused for each of several pods is told once.
    error = scene.podshark("capture", "kube://store/*", "-w", "/dev/null", user="list-only", code=5, lines=2)
    assert "'store/hostly' uses its node's network" in error and error.count("may not create pods/exec") == 1, error


def check_words_of_the_exec(scene):
    scene.podshark("capture", "kube://lab@store/shop/dump", "-f", "port 80; $(id)", "-s", "96", "-w", "/dev/null", code=5)
    query = next(q for _, p, q in Api.seen if p.endswith("/shop/exec"))
    assert query["container"] == ["dump"] and query["stdin"] == ["true"] and "tty" not in query, query
    assert query["command"][-1] == "port 80; $(id)" and "--immediate-mode" in query["command"], query


def check_an_ephemeral_container(scene):
    words = ("capture", "kube://store/shop/web", "--agent-image", "registry.example/agent:1", "-s", "96", "-w", "/dev/null")
    scene.podshark(*words, user="bare", code=7, lines=3)  # two of what it does
    (command, path, body), = Api.bodies
    assert command in ("PUT", "PATCH") and path == f"{PLACE}/shop/ephemeralcontainers", Api.bodies
    made, = body.get("ephemeralContainers") or body["spec"]["ephemeralContainers"]
    assert (made["name"], made["image"]) == ("podshark-agent", "registry.example/agent:1"), made
    # 1.20 takes the words behind -- for arguments of the image's program, newer ones for the program.
    assert (made.get("command") or []) + (made.get("args") or []) == ["/podshark-agent", "idle", "600"], made
    assert made["imagePullPolicy"] == "IfNotPresent" and not made.get("tty") and not made.get("stdin"), made
    query = scene.asked(f"{PLACE}/shop/exec")[-1]
    assert query["container"] == ["podshark-agent"] and query["command"][:2] == ["/podshark-agent", "capture"], query
    assert query["command"][-1] == "self" and "96" in query["command"], query
    error = scene.podshark(*words, user="bare-patch", code=5, lines=2)
    assert "user 'bare-patch' may not patch pods/ephemeralcontainers in namespace 'store'" in error, error
    assert "--verb=patch --resource=pods/ephemeralcontainers" in error, error


def check_a_node_pod(scene):
    words = ("capture", "kube://store/shop", "--node-pod", "registry.example/tools:1", "-w", "/dev/null")
    scene.podshark(*words, user="bare", code=7, lines=3)
    (command, path, pod), *ends = Api.bodies
    assert (command, path) == ("POST", PLACE), Api.bodies
    name, (container,) = pod["metadata"]["name"], pod["spec"]["containers"]
    assert name.startswith("podshark-node-"), pod
    assert pod["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "podshark"}, pod
    assert pod["spec"]["nodeName"] == "node1" and pod["spec"]["hostPID"] and pod["spec"]["restartPolicy"] == "Never", pod
    assert not pod["spec"]["automountServiceAccountToken"] and pod["spec"]["activeDeadlineSeconds"] <= 86400, pod
    assert container["image"] == "registry.example/tools:1" and container["securityContext"]["privileged"], container
    query = scene.asked(f"{PLACE}/{name}/exec")[0]
    web = next(c["containerID"] for p in PODS if p["metadata"]["name"] == "shop" for c in p["status"]["containerStatuses"] if c["name"] == "web")
    assert web.removeprefix("containerd://") in query["command"] and "tcpdump" in query["command"], query
    mine, other = ends
    assert (*mine[:2], mine[2]["gracePeriodSeconds"]) == ("DELETE", f"{PLACE}/{name}", 1), ends
    assert other[:2] == ("DELETE", f"{PLACE}/{LEFT['metadata']['name']}"), ends
    # What has ended of those that were left.
    left = scene.asked(PLACE)[-1]
    assert left["labelSelector"] == ["app.kubernetes.io/managed-by=podshark"], left
    assert left["fieldSelector"] == ["status.phase!=Running,status.phase!=Pending"], left

    error = scene.podshark(*words, user="bare-create", code=5, lines=2)
    assert "user 'bare-create' may not create pods in namespace 'store'" in error, error
    assert "--verb=create,get,delete --resource=pods" in error and not Api.made, error
    error = scene.podshark(*words, user="bare-delete", code=7, lines=4)
    told, = (line for line in error.splitlines() if "could not be removed; it ends by itself" in line)
    assert "'bare-delete' may not delete pods in namespace 'store'" in told and "podshark-node-" in told, told


def check_port_forward(scene):
    error = scene.podshark("probe", "kube://store/shop:80", user="list-only", code=5)
    # kubectl before 1.31 asks for SPDY at once, newer ones when a websocket was refused.
    asked = [(command, query) for command, path, query in Api.seen if path == f"{PLACE}/shop/portforward"]
    assert asked in ([("POST", {})], [("GET", {}), ("POST", {})]), asked
    assert "user 'list-only' may not create pods/portforward in namespace 'store'" in error, error
    assert "get and create on pods/portforward" in error, error
    error = scene.podshark("probe", "kube://store/none:80", code=3)
    assert "(NotFound)" in error, error


def check_what_is_not_there(scene):
    for args, code, words in ((("capture", "kube://store/none", "-w", "/dev/null"), 3, "no pod is 'kube://store/none'"),
                              (("capture", "kube://store/shop/none", "-w", "/dev/null"), 3, "it has web, dump"),
                              (("capture", "kube://store/pending", "-w", "/dev/null"), 4, "Unschedulable"),
                              (("capture", "kube://zz@store/shop", "-w", "/dev/null"), 2, "no such context"),
                              (("list", "--kube", "--context", "zz"), 2, "no such context")):
        error = scene.podshark(*args, code=code)
        assert words in error, error


def check_nobody_listens(scene):
    with socketless() as port:
        error = scene.podshark("list", "--kube", code=12, port=port)
        assert "its API server is not reachable" in error, error


@contextlib.contextmanager
def socketless():
    """A port where nobody listens."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Api)
    server.server_close()
    yield server.server_port


def main():
    passed = failed = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    with tempfile.TemporaryDirectory() as directory:
        # kubectl gives its token to nobody over plain HTTP.
        key, certificate = f"{directory}/key", f"{directory}/certificate"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        scene = Scene(directory, server.server_port)
        for name, check in [(n, c) for n, c in globals().items() if n.startswith("check_")]:
            if sys.argv[1:] and name.removeprefix("check_") not in sys.argv[1:]:
                continue
            began = time.monotonic()
            try:
                check(scene)
                passed += 1
                print(f"ok      {name.removeprefix('check_')} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:  # whatever it is, the others are run
                failed += 1
                print(f"FAILED  {name.removeprefix('check_')}\n    " + traceback.format_exc().replace("\n", "\n    "), flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
