# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Where this Wireshark looks for extcaps and plugins; tshark's own answer is the truth. Uses: scope (setup.sh).
# shellcheck disable=SC2154

# Variables that move a directory for one session must not decide where to install.
tshark_folders() { env -u WIRESHARK_EXTCAP_DIR -u WIRESHARK_PLUGIN_DIR tshark -G folders 2>/dev/null; }

# folder TEXT NAME: its directory, empty when this version does not name it.
folder() { sed -n "s/^$2:[[:space:]]*//p" <<<"$1" | head -n 1; }

# Sets extcap_dirs (array), plugin_dir and profile_dir for the scope.
find_folders() {
  local text
  text=$(tshark_folders) || die "'tshark -G folders' failed, so it is unknown where Wireshark looks for extcaps"
  if [ "$scope" = system ]; then global_folders "$text"; else personal_folders "$text"; fi
  if [ -z "${extcap_dirs[0]}" ] || [ -z "${plugin_dir%/epan}" ] || [ -z "${profile_dir%/profiles/Podman}" ]; then
    die "'tshark -G folders' names no extcap, plugin or configuration directory"
  fi
}

global_folders() {
  local other
  extcap_dirs=("$(folder "$1" 'Global Extcap path')")
  [ -n "${extcap_dirs[0]}" ] || extcap_dirs=("$(folder "$1" 'Extcap path')")  # 4.0
  plugin_dir=$(folder "$1" 'Global Plugins')/epan
  profile_dir=$(folder "$1" 'Global configuration')/profiles/Podman
  # 4.6 moved it; a link in the other place as well survives an upgrade of Wireshark.
  for other in /usr/lib/*/wireshark/extcap /usr/libexec/wireshark/extcap; do
    if [ -d "$other" ] && [ "$other" != "${extcap_dirs[0]}" ]; then extcap_dirs+=("$other"); fi
  done
}

personal_folders() {
  extcap_dirs=("$(folder "$1" 'Personal Extcap path')")
  if [ -z "${extcap_dirs[0]}" ]; then extcap_dirs=("$(folder "$1" 'Personal configuration')/extcap"); fi  # 4.0
  plugin_dir=$(folder "$1" 'Personal Plugins')/epan
  profile_dir=$(folder "$1" 'Personal configuration')/profiles/Podman
}

# Two copies of the plugin are a dialog at every start of Wireshark.
refuse_second_copy() {
  if [ "$scope" = user ]; then
    local system
    system=$(find /usr/lib /usr/libexec -path '*/wireshark/*' \( -name podshark -o -name podshark.so \) 2>/dev/null | head -n 1)
    [ -z "$system" ] || die "Podshark is already installed for everybody ($system), and Wireshark complains about" \
      "two copies: 'sudo $here/setup.sh --uninstall' first"
  else
    [ "$(package_status podshark)" != installed ] || die "the Debian package podshark is installed: 'sudo apt remove podshark' first"
    tell_about_personal_copies
  fi
}

tell_about_personal_copies() {
  local home copy
  home=$(getent passwd "$(person)" | cut -d: -f6)
  for copy in "$home"/.config/wireshark/extcap/podshark "$home"/.local/lib/wireshark/extcap/podshark \
    "$home"/.local/lib/wireshark/plugins/*/epan/podshark.so; do
    [ ! -e "$copy" ] || note "$copy is a personal copy, and Wireshark complains about two:" \
      "run 'install/setup.sh --user --uninstall' as $(person), or rm it"
  done
}
