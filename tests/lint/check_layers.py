#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_layers.py [ROOT]: which folder may include what. The tables below are the rule; docs/ARCHITECTURE.md says
why. Prints each violation as file:line: reason and exits 1."""

import fnmatch
import pathlib
import re
import sys

# Folder → what its files may include of ours besides the folder itself. The longest matching folder counts.
LAYERS = {
    "podman/core": [],
    "podman/model": ["podman/core"],
    "podman/api": ["podman/core", "podman/model"],
    "podman/kernel": ["podman/core", "podman/model"],
    "podman/firewall": ["podman/core", "podman/model"],
    "podman/discover": ["podman/core", "podman/model", "podman/api", "podman/kernel"],
    "podman/trace": ["podman/core", "podman/model", "podman/firewall", "podman/kernel/netlink.h"],
    "podman/drops": ["podman/core"],
    "podman/diagnose": ["podman/core", "podman/model", "podman/firewall"],
    "podman/probe": ["podman/core", "podman/model"],
    "podman/annotate": ["podman/core", "podman/model"],
    "podman/wire": [],  # shared with the static agent: no libstdc++ at run time
    # A rootless caller runs the worker's loop itself, in a plain child.
    "extcap": ["podman", "extcap/worker/protocol.h", "extcap/worker/serve.h", "extcap/drops/protocol.h",
               "extcap/drops/event.h", "extcap/agent/exit_codes.h"],
    "extcap/agent": ["podman/core/fd.h", "podman/wire", "extcap/worker/privilege.h", "extcap/worker/seccomp.h"],
    "extcap/drops": ["podman/core", "extcap/worker/privilege.h", "extcap/worker/seccomp.h"],
    "extcap/worker": ["podman/core", "podman/wire", "podman/kernel/*socket*.h"],
    "plugin": ["podman/core", "podman/model", "podman/annotate", "podman/trace/content.h"],
}

# Foreign header → the only files that may include it.
HOMES = {
    "nlohmann/*": ["podman/api/*", "podman/annotate/*", "podman/firewall/nft_json.h"],
    "pcap.h": ["extcap/capture/libpcap.h"],
    "pcap/*": ["extcap/capture/libpcap.h"],
    "glib*": ["plugin/*"],
    "gio/*": ["plugin/*"],
    "epan/*": ["plugin/*"],
    "ftypes/*": ["plugin/*"],
    "wireshark.h": ["plugin/*"],
    "ws_*.h": ["plugin/*"],
    "wsutil/*": ["plugin/*"],
    "wiretap/*": ["plugin/*"],
    "cfile.h": ["plugin/*"],
    "config.h": ["plugin/*"],
    "cxxopts.hpp": ["extcap/*.cpp"],
    "bpf/*": ["extcap/drops/*"],
    "drops_linear.skel.h": ["extcap/drops/program.cpp"],
    "drops_whole.skel.h": ["extcap/drops/program.cpp"],
    "zlib.h": ["extcap/annotate/inflate.cpp"],
}

# The C library and the kernel's own headers; C++ headers have no dot.
SYSTEM = re.compile(
    r"(linux|sys|net|netinet|netpacket|arpa|asm|asm-generic)/[\w./-]+\.h|"
    r"(aio|assert|ctype|dirent|dlfcn|endian|errno|fcntl|fnmatch|getopt|glob|grp|ifaddrs|inttypes|langinfo|libgen|limits|"
    r"locale|malloc|math|mntent|netdb|poll|pthread|pwd|sched|semaphore|setjmp|signal|spawn|stdarg|stddef|stdint|stdio|"
    r"stdlib|string|strings|syscall|sysexits|syslog|termios|time|unistd|utime|wchar|byteswap|elf)\.h")
WIRE_CXX = {"cstddef", "cstdint", "cstring", "cerrno", "type_traits", "utility"}  # nothing to link
WIRE = ("podman/wire", "extcap/agent")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    fits = [f for f in LAYERS if path.startswith(f + "/")]
    return max(fits, key=len, default=None)


def allowed(header, rules):
    return any(header.startswith(r + "/") or fnmatch.fnmatch(header, r) for r in rules)


def judge(path, folder, quote, header, root):
    """The reason why `path` may not include `header`, or None."""
    if quote == '"':
        if not (root / header).is_file():
            return f'"{header}" is not a path from the root of the tree'
        home = folder_of(header)
        if home == folder or allowed(header, LAYERS[folder]):
            return None
        return f'{folder} may not include "{header}"'
    if any(header.startswith(top) for top in ("podman/", "extcap/", "plugin/", "tests/")):
        return f'<{header}>: our own headers are included with quotes'
    homes = [HOMES[h] for h in HOMES if fnmatch.fnmatch(header, h)]
    if homes:
        fits = any(fnmatch.fnmatch(path, p) for home in homes for p in home)
        return None if fits else f"<{header}> has its home in {', '.join(sum(homes, []))}"
    if "." in header:
        known = SYSTEM.fullmatch(header)
        return None if known else f"<{header}> is unknown; give it a home in tests/lint/check_layers.py"
    if folder in WIRE and header not in WIRE_CXX:
        return f"<{header}>: {folder} uses the C library only"
    return None


def violations(root):
    for top in ("podman", "extcap", "plugin"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".h", ".cpp", ".c", ".hpp"):
                continue
            path = file.relative_to(root).as_posix()
            folder = folder_of(path)
            if folder is None:
                yield f"{path}:1: folder is not in the table of tests/lint/check_layers.py"
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                reason = found and judge(path, folder, found[1], found[2], root)
                if reason:
                    yield f"{path}:{number}: {reason}"


def main():
    here = pathlib.Path(__file__).resolve().parents[2]
    found = list(violations(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here))
    print("\n".join(found) or "layers: no violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
