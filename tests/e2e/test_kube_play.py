# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods of `podman kube play` have the names that their YAML gives them."""

import lib
from lib import RIG, RigTest, fetch, wait_for
from lib_podshark import PODSHARK, Capture, inventory, podshark

# Rootless: without cgroups podman 4.3 plays nothing for root.
YAML = f"""
apiVersion: v1
kind: Pod
metadata: {{name: shop, namespace: store, labels: {{app: shop, tier: front}}}}
spec:
  containers:
  - {{name: web, image: '{lib.IMAGE}', imagePullPolicy: Never, command: [httpd, -f, -p, '80', -h, /www],
     ports: [{{containerPort: 80, hostPort: 28090}}]}}
  - {{name: side-car, image: '{lib.IMAGE}', imagePullPolicy: Never, command: [sleep, '100000']}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec: {{containers: [{{name: srv, image: '{lib.IMAGE}', imagePullPolicy: Never, command: [sleep, '100000']}}]}}
"""


class Played(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lib.run(RIG, ["sh", "-c", "cat >kube.yaml; exec podman kube play kube.yaml"], input=YAML, timeout=120)
        cls.addClassCleanup(lib.remove_all, RIG)
        fetch(28090)

    def test_the_list_has_pod_and_container_of_the_yaml(self):
        known = {c["name"]: c for c in inventory(RIG)["containers"] if not c.get("infra")}
        self.assertEqual({"pod": "shop", "container": "web"}, known["shop-web"]["kubernetes"])
        self.assertEqual({"pod": "shop", "container": "side-car"}, known["shop-side-car"]["kubernetes"])
        self.assertEqual("shop", known["shop-web"]["labels"]["app"])
        pods = {c["kubernetes"]["container"]: c["kubernetes"]["pod"] for c in known.values()}
        # A deployment's pod: api-pod-0 in podman 4.3, api-pod in 5.
        self.assertEqual({"web", "side-car", "srv"}, set(pods))
        self.assertTrue(pods["srv"].startswith("api-pod"), pods)
        table = podshark(RIG, "list").stdout
        self.assertRegex(table, r"shop-web .*\bshop/web\b")

    def test_the_names_select_what_is_captured(self):
        for target, value in (("shop/web", "podman:shop-web"), ("pod/shop", "podman:pod/shop"),
                              ("label=tier=front", "podman:shop-")):
            with Capture(RIG, target) as capture:
                fetch(28090)
                capture.wait_packets(4)
                done = capture.stop()
            names = {link.name for link in done.links}
            self.assertTrue(names and all(n.startswith(value) for n in names), (target, names))
            self.assertTrue(any(b"GET / HTTP" in p.data for p in done.packets), target)

    def test_wireshark_shows_them(self):
        def shown():  # once podman has answered
            lines = lib.run(RIG, [PODSHARK, "--extcap-interfaces"]).stdout.splitlines()
            return any("{value=podman:shop-web}" in line and "kube shop/web" in line for line in lines)
        wait_for(shown, "its names in the list")

    def test_an_unknown_container_of_a_known_pod(self):
        done = podshark(RIG, "capture", "shop/nothing", "-w", "/dev/null", check=False)
        self.assertEqual(3, done.returncode)
        self.assertIn("no container or pod is called 'shop/nothing'", done.stderr)
