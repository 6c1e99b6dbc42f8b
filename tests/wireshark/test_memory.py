# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin in tshark under valgrind: no access to memory that is not its own, nothing lost. tshark itself, Debian's
build without debug symbols, loses some of its own at exit: only what our code allocated counts."""

import re

import lib_plugin
import make_capture
from make_capture import container, inventory, ip


def busy():
    """Inventories that change a hundred times, records of all kinds, hostile ones, copies."""
    capture = make_capture.example()
    for i in range(100):
        capture.inventory(inventory(*[container(f"c{j}", f"10.{i}.{j}.2") for j in range(20)]))
        capture.packet(1, ip("10.89.0.2", f"10.{i}.3.2"))
    for members in ({"links": 7}, {"orig": []}, {"what": {}}, {"detail": "x" * 5000}):
        capture.event(**{"kind": "stats", **members})
    capture.event("nat", protocol="tcp", orig={"src": "10.89.0.2", "dst": "10.89.0.3", "src_port": 40000, "dst_port": 5432},
                  reply={"src": "10.89.0.3", "dst": "10.89.0.2", "src_port": 5432, "dst_port": 40000})
    capture.event("probe", id="p1", verdict="failed", detail="refused")
    capture.inventory(b'{"podshark":1,"kind":"inv')
    capture.dropped(1, ip("10.89.0.3", "10.89.0.2"), "NETFILTER_DROP")
    return capture


class Memory(lib_plugin.PluginTest):
    def under_valgrind(self, *args):
        """Reports of valgrind that have our code in their stacks."""
        done = self.run_tshark("-n", *args, timeout=400, under=(
            "valgrind", "--keep-debuginfo=yes", "--leak-check=full", "--num-callers=40"))
        errors = done.stderr.decode(errors="replace")
        self.assertEqual(0, done.returncode, errors[-3000:])
        self.assertIn("ERROR SUMMARY", errors)
        return [report for report in re.split(r"==\d+== \n", errors) if "podshark::" in report]

    def test_nothing_is_lost_or_touched_twice(self):
        reports = self.under_valgrind("-r", self.save(busy()), "-2", "-V", "-Y", "podman", "-z", "podman,tree",
                                      "-z", "podman_drops,tree", "-z", "conv,podman", "-z", "expert")
        # The index of the open file and the trees' names live as long as tshark; trees and tables of conversations are
        # tshark's own, and 4.6 never frees the latter.
        known = re.compile(r"file_index\(\)|all_shown\(\)|stats_tree_|add_conversation_table_data|possibly lost")
        self.assertTrue(any(known.search(r) for r in reports), "our code is not recognized in reports")
        ours = [r for r in reports if not known.search(r) and "indirectly lost" not in r]
        self.assertEqual([], ours)
