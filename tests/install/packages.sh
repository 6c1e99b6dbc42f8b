#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh SUITE: the Debian package (bookworm, trixie, sid), built where that Debian has what building needs, then
# installed, used, upgraded and purged where it has nothing yet. Needs the network and 2 GB below $PODSHARK_CACHE for a
# while. Closing line: N passed, N failed, N skipped.
# shellcheck disable=SC2016,SC2317  # expanded, called inside
set -euo pipefail
suite=${1:?usage: packages.sh SUITE}
# shellcheck source=bare.sh
. "$(dirname "$0")/bare.sh"
builder=build-$suite-$$ bare=bare-$suite-$$ debs=$work/debs
export CCACHE_DIR=$cache/ccache CCACHE_NOHASHDIR=1
mkdir -p "$debs" "$CCACHE_DIR"

in_builder() { "$rig" in "$builder" "$@"; }
inside() { "$rig" in "$bare" "$@"; }
member() { "$rig" as "$bare" member "$@"; }
apt() { inside env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"; }

# This machine builds for its own Debian; elsewhere what packages are built with is missing.
if [ "$suite" = "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]; then
  "$rig" up "$builder" / "$top" "$debs" "$CCACHE_DIR"
  rigs+=("$builder")
else
  rig_with_network "$builder" "$("$rig" root "$suite")" "$top" "$debs" "$CCACHE_DIR"
  in_builder env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -qq update &&
    apt-get -qq -y --no-install-recommends install adduser build-essential debhelper lintian >/dev/null'
fi
in_builder env CMAKE_CXX_COMPILER_LAUNCHER=ccache PODSHARK_WERROR=ON "$top/install/debian/build.sh" -o "$debs"
deb=$(echo "$debs"/podshark_*.deb)

# There is no home page whose address could be told; only newer appstream asks for it, and older lintian knows no such tag.
lintian_is_content() {
  in_builder lintian --allow-root "$deb" >"$work/log" 2>&1 || true
  fails grep -v '^W: podshark: appstream-metadata-validation-failed ' "$work/log"
}
it_depends_on_this_wireshark() {
  local library
  library=$(in_builder dpkg -S '*/libwireshark.so.*' | cut -d: -f1 | sort -u)
  dpkg-deb -f "$deb" Depends | grep -q "$library (>= "
}
# Both would own the plugin's file.
setup_refuses_beside_it() {
  run in_builder dpkg -i "$deb"
  fails in_builder "$top/install/setup.sh" --no-deps >"$work/log" 2>&1
  grep -q 'the Debian package podshark is installed' "$work/log"
}

check "lintian has nothing to say" lintian_is_content
check "it depends on this Debian's Wireshark" it_depends_on_this_wireshark
check "setup.sh refuses beside it" setup_refuses_beside_it

# As an older version would be, with a file that is no longer there.
make_older() {
  dpkg-deb -R "$deb" "$work/older"
  sed -i 's/^Version: .*/Version: 0.0.1/' "$work/older/DEBIAN/control"
  touch "$work/older/usr/share/podshark/of-old"
  dpkg-deb -b "$work/older" "$debs/older.deb" >/dev/null
}

# Whatever a package might leave; apt's and dpkg's own records aside.
files() {
  inside find / -xdev -not -path '/proc/*' -not -path '/tmp/*' | sort |
    grep -vE '^/(var/(cache|log|lib/(apt|dpkg|containers)|tmp)|run|dev|sys|home|root|\.old)(/|$)|/__pycache__|/ld\.so\.cache|/etc/(passwd|group|shadow|gshadow)-$'
}

make_bare "$suite" "$work/root" man-db
rig_with_network "$bare" "$work/root" "$debs"
inside sh -c 'groupdel wireshark; echo "path-include=/usr/share/man/*" >/etc/dpkg/dpkg.cfg.d/zz-man'
apt update
# shellcheck disable=SC2046  # one word each
apt install $(sed -e '/^#/d' -e '/^wireshark$/d' "$top/install/packages-run.txt") >/dev/null
apt satisfy "$(dpkg-deb -f "$deb" Depends)" >/dev/null
"$rig" image "$bare"
inside podman run -d --name web -p 8080:80 localhost/bb:1 httpd -f -p 80 -h /www >/dev/null
files >"$work/before"
make_older

# installs DEB [OPTION...]: without a word of ours.
installs() {
  run apt install --allow-downgrades "$@"
  fails grep 'podshark: ' "$work/log"
}
helper_is_for_the_group() {  # NAME CAPABILITIES
  [ "$(inside stat -c '%a %U:%G' "/usr/libexec/podshark/$1")" = '750 root:wireshark' ]
  [ "$(inside getcap "/usr/libexec/podshark/$1")" = "/usr/libexec/podshark/$1 $2=p" ]
}
helpers_are_for_the_group() {
  helper_is_for_the_group podshark-worker cap_net_raw,cap_sys_ptrace,cap_sys_admin
  helper_is_for_the_group podshark-drops cap_perfmon,cap_bpf
}
joined_the_group_member_captures() {
  inside usermod -aG wireshark member
  member_captures
}
doctor_names_what_mends_it() {
  inside sh -c 'setcap -r /usr/libexec/podshark/podshark-worker; chown root:root /usr/libexec/podshark/podshark-worker'
  member podshark doctor >"$work/log"
  grep -q 'fix: sudo dpkg-reconfigure podshark$' "$work/log"
  run inside env DEBIAN_FRONTEND=noninteractive dpkg-reconfigure podshark
  helpers_are_for_the_group
}
metadata_is_there() {
  inside cat "/usr/share/metainfo/org.podshark.Podshark.metainfo.xml" | cmp - "$top/install/org.podshark.Podshark.metainfo.xml"
}
completes() {
  inside bash -c 'source /usr/share/bash-completion/completions/podshark; COMP_WORDS=(podshark capture w) COMP_CWORD=2; _podshark
    [ "${COMPREPLY[*]}" = web ]'
}
purge_leaves_nothing() {
  inside gpasswd -d member wireshark >/dev/null
  run apt purge podshark
  fails inside getent group wireshark
  files | diff "$work/before" -
}
purge_leaves_a_group_that_is_used() {
  run apt install "$deb"
  inside usermod -aG wireshark member
  run apt purge podshark
  inside getent group wireshark >/dev/null
}
refused_beside_setup() {
  inside sh -c 'mkdir -p /usr/local/share/podshark && touch /usr/local/share/podshark/manifest'
  fails apt install "$deb" >"$work/log" 2>&1
  grep -q "run 'sudo install/setup.sh --uninstall' first" "$work/log"
}

check "it installs and says nothing" installs "$debs/older.deb"
check "an upgrade says nothing" installs "$deb"
check "what the new version has not is gone" inside test ! -e /usr/share/podshark/of-old
check "so does installing it over itself" installs --reinstall "$deb"
check "the helpers are for the group" helpers_are_for_the_group
check "podshark runs" inside podshark --version
check "tshark lists the container" inside sh -c 'tshark -D | grep -q "podman:web (Podman web"'
check "the plugin is loaded" inside sh -c 'tshark -G plugins | grep -q "^podshark\.so"'
check "the profile is there" inside test -r /usr/share/wireshark/profiles/Podman/preferences
check "a member of the group captures" joined_the_group_member_captures
check "doctor is content" inside podshark doctor
check "doctor names what mends the helpers" doctor_names_what_mends_it
check "man finds the pages" inside sh -c 'man -w podshark podshark-capture >/dev/null'
check "the documentation is there, with its pictures" inside sh -c \
  'cd /usr/share/doc/podshark && test -s README.md && test -s docs/FORMAT.md && test -s docs/images/menu.png'
check "software centres find its metadata" metadata_is_there
check "bash completes" completes
check "zsh and fish find theirs" inside sh -c \
  'test -s /usr/share/zsh/vendor-completions/_podshark && test -s /usr/share/fish/vendor_completions.d/podshark.fish'
check "purge leaves nothing" purge_leaves_nothing
check "purge leaves a group that is used" purge_leaves_a_group_that_is_used
check "it refuses beside setup.sh" refused_beside_setup
finish
