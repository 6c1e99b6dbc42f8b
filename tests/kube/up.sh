#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# up.sh up DIR [IMAGE=ROOT-DIRECTORY...]: starts the node of build.sh's programs in DIR, in namespaces of its own, and waits until
#   it is Ready; each IMAGE becomes localhost/IMAGE:1 of the node, whose root is a copy of the directory.
# up.sh in DIR CMD...: runs CMD on the node, with kubectl in PATH and KUBECONFIG of the administrator
# up.sh down DIR: ends everything of it
# up.sh node DIR: (internal) PID 1 of the node
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
verb=$1 dir=$(readlink -f "$2")
shift 2

tokens() {
  mkdir -p etc/cni run img
  openssl genrsa -out etc/sa.key 2048 2>/dev/null
  printf '%s\n' 'tadmin,admin,1,"system:masters"' 'tkubelet,system:node:node1,2,"system:nodes"' \
    tcm,system:kube-controller-manager,3 tsched,system:kube-scheduler,4 tuser,user,5 >etc/tokens.csv
  local user
  for user in admin kubelet cm sched user; do
    cat >etc/$user.conf <<CONF
{"apiVersion":"v1","kind":"Config","current-context":"k","contexts":[{"name":"k","context":{"cluster":"k","user":"u"}}],
"clusters":[{"name":"k","cluster":{"server":"https://127.0.0.1:6443","insecure-skip-tls-verify":true}}],
"users":[{"name":"u","user":{"token":"t$user"}}]}
CONF
  done
}

configure() {
  cat >etc/cni/10-k.conflist <<CONF
{"cniVersion":"0.4.0","name":"knet","plugins":[{"type":"bridge","bridge":"kcni0","isGateway":true,"ipMasq":false,"hairpinMode":true,
"ipam":{"type":"host-local","dataDir":"$dir/run/ipam","ranges":[[{"subnet":"10.244.0.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}
CONF
  cat >etc/containerd.toml <<CONF
version=2
root="$dir/run/ctrd-root"
state="$dir/run/ctrd-state"
grpc.address="$dir/run/ctrd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image="localhost/pause:1"
disable_apparmor=true
restrict_oom_score_adj=true
cni.bin_dir="$dir/root/usr/lib/cni"
cni.conf_dir="$dir/etc/cni"
containerd.default_runtime_name="runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type="io.containerd.runc.v2"
options.BinaryName="$dir/root/usr/sbin/runc"
options.Root="$dir/run/runc"
CONF
  cat >etc/kubelet.yaml <<CONF
{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","authentication":{"anonymous":{"enabled":true},"webhook":{"enabled":false}},
"authorization":{"mode":"AlwaysAllow"},"cgroupDriver":"cgroupfs","cgroupsPerQOS":false,"enforceNodeAllocatable":[],"failSwapOn":false,
"makeIPTablesUtilChains":false,"volumePluginDir":"$dir/run/volplugins","featureGates":{"EphemeralContainers":true},"imageGCHighThresholdPercent":100,
"evictionHard":{"memory.available":"10Mi","nodefs.available":"1%","imagefs.available":"1%"},"nodeStatusUpdateFrequency":"1s"}
CONF
}

# image NAME ROOT: a docker archive of one layer.
image() {
  local work id
  work=$(mktemp -d)
  tar -C "$2" --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
  id=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Cmd":["/bin/busybox","sleep","1000000"],"Env":["PATH=/bin:/usr/bin:/sbin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$id" >"$work/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/%s:1"],"Layers":["layer.tar"]}]' "$1" >"$work/manifest.json"
  tar -C "$work" -cf "$dir/img/$1.tar" manifest.json config.json layer.tar
  rm -rf "$work"
}

# Where the kernel has a log file of each: NAME CMD...
start() {
  local name=$1
  shift
  "$@" >"run/$name.log" 2>&1 &
}

node() {
  cd "$dir"
  exec </dev/null
  mount --make-rshared /
  # etcd is for throwing away; and nothing that the kubelet writes below may stay.
  ip link set lo up
  sysctl -qw net.ipv4.ip_forward=1
  ip link add eth0 type veth peer name eth0p
  ip link set eth0p up
  ip addr add 192.168.77.2/24 dev eth0
  ip link set eth0 up
  ip route add default dev eth0
  local etcd=http://127.0.0.1:2379 tar
  start etcd etcd --data-dir=run/etcd --unsafe-no-fsync --listen-client-urls=$etcd --advertise-client-urls=$etcd \
    --listen-peer-urls=http://127.0.0.1:2380
  start containerd containerd -c etc/containerd.toml
  until etcdctl --endpoints=$etcd endpoint health >/dev/null 2>&1; do sleep .1; done
  start api kube-apiserver --etcd-servers=$etcd --cert-dir=run/certs --bind-address=127.0.0.1 --secure-port=6443 \
    --advertise-address=192.168.77.2 --service-cluster-ip-range=10.96.0.0/24 --token-auth-file=etc/tokens.csv \
    --authorization-mode=Node,RBAC --allow-privileged=true --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://k --api-audiences=k --service-account-key-file=etc/sa.key \
    --service-account-signing-key-file=etc/sa.key --feature-gates=EphemeralContainers=true
  until curl -skf -H 'Authorization: Bearer tadmin' https://127.0.0.1:6443/readyz >/dev/null; do sleep .2; done
  start cm kube-controller-manager --kubeconfig=etc/cm.conf --service-account-private-key-file=etc/sa.key \
    --use-service-account-credentials --bind-address=127.0.0.1 --port=0 --leader-elect=false
  start sched kube-scheduler --kubeconfig=etc/sched.conf --leader-elect=false --port=0
  for tar in img/*.tar; do ctr -a run/ctrd.sock -n k8s.io images import "$tar"; done >run/import.log 2>&1
  start kubelet kubelet --config=etc/kubelet.yaml --kubeconfig=etc/kubelet.conf "--root-dir=$dir/run/kubelet" "--cert-dir=$dir/run/pki" \
    --container-runtime=remote "--container-runtime-endpoint=unix://$dir/run/ctrd.sock" --hostname-override=node1 \
    --node-ip=192.168.77.2 --pod-infra-container-image=localhost/pause:1
  until kubectl get node node1 2>/dev/null | grep -q ' Ready'; do sleep .3; done
  until kubectl get serviceaccount default >/dev/null 2>&1; do sleep .2; done
  touch run/ready
  wait
}

environment() {
  export KUBECONFIG=$dir/etc/admin.conf LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu
  export PATH=$dir/bin:$dir/root/usr/bin:$dir/root/usr/sbin:$PATH
}

# The kubelet sets these for the whole machine, and would not put them back.
settings=(vm.overcommit_memory kernel.panic kernel.panic_on_oops)

up() {
  cd "$dir"
  rm -rf run img
  tokens
  configure
  local pair key
  for pair; do image "${pair%%=*}" "${pair#*=}"; done
  for key in "${settings[@]}"; do sysctl "$key"; done | sed 's/ = /=/' >etc/sysctl
  setsid unshare -m -n -p -f --kill-child --mount-proc "$here/up.sh" node "$dir" >run/node.log 2>&1 </dev/null &
  local outer=$!
  disown
  for _ in $(seq 1200); do
    [ ! -e run/ready ] || break
    kill -0 $outer 2>/dev/null || break
    sleep .1
  done
  pgrep -P $outer >run/pid || true
  [ -e run/ready ] || { tail -n 5 run/*.log >&2; down; exit 1; }
}

down() {
  cd "$dir"
  local pid
  pid=$(cat run/pid 2>/dev/null || true)
  if [ -n "$pid" ] && grep -q "$dir" "/proc/$pid/cmdline" 2>/dev/null; then
    kill -KILL "$pid"
    while [ -d "/proc/$pid" ]; do sleep .05; done
  fi
  [ ! -s etc/sysctl ] || xargs -a etc/sysctl sysctl -qw
  find /sys/fs/cgroup -depth -type d -path '*/k8s.io*' -exec rmdir {} + 2>/dev/null || true
  rm -rf run img
}

case $verb in
  up) up "$@" ;;
  node) environment; node ;;
  in) environment; exec nsenter -t "$(cat "$dir/run/pid")" -m -n -p -- env -C / "$@" ;;
  down) down ;;
  *) sed -n '3,8s/^# //p' "$0" >&2; exit 2 ;;
esac
