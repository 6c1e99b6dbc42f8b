#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_layers finds what it should, in trees made for it."""

import pathlib
import tempfile
import unittest

import check_layers

GOOD = {
    "podman/core/fd.h": "#include <utility>\n#include <sys/stat.h>\n",
    "podman/model/link.h": '#include "podman/core/fd.h"\n',
    "podman/wire/ring.cpp": "#include <linux/if_packet.h>\n#include <cstdint>\n",
    "extcap/capture/libpcap.h": "#include <pcap/pcap.h>\n",
    "extcap/worker/main.cpp": '#include "podman/core/fd.h"\n#include "podman/wire/ring.h"\n',
    "podman/wire/ring.h": "",
    "podman/api/json.cpp": "#include <nlohmann/json.hpp>\n",
    "plugin/edge.cpp": '#include <epan/packet.h>\n#include "podman/model/link.h"\n',
}
BAD = {
    "upward": ("podman/core/a.cpp", '#include "podman/model/link.h"'),
    "plugin to api": ("plugin/a.cpp", '#include "podman/api/api.h"'),
    "extcap to plugin": ("extcap/a.cpp", '#include "plugin/edge.h"'),
    "worker to extcap": ("extcap/worker/a.cpp", '#include "extcap/naming.h"'),
    "worker to model": ("extcap/worker/a.cpp", '#include "podman/model/link.h"'),
    "wire to core": ("podman/wire/a.cpp", '#include "podman/core/fd.h"'),
    "wire to libstdc++": ("podman/wire/a.cpp", "#include <string>"),
    "agent to libstdc++": ("extcap/agent/a.cpp", "#include <vector>"),
    "json elsewhere": ("extcap/a.cpp", "  #  include <nlohmann/json.hpp>"),
    "pcap elsewhere": ("podman/kernel/a.cpp", "#include <pcap.h>"),
    "glib elsewhere": ("podman/core/a.cpp", "#include <glib.h>"),
    "epan elsewhere": ("extcap/a.cpp", "#include <epan/packet.h>"),
    "unknown library": ("extcap/a.cpp", "#include <boost/any.hpp>"),
    "relative": ("podman/core/a.cpp", '#include "fd.h"'),
    "tests": ("extcap/a.cpp", '#include "tests/fake.h"'),
    "new folder": ("podman/extra/a.cpp", ""),
    "angle": ("podman/model/a.cpp", "#include <podman/core/fd.h>"),
}


class Layers(unittest.TestCase):
    def violations(self, files):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return list(check_layers.violations(root))

    def test_allowed(self):
        self.assertEqual([], self.violations(GOOD))

    def test_forbidden(self):
        others = {"podman/api/api.h": "", "plugin/edge.h": "", "extcap/naming.h": "", "tests/fake.h": ""}
        for what, (path, text) in BAD.items():
            with self.subTest(what):
                found = self.violations({**GOOD, **others, path: text + "\n"})
                self.assertEqual(1, len(found), found)
                self.assertTrue(found[0].startswith(path + ":1: "), found)


if __name__ == "__main__":
    unittest.main()
