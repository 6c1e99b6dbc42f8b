#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs Podshark where this machine's Wireshark looks for it, or removes it again. See README.md here.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
source_dir=${here%/*}
# shellcheck source=lib/say.sh
. "$here/lib/say.sh"
# shellcheck source=lib/system.sh
. "$here/lib/system.sh"
# shellcheck source=lib/wireshark.sh
. "$here/lib/wireshark.sh"
# shellcheck source=lib/files.sh
. "$here/lib/files.sh"

scope=system demo=no action=install deps=yes

usage() {
  cat <<'TEXT'
usage: sudo install/setup.sh [--demo] [--no-deps]   install for everybody
       install/setup.sh --user [--demo]             install for yourself, without root: captures your own containers
       [sudo] install/setup.sh [--user] --uninstall remove every file that was installed

  --demo       afterwards prove it: start a small container, capture it with tshark, write ./demo.pcapng
  --no-deps    do not install missing Debian packages, only name them
  --user       into ~/.local (and where your Wireshark looks for personal extcaps and plugins)
  --uninstall  what an earlier run installed; packages and the group 'wireshark' stay
TEXT
}

parse_arguments() {
  local argument
  for argument; do
    case $argument in
      --demo) demo=yes ;;
      --no-deps) deps=no ;;
      --user) scope=user deps=no ;;
      --uninstall) action=uninstall ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; die "unknown option $argument" ;;
    esac
  done
}

check_caller() {
  if [ $scope = system ] && [ "$(id -u)" != 0 ]; then
    die "installing for everybody needs root: run 'sudo $0', or '$0 --user' to install for yourself only"
  fi
  if [ $scope = user ] && [ "$(id -u)" = 0 ]; then
    die "--user is for ordinary users (Wireshark ignores personal plugins of root): run it without sudo"
  fi
}

choose_places() {
  if [ $scope = system ]; then prefix=/usr/local; else prefix=$HOME/.local; fi
  # Root's objects would be in the way of a later build by the owner of the tree, so each has its own.
  build_dir=${PODSHARK_BUILD_DIR:-$source_dir/build/install-$scope}
  manifest=$prefix/share/podshark/manifest
}

build() {
  say "building in $build_dir"
  local log=$build_dir/setup.log
  { mkdir -p "$build_dir" && : >"$log"; } || die "cannot write $build_dir"
  if ! { cmake -S "$source_dir" -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DPODSHARK_TESTS=OFF -DPODSHARK_BENCH=OFF -DCMAKE_INSTALL_PREFIX="$prefix" &&
    cmake --build "$build_dir" && stage; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "the build failed; all of its output is in $log"
  fi
}

# Lets cmake's own install rules say what there is; it is then put in place file by file, by rename.
stage() {
  rm -rf "$build_dir/stage"
  DESTDIR=$build_dir/stage cmake --install "$build_dir" --strip
}

# The tree belongs to whoever called sudo; what we made in it should too.
give_back_build() {
  case $build_dir in
    "$source_dir"/build/*)
      chown --reference="$source_dir" "$source_dir/build" && chown -R --reference="$source_dir" "$build_dir" ;;
  esac
}

place_files() {
  local file
  begin_manifest
  while IFS= read -r file; do place "$file"; done < <(find "$build_dir/stage" -type f | sort)
  for file in "${extcap_dirs[@]}"; do put_link "$prefix/bin/podshark" "$file/podshark"; done
  end_manifest
}

place() {
  local file=$1 below
  case $file in
    */podshark-worker | */podshark-drops) put_helper "$file" "$prefix/libexec/podshark/${file##*/}" ;;
    */podshark.so) put "$file" "$plugin_dir/podshark.so" 0644 ;;
    */wireshark/profiles/Podman/*) put_profile "$file" "${file##*/}" ;;
    "$build_dir/stage$prefix"/*)
      below=${file#"$build_dir/stage$prefix/"}
      if [ -x "$file" ]; then put "$file" "$prefix/$below" 0755; else put "$file" "$prefix/$below" 0644; fi ;;
    *) die "the build installs $file, and setup.sh does not know where to" ;;
  esac
}

install_all() {
  check_system
  check_packages
  find_folders
  refuse_second_copy
  build
  [ $scope = user ] || give_back_build
  [ $scope = user ] || ensure_group
  place_files
  verify
  tell_about_group
  tell_about_path
  say "installed. In Wireshark, running containers are now in the interface list (F5 refreshes it)."
}

# The installed program judges its own installation; only lines that ask for something are shown.
verify() {
  local report status=0
  report=$("$prefix/bin/podshark" doctor) || status=$?
  grep -vE '^ok ' <<<"$report" >&2 || true
  [ $status = 0 ] || die "'$prefix/bin/podshark doctor' found failures (above)"
}

main() {
  parse_arguments "$@"
  check_caller
  choose_places
  if [ $action = uninstall ]; then
    uninstall_all
  else
    install_all
    [ $demo = no ] || exec "$here/demo.sh"
  fi
}

main "$@"
