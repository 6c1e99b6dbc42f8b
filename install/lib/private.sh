# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Some machines (hybrid cgroups, root without CAP_SYS_RESOURCE, containers of other kinds) let podman start
# containers only in namespaces arranged for it. Root can make these; nothing of it remains. The demo uses this, and
# so does the tests' rig.

# Own processes too: podman 4.3.1 leaves slirp4netns, aardvark-dns, catatonit and dbus-daemon running.
new_namespaces=(unshare --cgroup --mount --net --pid --ipc --uts --fork --kill-child --propagation private)

# The machine's one cgroup2 tree; on hybrid machines it is below 'unified'.
cgroup_tree() { if [ -d /sys/fs/cgroup/unified ]; then echo /sys/fs/cgroup/unified; else echo /sys/fs/cgroup; fi; }

# end_cgroup DIR: kills everything in it, waits until it is empty, removes it. Somebody else may do the same meanwhile.
end_cgroup() {
  [ -d "$1" ] || return 0
  echo 1 >"$1/cgroup.kill"
  until [ ! -e "$1/cgroup.events" ] || grep -qs 'populated 0' "$1/cgroup.events"; do sleep 0.02; done
  [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +
}

# containers.conf: without CAP_SYS_RESOURCE crun may neither raise limits nor (with cgroups) RLIMIT_MEMLOCK; manager
# and events logger only make machines equal; 4.3.1 could otherwise choose CNI.
podman_settings() {
  cat <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
CONF
}

# in_private_namespace CMD...: own mounts, network and processes, in a cgroup of its own.
in_private_namespace() {
  local top status=0
  top=$(cgroup_tree)
  private_group=$top/podshark-demo-$$
  [ -w "$top" ] && mkdir "$private_group" 2>/dev/null || private_group=
  # Any cgroup2 mount shows the machine's one tree and podman writes to it, hence the own group as its root.
  (
    [ -z "$private_group" ] || echo "$BASHPID" >"$private_group/cgroup.procs"
    exec "${new_namespaces[@]}" --mount-proc "$@"
  ) || status=$?
  remove_private_group
  return $status
}

remove_private_group() { [ -z "${private_group:-}" ] || end_cgroup "$private_group"; }

# Inside: a pure cgroup2 tree, storage in memory (overlay is not supported over an overlay), no limits to raise.
prepare_private_podman() {
  mount -t sysfs sysfs /sys
  mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/init  # podman would make it 0600 and its own rootless half could not read it
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/lib  # so that not even /var/lib/containers is left on the machine
  mkdir -p /run/netns /run/lock /var/lib/containers
  ip link set lo up
  podman_settings >/run/podshark-demo.conf
  export CONTAINERS_CONF=/run/podshark-demo.conf
  mount --make-rshared /
}
