#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ci.sh: podshark and a real kubectl against a stand-in for an API server (client.py): words, kubeconfig, errors. Nothing runs in a
# pod here; that is run.sh's. Takes the kubectl that is installed, else Debian's, unpacked into $PODSHARK_CACHE/kubectl.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
export PODSHARK_BIN=${PODSHARK_BUILD:-$here/../../build/release}
if ! command -v kubectl >/dev/null; then
  dir=${PODSHARK_CACHE:-/var/cache/podshark}/kubectl
  if [ ! -x "$dir/usr/bin/kubectl" ]; then
    mkdir -p "$dir"
    (cd "$dir" && { apt-get -qq download kubernetes-client || apt-get -qq download kubectl; } && dpkg -x ./*.deb . && rm -f ./*.deb) >&2
  fi
  PATH=$PATH:$dir/usr/bin
fi
exec /usr/bin/python3 "$here/client.py" "$@"
