#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh: makes or reuses everything of a one-node Kubernetes 1.20.2 from Debian 12's own packages and sources, below
# $PODSHARK_CACHE/kube, and prints that directory. Nothing is installed. Takes about ten minutes on two cores and 4 GB.
# Debian has no binary package of the API server or the kubelet; the source package `kubernetes` holds the whole tree.
set -euo pipefail
out=${PODSHARK_CACHE:-/var/cache/podshark}/kube
programs=(kube-apiserver kubelet kube-controller-manager kube-scheduler kubectl)
tools=(containerd runc etcd-server etcd-client containernetworking-plugins rsync libpopt0 libxxhash0
  golang-github-modern-go-reflect2-dev)
stamp=$(sha256sum <"$0" | cut -c1-16)
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "$out"
  exit
fi

# Own lists: the machine's need not have sources, nor Debian 12.
packages() {
  mkdir -p apt/lists/partial apt/cache/archives/partial debs root go home bin
  printf 'deb%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n' '' -src >apt/sources.list
  cat >apt/apt.conf <<CONF
Dir::Etc::sourcelist "$PWD/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$PWD/apt/lists";
Dir::Cache "$PWD/apt/cache";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$PWD/apt/apt.conf
  apt-get -qq update
  (cd debs && apt-get -qq download golang-1.19-go golang-1.19-src "${tools[@]}")
  apt-get -qq source --download-only kubernetes
  unset APT_CONFIG
  local file tool
  for file in debs/golang-1.19*; do dpkg -x "$file" go; done
  for tool in "${tools[@]}"; do dpkg -x debs/"$tool"_*.deb root; done
  rm -rf src
  dpkg-source -x kubernetes_*.dsc src
}

# Go 1.18 and later need a newer reflect2 than the one in the tree.
newer_reflect2() {
  local there=src/vendor/github.com/modern-go/reflect2
  cp root/usr/share/gocode/src/github.com/modern-go/reflect2/*.go "$there/"
  rm -f "$there"/*_test.go "$there"/go_above_17.go "$there"/go_below_17.go "$there"/go_below_19.go
}

compile() {
  local program
  mkdir -p src/.go/src/k8s.io
  ln -sfn ../../.. src/.go/src/k8s.io/kubernetes
  export GOROOT=$PWD/go/usr/lib/go-1.19 GOPATH=$PWD/src/.go HOME=$PWD/home GOFLAGS='' CGO_ENABLED=0
  export PATH=$GOROOT/bin:$PWD/root/usr/bin:$PATH LD_LIBRARY_PATH=$PWD/root/usr/lib/x86_64-linux-gnu
  export KUBE_GIT_TREE_STATE=clean KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_COMMIT=0 KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20
  for program in "${programs[@]}"; do nice -n 19 make -C src WHAT="cmd/$program"; done
  cp src/_output/bin/kube* bin/
}

cd "$out"
rm -rf apt debs root go home bin src stamp
{ packages && newer_reflect2 && (compile); } >&2
rm -rf src go home apt kubernetes_*  # 4 GB; the rest is 400 MB
echo "$stamp" >stamp
echo "$out"
