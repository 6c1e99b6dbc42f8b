# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Some machines (hybrid cgroups, root without CAP_SYS_RESOURCE, containers of other kinds) let podman start
# containers only in namespaces arranged for it. Root can make these; nothing of it remains.

# in_private_namespace CMD...: own mounts, network and processes, in a cgroup of its own.
in_private_namespace() {
  local top=/sys/fs/cgroup status=0
  [ ! -d $top/unified ] || top=$top/unified
  private_group=$top/podshark-demo-$$
  [ -w $top ] && mkdir "$private_group" 2>/dev/null || private_group=
  # Any cgroup2 mount shows the machine's one tree and podman writes to it, hence the own group as its root.
  # shellcheck disable=SC2016  # expanded by that shell
  bash -c '[ -z "$0" ] || echo $$ >"$0/cgroup.procs"; exec unshare --cgroup --mount --net --pid --ipc --uts \
    --fork --kill-child --mount-proc --propagation private "$@"' "$private_group" "$@" || status=$?
  remove_private_group
  return $status
}

remove_private_group() {
  [ -d "${private_group:-}" ] || return 0
  echo 1 >"$private_group/cgroup.kill"
  until [ ! -e "$private_group/cgroup.events" ] || grep -qs 'populated 0' "$private_group/cgroup.events"; do
    sleep 0.05
  done
  [ -d "$private_group" ] || return 0
  find "$private_group" -depth -type d -exec rmdir {} +
}

# Inside: a pure cgroup2 tree, storage in memory (overlay is not supported over an overlay), no limits to raise.
prepare_private_podman() {
  mount -t sysfs sysfs /sys
  mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/init  # podman would make it 0600 and its own rootless half could not read it
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/lib  # so that not even /var/lib/containers is left on the machine
  mkdir -p /run/netns /run/lock /var/lib/containers
  ip link set lo up
  cat >/run/podshark-demo.conf <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
CONF
  export CONTAINERS_CONF=/run/podshark-demo.conf
  mount --make-rshared /
}
