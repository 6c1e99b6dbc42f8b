# SPDX-License-Identifier: GPL-2.0-or-later
"""Extcap as Wireshark's own tests look at it (test/suite_extcaps.py): every interface that is listed answers whatever may be
asked, by the grammar that Wireshark's parser wants, and real tshark captures on it."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import lib
import lib_pcapng
from lib import RIG, Ctr, Net, Pod, RigTest, fetch, run, wait_for
from lib_podshark import PODSHARK, extcap_home, interfaces, tshark

SLEEP = ("sleep", "1000000")
CONTAINERS = (
    Ctr("web", ports=("28880:80",)),
    Net("lan", user=RIG),
    Net("all", user=RIG),
    Ctr("own", user=RIG, ports=("28881:80",)),
    Ctr("bridged", user=RIG, network="lan", ports=("28882:80",)),
    Ctr("lonely", user=RIG, network="none", cmd=SLEEP),
    Ctr("outside", user=RIG, network="host", cmd=SLEEP),
    Pod("shop", user=RIG, network="lan", members=("front", "back")),
    # Names that mean something to us, to Wireshark (a number is an index) and to shells; labels that end a sentence.
    Ctr("all", user=RIG, network="all", cmd=SLEEP),
    Ctr("choose", user=RIG, network="none", cmd=SLEEP),
    Ctr("1", user=RIG, network="none", cmd=SLEEP),
    Ctr("n-_." * 30 + "n", user=RIG, network="none", cmd=SLEEP,
        options=("--label", "com.docker.compose.service=}{value=x} \n\x1b[31m\u202e{", "--label", "app.kubernetes.io/name=a,(b)")),
)
HOST = "127.0.0.1:1"  # a saved machine that refuses at once, with a listing in the cache
FAR = f"podman@{HOST}:"
REFUSED = {"podman-root:web": "rootful containers need", "podman:outside": "host"}  # for an ordinary user: word of the reason

MANDATORY = {"extcap": {"version", "display"}, "interface": {"value", "display"}, "dlt": {"number", "name", "display"},
             "arg": {"number", "call", "display", "type"}, "control": {"number", "type", "display"}}
OPTIONAL = {"extcap": {"help"}, "arg": {"tooltip", "placeholder", "default", "range", "validation", "group", "reload"},
            "value": {"arg", "control", "value", "display", "default"}, "control": {"role", "tooltip", "placeholder", "default", "validation"}}
# What 4.0 knows; a password would be in the process list.
TYPES = {"integer", "unsigned", "long", "double", "string", "boolean", "boolflag", "selector", "radio", "multicheck", "fileselect"}


def fnv1a(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return value


class ConductTest(RigTest):
    def setUp(self):
        super().setUp()
        extcap_home(RIG)
        home = pathlib.Path(lib.environment(RIG)["HOME"])
        for place in (".config/podshark", ".cache/podshark"):
            run(RIG, ["mkdir", "-p", "-m", "0700", home / place])
            self.addCleanup(shutil.rmtree, home / place)
        (home / ".config/podshark/hosts").write_text(HOST + "\n")
        # As an older version or a broken disk may have left it.
        listing = home / f".cache/podshark/host-{fnv1a('ssh://' + HOST):016x}"
        listing.write_bytes(b"podshark-listing 1\nshop\tshop\tPodman shop\ne}{value=vil\x1b\tx\tPodman \xff}{display=}\x07\n"
                            b"no fields\n\t\t\n" + b"l" * 300 + b"\t-oProxyCommand=id\tlong\n")
        for file in (home / ".config/podshark/hosts", listing):
            shutil.chown(file, RIG)
            file.chmod(0o600)

    def call(self, *args, code=0):
        """stdout of podshark, which has nothing to complain about."""
        done = run(RIG, [PODSHARK, *args], check=False, text=False)
        self.assertEqual((code, b""), (done.returncode, done.stderr), args)
        return done.stdout

    def sentences(self, *args):
        """What podshark answers, each line held against Wireshark's grammar."""
        text = self.call(*args).decode()  # a line that is no UTF-8 is dropped
        for line in text.splitlines():
            # A "}" ends a value only before "{", white space and the end of the line.
            self.assertRegex(line, r"^(extcap|interface|control|value|arg|dlt) (\{[a-z]+=[^{}\x00-\x1f\x7f]+\})+$")
        self.assertEqual(len(text.split("\n")) - 1, len(text.splitlines()), "a separator that only some take for one")
        found = interfaces(text)
        for s in found:
            keys = set(s) - {""}
            must, may = MANDATORY.get(s[""], {"value", "display"}), OPTIONAL.get(s[""], set())
            self.assertTrue(must <= keys <= must | may, s)
        return found

    def listed(self, *args):
        """{value: display}, of a list that podman answered in time."""
        def current():
            found = self.sentences("--extcap-interfaces", *args)
            return None if any("podman is slow" in s["display"] for s in found) else found
        found = wait_for(current, "a list that podman answered in time")
        values = [s["value"] for s in found if s[""] == "interface"]
        self.assertEqual(len(set(values)), len(values), values)
        self.assertTrue(all(len(v) < 64 and not set(" ,()") & set(v) for v in values), values)
        return {s["value"]: s["display"] for s in found if s[""] == "interface"}

    def check_options(self, found):
        """Of --extcap-config."""
        args, values = {}, {}
        for s in found:
            if s[""] == "arg":
                self.assertNotIn(s["number"], args)
                args[s["number"]] = s
            else:
                self.assertEqual("value", s[""])
                values.setdefault(s["arg"], []).append(s)
        self.assertEqual(len(args), len({a["call"] for a in args.values()}))
        numbers = [int(n) for n in args]
        self.assertEqual(sorted(numbers), numbers)
        for number, a in args.items():
            self.assertRegex(a["call"], r"^--(?!extcap|capture|fifo)[a-z-]+$")
            self.assertIn(a["type"], TYPES)
            self.assertEqual(a["type"] in ("selector", "radio", "multicheck"), number in values, a)
            if a["type"] in ("boolean", "boolflag"):
                self.assertIn(a["default"], ("true", "false"))
            if "range" in a:
                least, most = (int(n) for n in a["range"].split(","))
                self.assertTrue(least <= int(a["default"]) <= most, a)
            if "validation" in a:
                re.compile(a["validation"])
        for number, choices in values.items():
            self.assertIn(number, args)
            self.assertEqual(1, sum(v.get("default") == "true" for v in choices), choices)
            self.assertEqual(len(choices), len({v["value"] for v in choices}))


class EveryInterface(ConductTest):
    def test_what_is_listed(self):
        listed = self.listed()
        self.assertLessEqual({"podman:own", "podman:bridged", "podman:lonely", "podman:outside", "podman:front", "podman:pod/shop",
                              "podman:net/lan", "podman:net/all", "podman:1", "podman:all", "podman:choose", "podman-root:web",
                              FAR + "choose", FAR + "shop"}, set(listed))
        for name in ("all", "choose"):  # the names are taken
            self.assertIn("bb:1", listed[f"podman:container/{name}"])
            self.assertNotIn("bb:1", listed[f"podman:{name}"])
        self.assertEqual(2, sum("~" in value for value in listed), "long names are cut, here and of another machine")

    def test_it_answers_link_types_and_options(self):
        for value in (*self.listed(), "podman:was-there", "nonsense", "-x", "podman:" + "x" * 300, "podman@", "\x1b[31m}{"):
            with self.subTest(value):
                dlt, = self.sentences("--extcap-dlts", "--extcap-interface", value)
                self.assertEqual(("dlt", "1", "EN10MB"), (dlt[""], dlt["number"], dlt["name"]))
                self.check_options(self.sentences("--extcap-config", "--extcap-interface", value))

    def test_the_reload_buttons_fill_selectors_that_are_there(self):
        for value in self.listed():
            number = {s["call"]: s["number"] for s in self.sentences("--extcap-config", "--extcap-interface", value) if s[""] == "arg"}
            for option in ("link", "container"):
                if "--" + option not in number or (option == "container" and value.startswith(FAR)):
                    continue  # another machine would be asked
                with self.subTest(value, option=option):
                    choices = self.sentences("--extcap-config", "--extcap-interface", value, "--extcap-reload-option", option,
                                             "--container", "none", "--name", "own")
                    self.assertEqual({number["--" + option]}, {v["arg"] for v in choices})
                    self.assertEqual(1, sum(v.get("default") == "true" for v in choices))

    def test_tshark_lists_it_and_knows_its_link_type(self):
        listed = tshark(RIG, "-D")
        for value, display in self.listed().items():
            with self.subTest(value):
                self.assertIn(f"{value} ({display})", listed)
                done = run(RIG, ["tshark", "-L", "-i", value])
                self.assertIn("EN10MB", done.stdout + done.stderr)


class Captured(ConductTest):
    def begin(self, stack, value):
        path = self.tmp / (re.sub(r"\W", "_", value) + ".pcapng")
        more = ("-o", "extcap.podman_choose.name:own") if value == "podman:choose" else ()
        child = self.child(RIG, ["tshark", "-q", "-i", value, *more, "-w", path], text=True,
                           stderr=stack.enter_context((self.tmp / f"{path.stem}.err").open("w+")))
        return path, child

    def test_each_by_tshark_all_at_once(self):
        """Half of them at a time: two cores have to start them."""
        with contextlib.ExitStack() as stack:
            everything = sorted(self.listed())
            for some in (everything[::2], everything[1::2]):
                running = {value: self.begin(stack, value) for value in some}
                for value, (path, child) in running.items():
                    with self.subTest(value):
                        far = value.startswith(FAR)
                        if far or value in REFUSED:
                            self.refused(value, path, child, HOST if far else REFUSED[value])
                        else:
                            self.captured(value, path, child)

    def captured(self, value, path, child):
        def so_far():
            fetch(28881)
            if child.poll() is not None:
                return True
            return path.exists() and path.stat().st_size > 200 and lib_pcapng.read(path, partial=True).links
        wait_for(so_far, f"tshark to have links of {value}", 60)
        lib.end(child, signal.SIGINT)
        done = lib_pcapng.read(path, partial=True)
        self.assertEqual("Podman events", done.interfaces[0].name)
        stem = {"podman:all": "podman:", "podman:choose": "podman:own/"}.get(value, value)
        names = {i.name for i in done.links}
        self.assertTrue(names and all(n.startswith(stem) for n in names), names)
        self.assertEqual(0, child.returncode)

    def refused(self, value, path, child, word):
        self.assertNotEqual(0, wait_for(lambda: child.poll() is not None and (child.returncode or "0"), f"the end of {value}", 60))
        told = (self.tmp / f"{path.stem}.err").read_text()
        self.assertIn(word, told)
        for line in told.splitlines():
            self.assertNotRegex(line, r"[\x00-\x08\x0b-\x1f\x7f]")


class Odd(ConductTest):
    """What Wireshark may pass, today or tomorrow, and what nobody passes."""

    def test_versions_of_wireshark(self):
        expected = set(self.listed())
        for version in ("=4.0", "=4.4", "=4.6", "=99.1", "=", "", "=4", "=x.y", "=4.4.4.4.4", "=-1.0", "=99999999999999999999.0"):
            with self.subTest(version):
                self.assertEqual(expected, set(self.listed("--extcap-version" + version)))

    def test_filters_are_answered_in_one_line_or_none(self):
        for text, good in (("", True), ("tcp port 80", True), ("tcp port eighty", False), ("(" * 5000, False),
                           ("host " + "a" * 9000, False), ("ip6 and \x1b[31m\n}{", False), ("\u202e", False)):
            with self.subTest(text[:20]):
                told = self.call("--extcap-capture-filter", text, "--extcap-interface", "podman:own").decode()
                self.assertEqual(not good, bool(told), told)
                self.assertLessEqual(len(told.encode()), 1024)
                self.assertRegex(told, r"^([^\x00-\x1f\x7f]+\n)?$")

    def test_any_order_more_options_and_values_that_look_like_options(self):
        plain = self.call("--extcap-config", "--extcap-interface", "podman:choose")
        for args in (("--extcap-interface", "podman:choose", "--extcap-config"),
                     ("--extcap-interface=podman:choose", "--extcap-config", "--log-level", "debug"),
                     ("--extcap-config", "--extcap-interface", "podman:choose", "--debug", "true", "--debug-file", "/nonexistent/x"),
                     ("--extcap-config", "--extcap-interface", "podman:choose", "--extcap-config-option-name", "x",
                      "--extcap-config-option-value", "y"),
                     ("--extcap-config", "--extcap-config", "--extcap-interface", "podman:own", "--extcap-interface", "podman:choose"),
                     ("stray", "--extcap-config", "--extcap-interface", "podman:choose", "stray", "", "--", "--")):
            with self.subTest(args):
                self.assertEqual(plain, self.call(*args))
        for args in (("--extcap-config",), ("--extcap-dlts",), ("--extcap-dlts", "--extcap-interface", ""),
                     ("--extcap-interface",), ("--extcap-config", "--extcap-interface", "podman:own", "--extcap-reload-option", "nothing")):
            with self.subTest(args):
                self.assertEqual(b"", self.call(*args, code=2))

    def test_wrong_values_end_a_capture_with_one_line(self):
        for args, word in ((("--snaplen", "0"), "--snaplen"), (("--snaplen", "-1"), "--snaplen"), (("--ring-size", "x" * 5000), "--ring-size"),
                           (("--method", "\x1b[31m"), "--method"), (("--point", "}{"), "--point"),
                           (("--sidecar-image", "-v/:/host"), "--sidecar-image"), (("--link", "nolink0"), "nolink0")):
            with self.subTest(args):
                fifo = self.tmp / "fifo"
                fifo.unlink(missing_ok=True)
                os.mkfifo(fifo, 0o666)
                fifo.chmod(0o666)
                child = self.child(RIG, [PODSHARK, "--capture", "--extcap-interface", "podman:own", "--fifo", fifo, *args],
                                   stderr=subprocess.PIPE)
                with fifo.open("rb") as stream:
                    stream.read()
                told = child.stderr.read()
                self.assertNotEqual(0, child.wait(20))
                self.assertIn(word, told.decode())
                self.assertEqual((1, True), (told.count(b"\n"), len(told) <= 1024), told)
                self.assertNotRegex(told.decode(), r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_twenty_refreshes_say_the_same_and_leave_nothing(self):
        """As a burst of link changes makes Wireshark ask: one list, then every interface."""
        runtime = pathlib.Path(lib.environment(RIG)["XDG_RUNTIME_DIR"]) / "podshark"
        first, files = self.listed(), sorted(p.name for p in runtime.iterdir())
        for _ in range(20):
            self.assertEqual(first, self.listed("--extcap-version=4.0"))
            for value in list(first)[:5]:
                self.sentences("--extcap-config", "--extcap-interface", value)
        wait_for(lambda: not lib.processes("podshark"), "the end of the processes that read podman")
        self.assertEqual(files, sorted(p.name for p in runtime.iterdir()))
