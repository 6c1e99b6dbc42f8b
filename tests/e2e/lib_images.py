# SPDX-License-Identifier: GPL-2.0-or-later
"""Images made of programs of this machine, without network: capture tools on a busybox, and a Debian with apt."""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import tempfile

from lib import ROOT, run

APPLETS = ("sh", "cat", "sleep", "httpd", "ping", "wget", "nc", "kill", "ps", "ls", "id")
APT_NEEDS = ("apt", "base-files", "coreutils", "dash", "diffutils", "dpkg", "libc-bin", "tar")


def program(name):
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert found, f"{name} is not installed here"
    return found


def libraries(path):
    """Files that the loader maps for a program, the loader itself included."""
    listed = run(ROOT, ["ldd", path], check=False).stdout
    return re.findall(r"(?:=> |^\s+)(/\S+)", listed, re.MULTILINE)


def put(tree, source, target=None):
    """Copies one file to its place in the tree (or to `target`), what it links to instead of the link."""
    to = pathlib.Path(tree) / (target or source).lstrip("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        shutil.copy2(source, to)


def put_program(tree, name):
    path = program(name)
    put(tree, path, f"/bin/{name}")
    for library in libraries(path):
        put(tree, library)


@contextlib.contextmanager
def new_tree():
    """A directory that everybody may read, as the root of an image has to be."""
    with tempfile.TemporaryDirectory(prefix="image-") as tree:
        os.chmod(tree, 0o755)
        yield tree


def import_image(tree, image, users, changes=()):
    """podman import for each of the users, all at once."""
    words = [w for c in changes for w in ("--change", c)]

    def load(user):
        with open(tar.name, "rb") as stream:
            run(user, ["podman", "import", "-q", *words, "-", image], stdin=stream, timeout=180)

    with tempfile.NamedTemporaryFile(suffix=".tar") as tar, concurrent.futures.ThreadPoolExecutor() as pool:
        run(ROOT, ["tar", "-C", tree, "-cf", tar.name, "."], timeout=120)
        list(pool.map(load, users))


def tool_image(image, tools, users):
    """busybox and capture tools."""
    with new_tree() as tree:
        put(tree, program("busybox"), "/bin/busybox")
        for applet in APPLETS:
            os.symlink("busybox", f"{tree}/bin/{applet}")
        for directory in ("etc", "tmp", "proc", "sys", "dev", "www"):
            os.mkdir(f"{tree}/{directory}")
        pathlib.Path(tree, "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
        pathlib.Path(tree, "www/index.html").write_text("hello from a podman container\n")
        for tool in tools:
            put_program(tree, tool)
        import_image(tree, image, users, ("CMD [\"sleep\",\"1000000\"]", "ENV PATH=/bin", "STOPSIGNAL SIGKILL"))


# ---- Debian with apt ----

def with_dependencies(packages):
    """The packages and everything that they depend on, as installed here."""
    fields = ("Package", "Depends", "Pre-Depends", "Provides")
    format_ = "\x1f".join("${" + f + "}" for f in fields) + "\x1e"
    known, provided = {}, {}
    for line in run(ROOT, ["dpkg-query", "-W", "-f", format_]).stdout.split("\x1e")[:-1]:
        name, depends, before, provides = line.split("\x1f")
        known[name] = depends + "," + before
        for word in filter(None, (re.split(r"[ (:]", p.strip())[0] for p in provides.split(","))):
            provided.setdefault(word, name)
    wanted, todo = set(), list(packages)
    while todo:
        name = todo.pop()
        if name in wanted or name not in known:
            continue
        wanted.add(name)
        for alternatives in known[name].split(","):
            names = [re.split(r"[ (:]", a.strip())[0] for a in alternatives.split("|")]
            here = [n if n in known else provided.get(n) for n in names]
            todo += [n for n in here if n][:1]
    return sorted(wanted)


def put_packages(tree, packages):
    """Their files, and what dpkg knows of them, but nothing to read."""
    unwanted = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/zoneinfo")
    files = [f for f in run(ROOT, ["dpkg-query", "-L", *packages]).stdout.splitlines()
             if f.startswith("/") and f != "/." and not f.startswith(unwanted) and os.path.lexists(f)]
    for package in packages:
        files += map(str, pathlib.Path("/var/lib/dpkg/info").glob(f"{package}[.:]*"))
    copy = ["--no-recursion", "-P", "-C", "/", "-c", "-T", "-"]
    packed = run(ROOT, ["tar", *copy], input="\n".join(f.lstrip("/") for f in files).encode(), text=False).stdout
    # dpkg's paths may lead over the links of the merged /usr.
    run(ROOT, ["tar", "-C", tree, "--keep-directory-symlink", "-x"], input=packed, text=False)
    status = run(ROOT, ["dpkg-query", "-s", *packages]).stdout
    pathlib.Path(tree, "var/lib/dpkg/status").write_text(status + "\n")


def build_deb(directory, package, tree, fields=""):
    """A package of the files in `tree`; returns its entry for a Packages file, with `directory` as the archive."""
    control = (f"Package: {package}\nVersion: 9.9\nArchitecture: all\nMaintainer: tests <tests@localhost>\n"
               f"{fields}Description: made by the tests\n")
    pathlib.Path(tree, "DEBIAN").mkdir()
    pathlib.Path(tree, "DEBIAN/control").write_text(control)
    deb = pathlib.Path(directory, f"{package}.deb")
    run(ROOT, ["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, deb])
    content = deb.read_bytes()
    return control + (f"Filename: ./{deb.name}\nSize: {len(content)}\n"
                      f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n")


def apt_image(image, users):
    """This machine's Debian, as small as apt works in, whose only archive is a directory in it that has one package:
    tcpdump, with the libraries that the image lacks."""
    with new_tree() as tree:
        for merged in ("bin", "sbin", "lib", "lib64"):
            os.makedirs(f"{tree}/usr/{merged}")
            os.symlink(f"usr/{merged}", f"{tree}/{merged}")
        put_packages(tree, with_dependencies(APT_NEEDS))
        for directory in ("tmp", "proc", "sys", "dev", "run", "var/lib/apt/lists/partial", "var/log/apt",
                          "var/cache/apt/archives/partial", "var/lib/dpkg/updates"):
            os.makedirs(f"{tree}/{directory}", exist_ok=True)
        for file in ("/etc/passwd", "/etc/group"):
            put(tree, file)
        archive = pathlib.Path(tree, "srv/archive")
        archive.mkdir(parents=True)
        with new_tree() as content:
            put(content, program("tcpdump"), "/usr/bin/tcpdump")
            for library in libraries(program("tcpdump")):
                if not pathlib.Path(tree, os.path.realpath(os.path.dirname(library)).lstrip("/"),
                                    os.path.basename(library)).exists():
                    put(content, library, "/usr/" + library.lstrip("/").removeprefix("usr/"))
            pathlib.Path(archive, "Packages").write_text(build_deb(archive, "tcpdump", content))
        for file in pathlib.Path(tree, "etc/apt").rglob("*.sources"):
            file.unlink()
        pathlib.Path(tree, "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/archive ./\n")
        import_image(tree, image, users, ("CMD [\"sleep\",\"1000000\"]", "STOPSIGNAL SIGKILL",
                                          "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
