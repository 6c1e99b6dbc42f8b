# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark doctor on a machine as it is, and with one thing missing at a time; the installer's tests run it after an installation."""

import json
import pathlib

import lib
from lib import MEMBER, RIG, RigTest, run
from lib_podshark import PREFIX, extcap_home, install_worker, remove_worker

DOCTOR = [PREFIX / "bin/podshark", "doctor", "--json"]


class Doctor(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)
        for user in (MEMBER, RIG):
            extcap_home(user, PREFIX / "bin/podshark")

    @staticmethod
    def findings(user, *before, **kwargs):
        """{topic: (level, fact, fix)}; of several lines about one topic the last."""
        done = run(user, [*before, *DOCTOR], check=False, **kwargs)
        return {f["topic"]: (f["level"], f["fact"], f["fix"]) for f in json.loads(done.stdout)}

    def test_a_member_may_do_everything(self):
        told = self.findings(MEMBER)
        for topic in ("wireshark", "extcap", "dumpcap", "worker", "rootful", "drops", "podman", "kernel", "limits"):
            self.assertEqual(("ok", ""), told[topic][::2], told[topic])
        self.assertRegex(told["wireshark"][1], r"version \d+\.\d+\.\d+")
        self.assertIn("/extcap and finds this podshark there", told["extcap"][1])
        self.assertFalse(lib.processes("podshark-drops"), "the program that was tried is gone")

    def test_who_is_not_in_the_group_is_told_how_to_get_there(self):
        told = self.findings(RIG)
        for topic in ("worker", "drops"):
            self.assertEqual("warn", told[topic][0], told[topic])
            self.assertIn("usermod -aG wireshark rig", told[topic][2])

    def test_a_program_that_the_kernel_refuses_to_load(self):
        # A user namespace has no capability outside, where BPF programs live.
        told = self.findings(MEMBER, "unshare", "-r")
        self.assertEqual("warn", told["drops"][0], told["drops"])
        self.assertIn("dropped packets are not shown", told["drops"][1])

    def test_limits(self):
        for limit, words in (("--nofile=1024:1024", "at most 1024 open files"), ("--as=900000000:900000000", "at most 858 MiB")):
            told = self.findings(MEMBER, "prlimit", limit)
            self.assertEqual("warn", told["limits"][0])
            self.assertIn(words, told["limits"][1])

    def test_a_flatpak_beside_it(self):
        app = pathlib.Path(lib.environment(MEMBER)["HOME"], ".local/share/flatpak/app/org.wireshark.Wireshark")
        run(MEMBER, ["mkdir", "-p", app])
        self.addCleanup(run, MEMBER, ["rm", "-r", app.parents[1]])
        told = self.findings(MEMBER)
        self.assertEqual("warn", told["sandbox"][0])
        self.assertIn("flatpak run org.wireshark.Wireshark -k -i -", told["sandbox"][2])
