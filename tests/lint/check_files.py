#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_files.py: every source file says its licence first, headers have an include guard, Python parses, lines end
cleanly; links of the documentation lead somewhere; the top level holds what it should and no more. Prints each
violation and exits 1."""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOPS = ("podman", "extcap", "plugin", "tests", "install", ".ci")
TOP_LEVEL = {*TOPS, "docs", "CHANGELOG.md", "CONTRIBUTING.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md"}
SOURCES = {".h", ".cpp", ".c", ".py", ".sh", ".cmake"}


def files():
    for top in TOPS:
        for file in sorted((ROOT / top).rglob("*")):
            parts = file.relative_to(ROOT).parts
            if file.is_file() and "fixtures" not in parts and "__pycache__" not in parts:
                yield file


def judge(file):
    if file.suffix not in SOURCES and file.name not in ("CMakeLists.txt", "run"):
        return
    text = file.read_text()
    if not text:
        return  # an empty CMakeLists.txt has no author
    if not any("SPDX-License-Identifier: GPL-2.0-or-later" in line for line in text.splitlines()[:2]):
        yield 1, "no SPDX licence line at the top"
    if file.suffix == ".h" and "#pragma once" not in text:
        yield 1, "no #pragma once"
    if not text.endswith("\n"):
        yield len(text.splitlines()), "no newline at the end"
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
    if file.suffix == ".py":
        try:
            compile(text, str(file), "exec")
        except SyntaxError as error:
            yield error.lineno, f"does not parse: {error.msg}"


def anchors(page):
    """What `#…` may be in a link to a page: its headings as GitHub and GitLab call them."""
    for heading in re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def dead_links():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(f for f in files() if f.suffix == ".md")]
    for page in pages:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            for link in re.findall(r"\]\(([^)\s]+)\)", line):
                path, _, anchor = link.partition("#")
                target = page.parent / path if path else page
                if ":" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
                    yield f"{page.relative_to(ROOT)}:{number}: {link} leads nowhere"


def strangers():
    """Names of the top level that do not belong there; dot files, and what .gitignore names, may be anything."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()]
    for entry in sorted(p.name for p in ROOT.iterdir()):
        if entry not in TOP_LEVEL and not entry.startswith(".") and not any(fnmatch.fnmatch(entry, i) for i in ignored):
            yield f"{entry}: not a place of this project"
    for entry in sorted(TOP_LEVEL - {p.name for p in ROOT.iterdir()}):
        yield f"{entry}: missing"


def main():
    found = [*strangers(), *dead_links()] + [f"{f.relative_to(ROOT)}:{line}: {what}" for f in files() for line, what in judge(f)]
    print("\n".join(found) or "files: no violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
