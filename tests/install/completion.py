#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""completion.py BUILD: what bash, zsh and fish make of a Tab, with the scripts of that build. A stand-in answers for
podshark, so that no container need run. Closing line: N passed, N failed, 0 skipped."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile

MADE = pathlib.Path(sys.argv[1]).resolve() / "extcap/manual"
STAND_IN = r"""#!/bin/sh
cat <<'END'
extcap {version=0.1.0}{help=file:///x}
interface {value=podman:web}{display=Podman web}
interface {value=podman:pod/shop}{display=Podman pod shop}
interface {value=podman-root:db}{display=Podman db}
interface {value=podman:q$(touch odd)}{display=a name that podman does not allow}
interface {value=podman:choose}{display=Podman...}
END
"""
# What is typed after `podshark`, and all that is offered for its last word.
CASES = [
    ("cap", {"capture"}),
    ("l", {"list", "listen"}),
    ("capture --dr", {"--drops"}),
    ("capture --drops o", {"on", "off"}),
    ("capture --drops=al", {"all"}),
    ("capture web --point h", {"host"}),
    ("capture d", {"db"}),
    ("capture -i e", set()),
    ("capture ch", set()),
    ("capture q", set()),
    ("capture web -w sa", {"saved.pcap"}),
    ("top p", {"pod/shop"}),
    ("top --sort r", {"rate", "rx", "retransmits"}),
    ("probe --from h", {"host"}),
    ("probe web:80 --js", {"--json"}),
    ("listen w", {"web:"}),
    ("check w", {"web"}),
    ("check --from d", {"db"}),
    ("trace d", {"db"}),
    ("list --ho", {"--host"}),
    ("hosts re", {"remove", "refresh"}),
    ("annotate sa", {"saved.pcap"}),
]
COMPLETED = [(typed, offered) for typed, offered in CASES if len(offered) == 1]


class Terminal:
    """A shell as somebody sits before it."""

    def __init__(self, argv, start):
        self.name, self.seen = argv[0], b""
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execvp(argv[0], argv)
        self.line_after(start + "; echo got: beg''un\r")

    def line_after(self, keys):
        """The line that a command typed with these keys prints after 'got: '."""
        os.write(self.fd, keys.encode())
        while not (found := re.search(rb"\ngot: ([^\r\n]*)\r?\n", self.seen)):
            if not select.select([self.fd], [], [], 20)[0]:
                raise TimeoutError(f"{self.name} printed nothing more after {self.seen!r}")
            self.seen += os.read(self.fd, 4096)
        self.seen = self.seen[found.end():]
        return found[1].decode().strip()

    def completed(self, typed):
        """The words after a Tab: Control-A and -E go to the line's ends."""
        return self.line_after(f"podshark {typed}\t\x01echo got: \x05\r").removeprefix("podshark ")

    def close(self):
        os.close(self.fd)
        os.waitpid(self.child, 0)


def offered_by_bash(typed):
    words = ["podshark", *typed.replace("=", " = ").split(" ")]
    script = ('compopt() { :; }; source "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _podshark; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return answers(["bash", "-uc", script, MADE / "podshark.bash", *words])


def offered_by_fish(typed):
    lines = answers(["fish", "--no-config", "-c", f"source {MADE}/podshark.fish; complete -C 'podshark {typed}'"])
    return {re.sub("^--[a-z-]*=", "", line.split("\t")[0]) for line in lines}


def answers(argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    if done.returncode or done.stderr:
        raise RuntimeError(f"exit code {done.returncode}: {done.stderr}")
    return set(done.stdout.splitlines()) - {""}


def all_offers(ask):
    for typed, offered in CASES:
        yield typed, offered, ask(typed)


def all_tabs(argv, start):
    terminal = Terminal(argv, start)
    for typed, (word,) in COMPLETED:
        line = re.sub("[^ =]*$", "", typed) + word
        yield typed, line, terminal.completed(typed)
    terminal.close()


def syntax(argv):
    yield "its syntax", set(), answers(argv)


def checks(place):
    bash, zsh, fish = (MADE / f"podshark.{shell}" for shell in ("bash", "zsh", "fish"))
    yield "bash reads its script", syntax(["bash", "-n", bash])
    yield "zsh reads its script", syntax(["zsh", "-n", zsh])
    yield "fish reads its script", syntax(["fish", "-n", fish])
    yield "bash offers", all_offers(offered_by_bash)
    yield "fish offers", all_offers(offered_by_fish)
    yield "a Tab in bash", all_tabs(["bash", "--norc", "--noprofile", "-i"], f"source {bash}")
    yield "a Tab in zsh", all_tabs(["zsh", "-f", "-i"], f"fpath=({place}/zsh $fpath); autoload -U compinit; compinit -D")


def main():
    failed = count = 0
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.makedirs("bin"), os.makedirs("zsh")
        pathlib.Path("bin/podshark").write_text(STAND_IN)
        os.chmod("bin/podshark", 0o755)
        shutil.copy(MADE / "podshark.zsh", "zsh/_podshark")
        pathlib.Path("saved.pcap").write_text("")
        os.environ.update(PATH=f"{place}/bin:/usr/bin:/bin", TERM="dumb", HOME=place, PS1="$ ")
        for what, results in checks(place):
            wrong = [f"{typed}: {got}, not {wanted}" for typed, wanted, got in results if got != wanted]
            count, failed = count + 1, failed + bool(wrong)
            print("FAILED" if wrong else "ok    ", what, *wrong, sep="\n       " if wrong else " ")
        if os.path.exists("odd"):
            print("FAILED the name of an interface was executed")
            failed += 1
    print(f"{count - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
