# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Which system this is, and its packages. Uses: here deps scope (setup.sh), prefix.
# shellcheck disable=SC2154

# A value of os-release(5), without running the file.
os_release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d "\"'" | head -n 1; }

check_system() {
  local id like version name
  id=$(os_release ID) like=$(os_release ID_LIKE) version=$(os_release VERSION_ID) name=$(os_release PRETTY_NAME)
  name=${name:-an unknown system}
  case $id:$version in
    debian:12 | debian:13 | debian:) return 0 ;;  # testing and sid have no VERSION_ID
    debian:[1-9] | debian:10 | debian:11) die "$name is too old: Podshark needs Debian 12 or later" ;;
    debian:*) note "$name is newer than what Podshark was tried on (Debian 12, 13, sid)"; return 0 ;;
  esac
  case " $like $id " in
    *" debian "* | *" ubuntu "*) note "$name is not Debian itself; going on, as it is derived from it" ;;
    *) die "$name is not supported: this script knows Debian 12, 13 and sid, and what is derived from them" ;;
  esac
}

# Names in the lists, comments and blank lines aside.
listed_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here"/packages-{build,run}.txt; }

package_status() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true; }

missing_packages() {
  local package
  for package in $(listed_packages); do
    [ "$(package_status "$package")" = installed ] || echo "$package"
  done
}

check_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$deps" = no ]; then
    die "these packages are missing: sudo apt-get install ${missing[*]}"
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || die "'apt-get update' failed: is there a network, are the sources right?"
  apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" >/dev/null ||
    die "apt-get could not install the packages (its message is above)"
}

# Debian's wireshark-common makes this group only when asked to (dpkg-reconfigure); the worker needs it.
ensure_group() {
  getent group wireshark >/dev/null || groupadd --system wireshark || die "could not make the group 'wireshark'"
}

# The person who will use it: the one behind sudo, else the caller.
person() { if [ -n "${SUDO_USER:-}" ]; then echo "$SUDO_USER"; else id -un; fi; }

in_group() { id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qx "$2"; }

tell_about_group() {
  local who dumpcap
  who=$(person)
  dumpcap=$(command -v dumpcap) || return 0
  if [ "$who" = root ]; then return 0; fi
  if in_group "$who" wireshark; then return 0; fi
  if [ "$(stat -c %G "$dumpcap")" = wireshark ] && [ $(($(stat -c 0%a "$dumpcap") & 1)) = 0 ]; then
    note "Wireshark cannot capture at all as $who, also not through extcap, because $dumpcap is" \
      "$(stat -c '0%a %U:%G' "$dumpcap"): sudo usermod -aG wireshark $who, and log in again"
  elif [ "$scope" = system ]; then
    note "$who can capture own containers now; for rootful ones: sudo usermod -aG wireshark $who, and log in again"
  fi
}

tell_about_path() {
  case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) note "$prefix/bin is not in your PATH; Wireshark does not need it, the command line does" ;;
  esac
}
