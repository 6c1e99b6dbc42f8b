# SPDX-License-Identifier: GPL-2.0-or-later
"""What `podshark list` and the interface list know of real containers: through podman's command, through its REST
socket, and without either."""

import json
import os
import pathlib
import subprocess

import lib
from lib import MEMBER, OTHER, RIG, ROOT, WORLD, Ctr, Net, Pod, RigTest, quick, run, wait_for
from lib_podshark import PODSHARK, interfaces, inventory, podshark

DEFAULT = "slirp4netns" if WORLD == "deb12" else "pasta"
LABELS = {"com.docker.compose.project": "shop", "com.docker.compose.service": "app", "PODMAN_SYSTEMD_UNIT": "app.service",
          "note": "mind the gap"}
CONTAINERS = (
    Ctr("web", ports=("28080:80", "127.0.0.1:28100-28102:90-92/udp")),
    Net("lan", user=RIG),
    Ctr("app", user=RIG, network="lan", ports=("28081:80",),
        options=tuple(w for k, v in LABELS.items() for w in ("--label", f"{k}={v}"))),
    Ctr("beside", user=RIG, network="container:app", cmd=("sleep", "1000000")),
    Ctr("plain", user=RIG, ports=("28082:80",)),
    Ctr("lonely", user=RIG, network="none", cmd=("sleep", "1000000")),
    Ctr("host", user=RIG, network="host", cmd=("sleep", "1000000")),
    Pod("shop", user=RIG, network="lan", members=("front", "back")),
    Ctr("over", user=RIG, network="lan", cmd=("true",)),
)
FAILING = "#!/bin/sh\necho 'this is not podman' >&2\nexit 125\n"


def by_name(known):
    return {c["name"]: c for c in known["containers"]}


@quick
class Details(RigTest):
    """Through podman's command."""

    def test_everything_about_a_container(self):
        known = inventory(RIG)
        app, told = by_name(known)["app"], self.up["app"].inspect()
        self.assertEqual(told["Id"], app["id"])
        self.assertEqual((told["ImageName"], told["Image"].removeprefix("sha256:")), (app["image"], app["image_id"]))
        self.assertEqual(("running", "bridge", "bridge"), (app["state"], app["mode"], app["kind"]))
        self.assertEqual(told["State"]["Pid"], app["pid"])
        self.assertEqual(told["State"]["ConmonPid"], app["conmon_pid"])
        self.assertEqual(os.stat(f"/proc/{app['pid']}/ns/net").st_ino, app["netns"])
        self.assertEqual(int(pathlib.Path(f"/proc/{app['pid']}/stat").read_text().rpartition(")")[2].split()[19]), app["pid_start"])
        boot = next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime"))
        self.assertAlmostEqual(boot + app["pid_start"] / os.sysconf("SC_CLK_TCK"), app["started_at"], delta=5)
        self.assertLessEqual(app["created_at"], app["started_at"])
        self.assertTrue(app["rootless"])
        self.assertEqual(LABELS, {k: app["labels"].get(k) for k in LABELS})
        self.assertEqual(("shop", "app", "app.service"),
                         (app["compose_project"], app["compose_service"], app["systemd_unit"]))
        self.assertEqual([{"host_port": 28081, "container_port": 80, "range": 1, "protocol": "tcp"}], app["ports"])

    def test_its_network_is_the_kernels(self):
        known = inventory(RIG)
        mine, = by_name(known)["app"]["networks"]
        link = json.loads(self.up["app"].enter("ip", "-j", "addr", "show", "eth0").stdout)[0]
        inet = next(a for a in link["addr_info"] if a["family"] == "inet")
        route = json.loads(self.up["app"].enter("ip", "-j", "route", "show", "default").stdout)[0]
        self.assertEqual(("lan", "eth0", link["address"], route["gateway"]),
                         (mine["network"], mine["interface"], mine["mac"], mine["gateway"]))
        self.assertIn(f"{inet['local']}/{inet['prefixlen']}", mine["addresses"])
        lan, = [n for n in known["networks"] if n["name"] == "lan"]
        self.assertEqual("bridge", lan["driver"])
        self.assertTrue(lan["bridge"].startswith("podman"))
        self.assertTrue(lan["subnets"][0].startswith(mine["gateway"].rpartition(".")[0]))

    def test_what_really_happens_with_each_network_mode(self):
        known = by_name(inventory(RIG))
        kinds = {"app": "bridge", "plain": DEFAULT, "lonely": "none", "host": "host", "beside": "shared", "front": "shared"}
        self.assertEqual(kinds, {name: known[name]["kind"] for name in kinds})
        self.assertEqual(known["app"]["id"], known["beside"]["shares_with"])

    def test_a_range_of_ports_is_one_entry(self):
        ports = by_name(inventory(ROOT))["web"]["ports"]
        self.assertIn({"host_ip": "127.0.0.1", "host_port": 28100, "container_port": 90, "range": 3, "protocol": "udp"}, ports)

    def test_pods_with_members(self):
        known = inventory(RIG)
        shop, = known["pods"]
        names = {c["id"]: c["name"] for c in known["containers"]}
        self.assertLessEqual({"front", "back"}, {names[m] for m in shop["members"]})
        self.assertEqual(("shop", "Running"), (shop["name"], shop["state"]))
        front = by_name(known)["front"]
        self.assertEqual((shop["id"], shop["infra_id"]), (front["pod_id"], front["shares_with"]))

    def test_stopped_ones_with_all_only(self):
        self.assertNotIn("over", by_name(inventory(RIG)))
        over = by_name(inventory(RIG, "--all"))["over"]
        self.assertEqual("exited", over["state"])
        self.assertNotIn("pid", over)

    def test_a_table_for_people(self):
        lines = podshark(RIG, "list").stdout.splitlines()
        self.assertEqual("NAME IMAGE STATE NETWORK ADDRESSES PORTS POD INTERFACE".split(), lines[0].split())
        app = next(line for line in lines if line.startswith("app "))
        for text in ("localhost/bb:1", "running", "bridge (lan)", "10.89.", "28081→80/tcp", "podman:app"):
            self.assertIn(text, app)
        self.assertTrue(any(line.startswith("shop ") and "podman:pod/shop" in line for line in lines), lines)

    def test_every_key_is_documented(self):
        schema = (pathlib.Path(__file__).resolve().parents[2] / "docs/FORMAT.md").read_text()

        def keys(value):
            for one in value if isinstance(value, list) else []:
                yield from keys(one)
            for key, one in value.items() if isinstance(value, dict) else []:
                yield key
                if key != "labels":
                    yield from keys(one)
        for user in (RIG, ROOT, MEMBER):
            for key in set(keys(inventory(user, "--all"))):
                self.assertRegex(schema, rf"\b{key}\b")

    def test_a_remote_connection_of_the_environment_is_not_followed(self):
        env = {"CONTAINER_HOST": "unix:///nonexistent.sock", "CONTAINER_CONNECTION": "nowhere"}
        done = podshark(RIG, "list", "--json", env=env)
        self.assertIn("image", by_name(json.loads(done.stdout))["app"])


class InterfaceList(RigTest):
    def listed(self, user, **env):
        # No cache: what podman says now, unless it is too slow, and then once more.
        def current():
            found = interfaces(podshark(user, "--extcap-interfaces", env=env).stdout)
            return None if any("podman is slow" in s.get("display", "") for s in found) else found
        found = wait_for(current, "a list that podman answered in time")
        return {s["value"]: s["display"] for s in found if s[""] == "interface"}

    @quick
    def test_one_for_each_running_container_and_pod_and_two_more(self):
        listed = self.listed(RIG)
        self.assertEqual({"podman:app", "podman:beside", "podman:plain", "podman:lonely", "podman:host", "podman:front",
                          "podman:back", "podman:pod/shop", "podman-root:web", "podman:all", "podman:choose"},
                         {v for v in listed if not v.startswith("podman:net/")})
        for value, display in listed.items():
            if value.startswith("podman:net/"):
                self.assertRegex(display, r"^Podman network \S+ · podman\d+ · .* container")
        self.assertEqual(f"Podman app · bb:1 · {self.up['app'].address} · 28081→80", listed["podman:app"])
        self.assertEqual("Podman pod shop · 2 containers", listed["podman:pod/shop"])
        self.assertEqual("Podman all your own running containers", listed["podman:all"])

    @quick
    def test_a_rootful_one_seen_by_another_user_does_without_what_cannot_be_known(self):
        listed = self.listed(OTHER)
        self.assertEqual({"podman-root:web": f"Podman web · {self.up['web'].address} · rootful"},
                         {k: v for k, v in listed.items() if k not in ("podman:all", "podman:choose")})
        web = by_name(inventory(OTHER))["web"]
        self.assertTrue(web["limited"])
        self.assertEqual("bridge", web["kind"])
        self.assertEqual((self.up["web"].id, self.up["web"].pid), (web["id"], web["pid"]))
        self.assertNotIn("image", web)

    @lib.once
    def test_beyond_64_containers_the_rest_is_in_the_list_of_choose(self):
        names = [f"many{i:02}" for i in range(60)]
        for name in names:
            lib.podman(RIG, "run", "-d", "--name", name, "--network", "none", lib.IMAGE)
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", *names)
        listed = self.listed(RIG)
        self.assertEqual(64 + 2, len(listed))
        chosen = interfaces(podshark(RIG, "--extcap-config", "--extcap-interface", "podman:choose",
                                     "--extcap-reload-option", "container").stdout)
        self.assertLessEqual({f"podman:{n}" for n in names} | {"podman:app", "podman:plain"},
                             {s.get("value") for s in chosen})


class Socket(RigTest):
    """podman's REST service, where one answers; the podman command fails in these tests."""

    def service(self, user, path):
        run(user, ["mkdir", "-p", path.parent])
        child = self.child(user, ["podman", "system", "service", "--time=0", f"unix://{path}"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(path.unlink, missing_ok=True)  # before it is ended
        wait_for(lambda: path.exists() or child.poll() is not None, "the socket")
        return path

    def without_podman(self, user):
        (self.tmp / "podman").write_text(FAILING)
        (self.tmp / "podman").chmod(0o755)
        env = {"PATH": f"{self.tmp}:/usr/bin:/bin"}
        return json.loads(run(user, [PODSHARK, "list", "--json", "--all"], env=env, timeout=30).stdout)

    def test_own_containers(self):
        expected = inventory(RIG, "--all")
        self.service(RIG, pathlib.Path(lib.environment(RIG)["XDG_RUNTIME_DIR"]) / "podman/podman.sock")
        got = wait_for(lambda: next((k for k in [self.without_podman(RIG)] if not k["problems"]), None), "an answer")
        for kind in ("containers", "pods", "networks"):
            self.assertEqual(expected[kind], got[kind])

    def test_rootful_containers_for_a_user_whom_the_administrator_lets(self):
        path = self.service(ROOT, pathlib.Path("/run/podman/podman.sock"))
        path.chmod(0o666)
        before = path.parent.stat().st_mode
        self.addCleanup(path.parent.chmod, before)
        path.parent.chmod(0o755)
        web = by_name(wait_for(lambda: next((k for k in [inventory(MEMBER)] if "image" in by_name(k)["web"]), None),
                               "podman's own details"))["web"]
        self.assertNotIn("limited", web)
        self.assertEqual(by_name(inventory(ROOT))["web"] | {"netns": 0}, web | {"netns": 0})
