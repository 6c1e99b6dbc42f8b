#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A private little machine for real podman: own mounts, network, PIDs, cgroup, users, images. See README.md.
set -eu

usage() {
  cat >&2 <<'TEXT'
usage: rig.sh up NAME [ROOT [BIND...]]   bring a rig up; ROOT '/' (default) or a directory from 'root'
       rig.sh in NAME CMD...             run as root inside
       rig.sh user NAME CMD...           run as the rootless user 'rig' inside
       rig.sh as NAME USER CMD...        run as another user inside ('other', 'member')
       rig.sh client NAME CMD...         run in the network namespace of the external client (203.0.113.2)
       rig.sh image NAME                 make localhost/bb:1 for root and for 'rig'
       rig.sh shell [NAME [ROOT]]        bring a rig up, work in it by hand, take it down
       rig.sh down NAME                  end everything inside and leave nothing
       rig.sh root SUITE                 make or reuse the Debian root of SUITE (trixie, sid), print its path
TEXT
  exit 2
}

here=$(dirname "$(readlink -f "$0")")
# shellcheck source=../../install/lib/private.sh
. "$here/../../install/lib/private.sh"
cache=${PODSHARK_CACHE:-/var/cache/podshark}
verb=${1:-}
name=${2:-}
# NAME becomes a path and a cgroup; SUITE a directory.
case $verb:$name in
  shell:) name=shell-$$ ;;
  *:*[!a-z0-9-]* | *:) usage ;;
esac
dir=/run/podshark-rig/$name
group=$(cgroup_tree)/podshark-$name

# Runs "$@" as root inside, with an environment that does not depend on the caller's. The process joins the
# rig's cgroup first, so that 'down' ends it too.
enter() {
  [ -s "$dir/pid" ] || { echo "rig.sh: rig '$name' is not up; run: rig.sh up $name" >&2; exit 1; }
  local keep=() v
  for v in TERM CI "${!PODSHARK_@}" "${!CCACHE_@}"; do [ -z "${!v+x}" ] || keep+=("$v=${!v}"); done
  echo $BASHPID >"$group/init/cgroup.procs"
  # -C / : nsenter leaves us in a directory of the outer tree otherwise.
  exec nsenter -t "$(cat "$dir/pid")" -m -u -i -n -p -C -- env -C / -i "${keep[@]}" \
    HOME=/root USER=root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 CONTAINERS_CONF=/etc/rig.conf \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# CONTAINERS_CONF replaces every other containers.conf, so it has to survive the change of user.
enter_as() {
  # shellcheck disable=SC2016  # expanded inside
  enter bash -c 'who=$1; shift; id=$(id -u "$who")
    keep=(); for v in TERM CI "${!PODSHARK_@}"; do [ -z "${!v+x}" ] || keep+=("$v=${!v}"); done
    exec setpriv --reuid="$who" --regid="$who" --init-groups --inh-caps=-all env -i "${keep[@]}" \
      HOME="/home/$who" USER="$who" LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
      PATH=/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$id" \
      CONTAINERS_CONF=/etc/rig.conf "$@"' - "$@"
}

up() {
  local root=${1:-/}
  [ "$(id -u)" = 0 ] || { echo "rig.sh: must run as root" >&2; exit 1; }
  [ ! -e "$dir" ] || { echo "rig.sh: rig '$name' exists; run: rig.sh down $name" >&2; exit 1; }
  [ $# -eq 0 ] || shift
  mkdir -p "$dir" "$group"
  # Own cgroup and --cgroup: any cgroup2 mount shows the machine's one tree, and podman writes to it.
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec setsid "${new_namespaces[@]}" "$here/rig.sh" init "$name" "$root" "$@"
  ) </dev/null >"$dir/log" 2>&1 &
  local outer=$!
  disown  # the shell would tell of its end
  for _ in $(seq 200); do
    if [ -s "$dir/ready" ] || ! kill -0 $outer 2>/dev/null; then break; fi
    sleep 0.05
  done
  [ -s "$dir/ready" ] || { cat "$dir/log" >&2; down; exit 1; }
  pgrep -P $outer >"$dir/pid"
}

# Runs as PID 1 of the new namespaces; ends as catatonit, which reaps.
init() {
  exec 9>"$dir/ready"
  mount_tree "$@"
  cd /
  umount -l /.old
  # Last; 4.3.1 rootless warns that "/" is not a shared mount otherwise.
  mount --make-rshared /
  podman_settings >/etc/rig.conf
  add_users
  add_client
  echo ok >&9
  exec 9>&-
  exec catatonit -P  # pods need this program anyway; minbase roots lack it
}

mount_tree() {
  local root=$1 bind n d
  shift
  mount -t tmpfs tmpfs "$dir"
  cd "$dir"
  mkdir up wk root
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$dir/up,workdir=$dir/wk" root
  cd root
  mkdir -p proc sys dev run tmp home var/lib/containers .old
  mount -t proc proc proc
  mount -t sysfs sysfs sys  # fresh: /sys/class/net shows other links otherwise
  mount -t cgroup2 none sys/fs/cgroup  # crun refuses hybrid cgroups
  mkdir -m 755 sys/fs/cgroup/init  # rootful podman would make it 0600 and rootless could not read it
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/pts dev/shm dev/net
  for n in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${n%:*}" c 1 "${n#*:}"; done
  mknod -m 666 dev/tty c 5 0
  mknod -m 666 dev/net/tun c 10 200  # slirp4netns of an ordinary user opens it
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  # tmpfs: podman's overlay storage is not supported over an overlay.
  for d in run home var/lib/containers; do mount -t tmpfs -o mode=755 tmpfs $d; done
  for d in tmp dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $d; done
  for bind; do
    mkdir -p ".$bind"
    mount --bind "$bind" ".$bind"
    # Ordinary users inside have to reach it, wherever it is checked out; the change stays in our overlay.
    for ((d = 1; d; d = ${#bind})); do bind=${bind%/*}; [ -z "$bind" ] || chmod o+x ".$bind"; done
  done
  mkdir -p run/netns run/lock
  pivot_root . .old  # not chroot: the kernel refuses user namespaces to chrooted processes
}

add_users() {
  local u
  groupadd -rf wireshark
  for u in rig other member; do
    useradd -m -s /bin/bash $u  # also gives subuid and subgid ranges, needed for rootless
    install -d -m 700 -o $u -g $u "/run/user/$(id -u $u)"
  done
  usermod -aG wireshark member
}

add_client() {
  ip link set lo up
  ip netns add client
  ip link add wan0 type veth peer name eth0 netns client
  ip addr add 203.0.113.1/24 dev wan0
  ip link set wan0 up
  ip -n client addr add 203.0.113.2/24 dev eth0
  ip -n client link set eth0 up
  ip -n client link set lo up
  ip route add default via 203.0.113.2
}

down() {
  [ -d "$group" ] || [ -d "$dir" ] || return 0
  end_cgroup "$group"
  rm -rf "$dir"
  rmdir --ignore-fail-on-non-empty "${dir%/*}" 2>/dev/null || true
}

image() {
  local tar
  tar=$("$here/image.sh" "$cache/images")
  (enter podman load -q) <"$tar" >/dev/null
  (enter_as rig podman load -q) <"$tar" >/dev/null
}

by_hand() {
  trap down EXIT
  up "${1:-/}"
  image
  echo "rig '$name' is up, you are root in it; image localhost/bb:1 is there for root and rig"
  echo "another terminal: $0 user $name CMD (rootless), $0 client $name CMD (from outside); exit takes it down"
  # 'script' gives a terminal that exists inside.
  (enter script -qec 'cd /root; exec bash -i' /dev/null) || true
}

[ $# -lt 2 ] || shift 2
case $verb in
  up) up "$@" ;;
  init) init "$@" ;;
  in) enter "$@" ;;
  user) enter_as rig "$@" ;;
  as) enter_as "$@" ;;
  client) enter ip netns exec client "$@" ;;
  image) image ;;
  shell) by_hand "$@" ;;
  down) down ;;
  root) exec "$here/root.sh" "$name" "$cache/roots" ;;
  *) usage ;;
esac
