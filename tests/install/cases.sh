# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The facts about the installer, in the order they are tried; later ones build on earlier ones. A failing command
# fails its case (set -e). Uses: setup build work and the functions of inside.sh.
# shellcheck disable=SC2034,SC2086,SC2154,SC2164,SC2317

cases=(
  an_unknown_option_is_refused_with_the_usage
  an_unsupported_system_is_named_and_nothing_is_done
  a_derivative_of_debian_is_tried_with_a_note
  missing_packages_are_named_when_they_may_not_be_installed
  an_ordinary_user_without_user_option_is_told_both_ways
  root_may_not_install_for_itself_as_a_user
  a_failing_build_fails_and_leaves_no_file
  system_install_succeeds_and_makes_the_group
  worker_is_for_the_group_only_with_permitted_capabilities
  what_is_installed_is_roots_and_nobody_elses_to_change
  agent_for_such_machines_is_a_plain_file
  manual_pages_are_there_and_bash_completes_running_containers
  software_centres_find_its_metadata
  only_a_link_to_podshark_is_in_the_extcap_directory
  tshark_lists_the_containers_of_root
  tshark_lists_the_containers_of_an_ordinary_user
  plugin_is_loaded_for_everybody
  profile_shows_its_columns_to_everybody
  doctor_finds_no_failure_as_root
  doctor_finds_no_failure_as_a_member_who_may_capture_rootful
  doctor_tells_a_non_member_how_to_join
  doctor_json_is_json
  doctor_tells_what_makes_the_capabilities_void
  member_captures_a_rootful_container_through_the_worker
  non_member_is_told_how_to_capture_a_rootful_container
  dumpcap_for_the_group_only_is_told_by_doctor_and_setup
  demo_shows_packets_with_names_and_leaves_only_its_file
  demo_makes_its_own_namespaces_where_podman_can_not_start
  second_system_install_changes_nothing
  user_install_beside_the_system_one_is_refused
  uninstall_leaves_no_file
  uninstall_twice_is_no_error
  user_install_needs_no_root_and_captures
  a_changed_personal_profile_stays_as_it_is
  system_install_tells_about_the_personal_copy
  user_uninstall_leaves_no_file
)

# in_system TEXT CMD...: with another /etc/os-release.
in_system() {
  printf '%b' "$1" >$work/os-release
  shift
  # shellcheck disable=SC2016
  unshare -m bash -c 'mount --bind "$0" "$(readlink -f /etc/os-release)" && exec "$@"' $work/os-release "$@"
}

install_system() { run env PODSHARK_BUILD_DIR="$build-system" "$setup" "$@"; }

an_unknown_option_is_refused_with_the_usage() {
  fails run "$setup" --fast
  expect '^usage: '
  expect 'error: unknown option --fast'
}

an_unsupported_system_is_named_and_nothing_is_done() {
  files >$work/before
  fails run in_system 'ID=fedora\nPRETTY_NAME="Fedora Linux 43"\n' "$setup"
  expect 'error: Fedora Linux 43 is not supported'
  fails run in_system 'ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian 11"\n' "$setup"
  expect 'error: Debian 11 is too old'
  files | diff $work/before -
}

a_derivative_of_debian_is_tried_with_a_note() {
  mkdir -p $work/blocked && chmod 0555 $work/blocked
  fails run in_system 'ID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\n' \
    env PODSHARK_BUILD_DIR=/proc/none "$setup"
  expect 'note: Linux Mint 22 is not Debian itself'
}

missing_packages_are_named_when_they_may_not_be_installed() {
  : >$work/status
  # shellcheck disable=SC2016
  fails run unshare -m bash -c 'mount --bind "$0" /var/lib/dpkg/status && exec "$@"' $work/status "$setup" --no-deps
  expect 'error: these packages are missing: sudo apt-get install .*wireshark-dev.*podman'
}

an_ordinary_user_without_user_option_is_told_both_ways() {
  fails run as other "$setup"
  expect "error: installing for everybody needs root: run 'sudo .*setup.sh', or '.*setup.sh --user'"
}

root_may_not_install_for_itself_as_a_user() {
  fails run "$setup" --user
  expect 'error: --user is for ordinary users'
}

a_failing_build_fails_and_leaves_no_file() {
  files >$work/before
  mkdir -p $work/broken
  fails run env PODSHARK_BUILD_DIR=$work/broken CXX=/bin/false "$setup"
  expect "error: the build failed; all of its output is in $work/broken/setup.log"
  files | diff $work/before -
}

# Debian has the group only where somebody asked for it.
system_install_succeeds_and_makes_the_group() {
  groupdel wireshark
  files >$work/clean
  install_system
  usermod -aG wireshark member
  expect '^podshark: installed'
  podshark --version
}

worker_is_for_the_group_only_with_permitted_capabilities() {
  local worker=/usr/local/libexec/podshark/podshark-worker
  [ "$(stat -c '%a %U:%G' $worker)" = '750 root:wireshark' ]
  [ "$(getcap $worker)" = "$worker cap_net_raw,cap_sys_ptrace,cap_sys_admin=p" ]
  fails as other $worker
  worker=/usr/local/libexec/podshark/podshark-drops
  [ "$(stat -c '%a %U:%G' $worker)" = '750 root:wireshark' ]
  [ "$(getcap $worker)" = "$worker cap_perfmon,cap_bpf=p" ]
}

# Nor is anything but the two helpers more than who starts it.
what_is_installed_is_roots_and_nobody_elses_to_change() {
  local file mode owner
  while read -r file; do
    read -r mode owner < <(stat -c '%a %U' "$file")
    [ "$owner" = root ] || { echo "$file belongs to $owner"; return 1; }
    [ ! -L "$file" ] || continue  # its mode is nobody's
    [ $((8#$mode & 8#6022)) = 0 ] || { echo "$file has the mode $mode"; return 1; }
    case $file in */podshark-worker | */podshark-drops) continue ;; esac
    [ -z "$(getcap "$file")" ] || { echo "$file has capabilities"; return 1; }
  done < <(sed -n 's/^f //p' /usr/local/share/podshark/manifest)
  [ "$(stat -c '%U' /usr/local/libexec/podshark)" = root ]
  [ $((8#$(stat -c '%a' /usr/local/libexec/podshark) & 8#22)) = 0 ]
}

agent_for_such_machines_is_a_plain_file() {
  local agent
  agent=/usr/local/libexec/podshark/agents/podshark-agent-$(uname -m).gz
  [ "$(stat -c '%a %U:%G' "$agent")" = '644 root:root' ]
  gunzip -c "$agent" >$work/agent && chmod 0755 $work/agent
  [ "$(as other $work/agent version)" = "podshark-agent $(podshark --version | sed 's/^podshark //')" ]
}

# The scripts themselves are tried by completion.py; here podshark itself says what runs.
manual_pages_are_there_and_bash_completes_running_containers() {
  local share=/usr/local/share
  [ "$(head -n 2 $share/man/man1/podshark-capture.1 | tail -n 1 | cut -d' ' -f2)" = PODSHARK-CAPTURE ]
  [ -s $share/doc/podshark/docs/FORMAT.md ] && [ -s $share/doc/podshark/docs/images/menu.png ]
  [ -s $share/zsh/site-functions/_podshark ] && [ -s $share/fish/vendor_completions.d/podshark.fish ]
  # shellcheck disable=SC2016
  run bash -c 'source "$0"; COMP_WORDS=(podshark capture w) COMP_CWORD=2; _podshark; printf "%s\n" "${COMPREPLY[@]}"' \
    $share/bash-completion/completions/podshark
  expect '^web$'
}

software_centres_find_its_metadata() {
  local name=org.podshark.Podshark.metainfo.xml
  cmp "$top/install/$name" /usr/local/share/metainfo/$name
}

only_a_link_to_podshark_is_in_the_extcap_directory() {
  local dir
  dir=$(tshark -G folders 2>/dev/null | sed -n 's/^\(Global \)\?[Ee]xtcap path:[[:space:]]*//p' | head -n 1)
  [ "$(readlink "$dir/podshark")" = /usr/local/bin/podshark ]
  [ "$(find "$dir" -name 'podshark*' | wc -l)" = 1 ]
}

tshark_lists_the_containers_of_root() {
  run tshark -D
  expect 'podman:web \('
}

tshark_lists_the_containers_of_an_ordinary_user() {
  run as rig tshark -D
  expect 'podman:own \('
  expect 'podman-root:web \('
}

plugin_is_loaded_for_everybody() {
  run as other tshark -G plugins
  expect '^podshark\.so'
}

# Warnings of Wireshark would be in the output too.
show_example_in_profile() {
  python3 "$top/tests/wireshark/make_capture.py" $work/example.pcapng
  chmod 0644 $work/example.pcapng
  run as "$1" tshark -C Podman -n -r $work/example.pcapng -T psml
  expect '^<section>Src container</section>'
  expect '^<section>Point</section>'
  expect '^<section>shop</section>'
  expect '^<section>inside</section>'
  refuse 'WARNING|tshark:'
}

# Wireshark itself, tshark too, copies a global profile to whoever uses it: no file of ours, and not for us to remove.
profile_shows_its_columns_to_everybody() {
  local copy=/home/other/.config/wireshark/profiles
  [ ! -e $copy ]
  show_example_in_profile other
  [ "$(stat -c %U $copy/Podman/preferences)" = other ]
  rm -r $copy
  [ -r /usr/share/wireshark/profiles/Podman/colorfilters ]
  [ -r /usr/share/wireshark/profiles/Podman/dfilter_buttons ]
}

doctor_finds_no_failure_as_root() {
  run podshark doctor
  expect '^ok +extcap: '
  expect '^ok +plugin: '
  expect '^ok +rootful: you are root'
  refuse '^fail'
}

doctor_finds_no_failure_as_a_member_who_may_capture_rootful() {
  run as member podshark doctor
  expect '^ok +rootful: you may capture rootful containers'
  expect '^ok +subordinate ids: member has ranges'
  [ ! -e /home/member/.local/share/containers ]  # looking must not make storage
}

doctor_tells_a_non_member_how_to_join() {
  run as other podshark doctor
  expect '^warn worker: .*0750 root:wireshark'
  expect 'fix: sudo usermod -aG wireshark other, then log in again'
}

doctor_json_is_json() {
  run as other podshark doctor --json
  python3 -c 'import json, sys
findings = json.load(open(sys.argv[1]))
assert {"topic", "level", "fact", "fix"} == set(findings[0]), findings[0]
assert {f["level"] for f in findings} <= {"ok", "warn", "fail"}' $work/out
}

doctor_tells_what_makes_the_capabilities_void() {
  run as member setpriv --no-new-privs podshark doctor
  expect '^warn rootful: .* this session runs with no_new_privs'
  run setpriv --bounding-set=-sys_admin --reuid=member --regid=member --init-groups \
    env -i HOME=/home/member PATH=/usr/local/bin:/usr/bin:/bin podshark doctor
  expect '^warn rootful: .* the bounding set of this session lacks cap_sys_admin'
}

ask_web() { timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3' >/dev/null; }

# Traffic goes on until the capture has what it wants; it ends by itself.
member_captures_a_rootful_container_through_the_worker() {
  local pid i
  run as member podshark capture web --link eth0 --filter 'tcp port 80' -c 4 --duration 30 -w /home/member/m.pcapng &
  pid=$!
  for i in $(seq 300); do
    kill -0 $pid 2>/dev/null || break
    ask_web
    sleep 0.1
  done
  wait $pid
  run as member tshark -r /home/member/m.pcapng -Y tcp.port==80 -T fields -e frame.interface_name
  rm /home/member/m.pcapng
  [ "$(grep -c 'podman-root:web/eth0' $work/out)" -ge 4 ]
}

non_member_is_told_how_to_capture_a_rootful_container() {
  local status=0
  run as other podshark capture web -w /home/other/o.pcapng || status=$?
  [ $status = 5 ]
  expect 'usermod -aG wireshark'
  rm -f /home/other/o.pcapng
}

dumpcap_for_the_group_only_is_told_by_doctor_and_setup() {
  trap 'chgrp root /usr/bin/dumpcap && chmod 0755 /usr/bin/dumpcap' EXIT
  chgrp wireshark /usr/bin/dumpcap && chmod 0750 /usr/bin/dumpcap
  local status=0
  run as other podshark doctor || status=$?
  [ $status = 5 ]
  expect '^fail dumpcap: .*0750 root:wireshark: Wireshark cannot capture at all as you, also not through extcap'
  SUDO_USER=other install_system
  expect 'Wireshark cannot capture at all as other, also not through extcap, because /usr/bin/dumpcap is 0750'
}

# The file that a demo wrote can be read by anybody's Wireshark, and carries the names.
demo_file_names_the_container() {
  run tshark -r "$1" -Y http -T fields -e podman.src.name -e podman.dst.name
  expect 'podshark-demo'
}

demo_shows_packets_with_names_and_leaves_only_its_file() {
  mkdir -p $work/cwd && cd $work/cwd
  install_system --demo
  expect "container 'podshark-demo' runs, its port 80 is published as 127.0.0.1:[0-9]+"
  expect 'podshark-demo:80 .*/\?request=3'
  refuse 'private mount namespace'
  [ "$(ls)" = demo.pcapng ]
  demo_file_names_the_container demo.pcapng
  [ -z "$(podman ps -aq --filter name=podshark-demo)" ]
  fails podman image exists localhost/podshark-demo:1
}

demo_makes_its_own_namespaces_where_podman_can_not_start() {
  mkdir -p $work/cwd2 && cd $work/cwd2
  find /sys/fs/cgroup -type d | sort >$work/groups
  ip -br link >$work/links
  # Without the rig's limits crun fails here; 4.3.1 could choose CNI without this line.
  printf '[network]\nnetwork_backend = "netavark"\n' >$work/plain.conf
  run env CONTAINERS_CONF=$work/plain.conf "$top/install/demo.sh"
  expect 'podman cannot start containers here directly \(.+\): using a private mount namespace'
  expect 'podshark-demo:80 .*/\?request=3'
  demo_file_names_the_container demo.pcapng
  find /sys/fs/cgroup -type d | sort | diff $work/groups -
  [ -z "$(podman ps -aq --filter name=podshark-demo)" ]
  ip -br link | diff $work/links -
}

installed_state() { sed -n 's/^f //p' /usr/local/share/podshark/manifest | sort |
  while read -r f; do stat -c '%n %a %U:%G %F' "$f"; sha256sum "$f"; getcap "$f"; done; }

second_system_install_changes_nothing() {
  installed_state >$work/first
  files >$work/first-files
  install_system
  installed_state | diff $work/first -
  files | diff $work/first-files -
}

user_install_beside_the_system_one_is_refused() {
  fails run as rig "$setup" --user
  expect 'error: Podshark is already installed for everybody'
}

uninstall_leaves_no_file() {
  run "$setup" --uninstall
  expect "and so does the group 'wireshark'"
  files | diff $work/clean -
  getent group wireshark
}

uninstall_twice_is_no_error() {
  run "$setup" --uninstall
  expect 'nothing to remove'
}

user_install_needs_no_root_and_captures() {
  files >$work/clean
  mkdir -p $work/cwd3 && chown rig: $work/cwd3 && cd $work/cwd3
  run as rig "$setup" --user --demo
  expect 'podshark-demo:80 .*/\?request=3'
  [ "$(stat -c %U demo.pcapng)" = rig ]
  cmp "$top/install/org.podshark.Podshark.metainfo.xml" /home/rig/.local/share/metainfo/org.podshark.Podshark.metainfo.xml
  run as rig tshark -D
  expect 'podman:own \('
  run as rig /home/rig/.local/bin/podshark doctor
  expect '^ok +plugin: /home/rig/'
  expect '^warn rootful: rootful containers are out of your reach'
}

a_changed_personal_profile_stays_as_it_is() {
  local profile=/home/rig/.config/wireshark/profiles/Podman
  show_example_in_profile rig
  cp -p $profile/preferences $work/preferences
  echo '# mine' >>$profile/preferences
  run as rig "$setup" --user
  expect "note: $profile/preferences has been changed and stays"
  [ "$(tail -n 1 $profile/preferences)" = '# mine' ]
  cp -p $work/preferences $profile/preferences
  echo '# written by Wireshark' >>$profile/recent
}

system_install_tells_about_the_personal_copy() {
  SUDO_USER=rig install_system
  expect 'note: /home/rig/.*podshark.* is a personal copy, and Wireshark complains about two'
  run "$setup" --uninstall
}

user_uninstall_leaves_no_file() {
  run as rig "$setup" --user --uninstall
  files | diff $work/clean -
}
