#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tarball.sh: the tarball that cpack makes, put in place as its README.md says and used by a member of the group, in a rig of
# deb12. Closing line: N passed, N failed, 0 skipped.
# shellcheck disable=SC2317  # called by check
set -euo pipefail
# shellcheck source=bare.sh
. "$(dirname "$0")/bare.sh"
name=tarball-$$
export CCACHE_DIR=$cache/ccache CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1 CMAKE_CXX_COMPILER_LAUNCHER=ccache PODSHARK_WERROR=ON

inside() { "$rig" in "$name" "$@"; }
member() { "$rig" as "$name" member "$@"; }

cd "$top"
for step in "cmake" "cmake --build" "cpack"; do run $step --preset tarball; done
tarball=$(echo "$top"/build/tarball/podshark-*.tar.gz)
tar -xzf "$tarball" -C "$work" --strip-components=1
"$rig" up "$name" / "$top/build/tarball"
rigs+=("$name")
"$rig" image "$name"
inside podman run -d --name web -p 8080:80 localhost/bb:1 httpd -f -p 80 -h /www >/dev/null

# commands PATTERN: those of the README that begin like this; for root without sudo.
commands() { sed -n 's/^    //p' "$work/README.md" | grep -E "^($1) " | sed 's/^sudo //'; }
the_readme_installs_it() {
  local folders extcap plugins
  folders=$(member tshark -G folders 2>/dev/null)
  plugins=$(sed -n 's/^Personal Plugins:[[:space:]]*//p' <<<"$folders")
  extcap=$(sed -n 's/^Personal configuration:[[:space:]]*//p' <<<"$folders")/extcap
  inside bash -ec "cd $top/build/tarball; $(commands 'sudo|cd')"
  member bash -ec "$(commands 'mkdir|ln' | sed -e "s|PERSONAL EXTCAP PATH|$extcap|" -e "s|PERSONAL PLUGINS|$plugins|")"
}
its_capabilities_are_those_of_setup() {
  local helper capabilities
  while read -r helper capabilities; do
    grep -qx "    sudo setcap $capabilities $helper" "$work/README.md"
    grep -q " %caps($capabilities) .*/$helper$" "$top/install/rpm/podshark.spec"
  done < <(grep -v '^#' "$top/install/capabilities.txt")
}
everything_is_in_one_folder() {
  fails grep -vE "^podshark-[0-9.]+-$(uname -m)-wireshark-[0-9.]+/" <(tar -tzf "$tarball")
}
the_documentation_is_there() {
  cmp "$work/share/doc/podshark/docs/FORMAT.md" "$top/docs/FORMAT.md"
  test -s "$work/share/doc/podshark/docs/images/menu.png"
}
output_has() {  # PATTERN CMD...: in the output
  local pattern=$1
  shift
  run "$@"
  grep -qE "$pattern" "$work/log" || { cat "$work/log"; return 1; }
}

check "everything is in one folder" everything_is_in_one_folder
check "the documentation is there" the_documentation_is_there
check "the metadata is there" cmp "$work/share/metainfo/org.podshark.Podshark.metainfo.xml" "$top/install/org.podshark.Podshark.metainfo.xml"
check "the README installs it" the_readme_installs_it
check "capabilities are the same everywhere" its_capabilities_are_those_of_setup
check "the program finds its helpers" output_has '^ok +rootful: you may capture rootful containers' member podshark doctor
check "tshark lists the container" output_has 'podman-root:web \(' member tshark -D
check "the plugin is loaded" output_has '^podshark\.so' member tshark -G plugins
check "a member of the group captures" member_captures
finish
