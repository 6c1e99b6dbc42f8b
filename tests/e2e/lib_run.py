# SPDX-License-Identifier: GPL-2.0-or-later
"""lib_run.py [--quick] [TEST...]: runs tests/*/test_*.py inside a rig; run.sh calls it.

TEST is a module (test_rig), a class or method in it (test_rig.Rig.test_users) or a path of a file. Prints a line
per test and ends with "N passed, M failed, K skipped". A skip counts as failed unless tests/skips.txt names it.
"""

import argparse
import faulthandler
import fnmatch
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
AGAIN = 3
HANG = 600  # seconds one test may take before the stacks are printed and the run ends; long ones nine times as much


def allowed_skips():
    """[(world pattern, test id pattern, reason)] of skips.txt."""
    lines = (TESTS / "skips.txt").read_text().splitlines()
    return [tuple(line.split(None, 2)) for line in lines if line.strip() and not line.startswith("#")]


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed, self.failed, self.skips = 0, 0, 0
        self.bad = []  # ids of what failed
        self.world, self.allowed, self.began = os.environ.get("PODSHARK_WORLD", ""), allowed_skips(), 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began, self._bad = time.monotonic(), False
        faulthandler.dump_traceback_later(HANG * (9 if marked(test, "long") else 1), exit=True)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)
        self._bad = False  # what a class or module fails in next is no part of this test

    def _tell(self, word, test, detail=""):
        print(f"{word:7} {test.id()} ({time.monotonic() - self.began:.1f} s)", flush=True)
        if detail:
            print("    " + detail.rstrip().replace("\n", "\n    "), flush=True)

    def _fail(self, test, detail):
        if not getattr(self, "_bad", False):
            self.failed += 1
            self.bad.append(test.id())
        self._bad = test.id().count("setUpClass") == 0  # one test counts once, though it may err in cleanups too
        self._tell("FAILED", test, detail)

    def addSuccess(self, test):
        if not self._bad:
            self.passed += 1
            self._tell("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fail(test, f"{subtest.id()}\n{self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        for world, pattern, _ in self.allowed:
            if fnmatch.fnmatch(self.world, world) and fnmatch.fnmatch(test.id(), pattern):
                self.skips += 1
                self._tell("skipped", test, reason)
                return
        self._fail(test, f"skipped, but tests/skips.txt does not allow it: {reason}")

    def addExpectedFailure(self, test, err):
        self._fail(test, "expected failures are not allowed")

    def addUnexpectedSuccess(self, test):
        self._fail(test, "expected failures are not allowed")


def marked(test, mark):
    method = getattr(test, test._testMethodName, None)
    return getattr(method, mark, False) or getattr(type(test), mark, False)


def each(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each(item)
        else:
            yield item


def load(names, only_quick):
    files = sorted(TESTS.glob("*/test_*.py"))
    stems = [f.stem for f in files]
    for stem in {s for s in stems if stems.count(s) > 1}:
        raise SystemExit(f"two test modules are called {stem}; give one another name")
    sys.path[:0] = [str(HERE)] + sorted({str(f.parent) for f in files} - {str(HERE)})
    if names:
        wanted = [pathlib.Path(n).stem if n.endswith(".py") else n for n in names]
        tests = list(each(unittest.defaultTestLoader.loadTestsFromNames(wanted)))
    else:
        tests = [t for t in each(unittest.defaultTestLoader.loadTestsFromNames(stems)) if not marked(t, "long")]
    if only_quick:
        tests = [t for t in tests if marked(t, "quick") or type(t).__name__ == "_FailedTest"]
    return unittest.TestSuite(tests)


def again(result):
    """Runs what failed once more, up to AGAIN tests: real containers, kernels and windows on a shared machine now and
    then miss a deadline. What passes then counts as passed and is named as unsteady, so that it is seen and mended;
    its first failure stands above."""
    if not 0 < len(result.bad) <= AGAIN:
        return
    for name in result.bad:
        name = name.rpartition("(")[2].rstrip(")")  # "setUpClass (test_web.Web)"
        print(f"again   {name}", flush=True)
        second = Result()
        unittest.TestSuite([load([name], False)]).run(second)
        result.skips += second.skips
        result.passed += second.passed
        if second.passed and not second.failed:
            result.failed -= 1
            print(f"unsteady {name}: failed once, passed when run again", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("test", nargs="*")
    args = parser.parse_args()
    suite, result = load(args.test, args.quick), Result()
    if not suite.countTestCases():
        raise SystemExit("no tests chosen")
    suite.run(result)
    if not args.test:
        again(result)
    print(f"{result.passed} passed, {result.failed} failed, {result.skips} skipped", flush=True)
    # Threads a broken test left must not keep the run from ending.
    os._exit(1 if result.failed else 0)


if __name__ == "__main__":
    main()
