#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inside.sh BUILD: the tests of run.sh, as root inside a rig. Each test is a function below; its name states the fact.
# shellcheck disable=SC2034,SC2154,SC2317  # cases.sh uses and calls what is here, and the other way round
set -uo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
setup=$top/install/setup.sh
build=$1
work=/tmp/install-test
passed=0 failed=0
mkdir -m 0755 $work
# shellcheck source=cases.sh
. "$top/tests/install/cases.sh"

# as USER CMD...: with that user's own environment, as after a login; the compiler cache is there to read.
as() {
  local who=$1 id
  shift
  id=$(id -u "$who")
  setpriv --reuid="$who" --regid="$who" --init-groups --inh-caps=-all env -i HOME="/home/$who" USER="$who" \
    LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$id" CONTAINERS_CONF=/etc/rig.conf \
    PODSHARK_BUILD_DIR="$build-user" CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-}" \
    PODSHARK_WERROR="${PODSHARK_WERROR:-}" CCACHE_DIR="${CCACHE_DIR:-}" CCACHE_BASEDIR="${CCACHE_BASEDIR:-}" \
    CCACHE_NOHASHDIR=1 CCACHE_READONLY=1 CCACHE_TEMPDIR=/tmp/ccache-"$who" "$@"
}

# Every file an installation might touch; the content matters for what is installed. Wireshark makes its own directories
# whenever it is asked for its version, as doctor does.
files() { find /usr /etc /opt /root /home /var/lib -xdev ! -path "$build*" ! -path "$top/build*" 2>/dev/null |
  grep -vE '^/var/lib/containers|/\.local/share/containers|/\.cache|fontconfig|^/home/[a-z]+/\.config(/wireshark)?$' | sort; }

# expect TEXT: the pattern is in the last output.
expect() { grep -qE -- "$1" $work/out || { echo "expected: $1"; return 1; }; }
refuse() { ! grep -qE -- "$1" $work/out || { echo "not expected: $1"; return 1; }; }
# fails CMD...: set -e does not look at '! CMD'.
fails() { if "$@"; then echo "should have failed: $*"; return 1; fi; }
# run CMD...: its output in $work/out, also on failure.
run() { "$@" >$work/out 2>&1; }

check() {
  local status=0 began=$SECONDS
  # Not as a condition: bash would ignore set -e in there.
  (set -e; "$1") >$work/log 2>&1 </dev/null
  status=$?
  if [ $status = 0 ]; then
    passed=$((passed + 1)); echo "ok     $1 ($((SECONDS - began)) s)"
  else
    failed=$((failed + 1)); echo "FAILED $1 ($((SECONDS - began)) s)"
    sed 's/^/       /' $work/log; echo "       last output:"; tail -n 30 $work/out | sed 's/^/       /'
  fi
}

podman run -d --name web -p 8080:80 localhost/bb:1 httpd -f -p 80 -h /www >/dev/null || exit 1
as rig podman run -d --name own localhost/bb:1 >/dev/null || exit 1
for test in "${cases[@]}"; do check "$test"; done
podman rm -f -t 0 web >/dev/null
as rig podman rm -f -t 0 own >/dev/null
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
