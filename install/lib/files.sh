# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Puts files in place and remembers each in the manifest, so that exactly these can be removed again.
# A line of the manifest is 'f PATH' (file or link), 'p PATH' (file of the personal profile, which Wireshark writes
# too) or 'd PATH' (directory that was not there before). Uses: here manifest prefix scope (setup.sh) profile_dir
# (wireshark.sh).
# shellcheck disable=SC2154

begin_manifest() {
  old_manifest=
  [ ! -f "$manifest" ] || old_manifest=$(<"$manifest")
  make_directories_unrecorded "${manifest%/*}"
  # The old list stays in force until the new one is complete: an interrupted run can still be undone.
  new_manifest=$(grep '^d ' <<<"$old_manifest" || true)
  remember "${missing_directories[@]/#/d }" "f $manifest"
}

# remember LINE...: first on disk, then done.
remember() {
  local line
  for line; do
    new_manifest+=$'\n'$line
    old_on_disk "$line"
  done
}

old_on_disk() { grep -qxF -- "$1" "$manifest" 2>/dev/null || printf '%s\n' "$1" >>"$manifest"; }

# Removes what an earlier version installed and this one does not.
end_manifest() {
  local path
  while read -r path; do
    grep -qxF -- "p $path" <<<"$new_manifest" || remove_unchanged "$path"
  done < <(sed -n 's/^p //p' <<<"$old_manifest")
  while read -r path; do
    grep -qxF -- "f $path" <<<"$new_manifest" || rm -f -- "$path"
  done < <(sed -n 's/^f //p' <<<"$old_manifest")
  sed '/^$/d' <<<"$new_manifest" | awk '!seen[$0]++' >"$manifest.new"
  mv -f "$manifest.new" "$manifest"
}

# Makes DIR and its parents; those that were not there are in missing_directories, outermost first.
make_directories_unrecorded() {
  local dir=$1
  missing_directories=()
  while [ -n "$dir" ] && [ ! -d "$dir" ]; do
    missing_directories=("$dir" "${missing_directories[@]}")
    dir=${dir%/*}
  done
  # Others have to reach what is installed for everybody, whatever root's umask is.
  (umask 022 && mkdir -p -- "$1") || die "cannot make the directory $1"
}

make_directory() {
  make_directories_unrecorded "$1"
  remember "${missing_directories[@]/#/d }"
}

# put FROM TO MODE [GROUP [CAPABILITIES]]
put() {
  local to=$2
  make_directory "${to%/*}"
  remember "f $to"
  replace "$@"
}

# replace FROM TO MODE …: through a new file and a rename, so that a running Wireshark keeps its old one.
replace() {
  local from=$1 to=$2 mode=$3 group=${4:-}
  rm -f -- "$to.new"
  install -m "$mode" ${group:+-o root -g "$group"} -- "$from" "$to.new" || die "cannot write $to"
  [ -z "${5:-}" ] || setcap "$5" "$to.new" || die "cannot set file capabilities on $to: does its file system allow them?"
  mv -f -- "$to.new" "$to" || die "cannot write $to"
}

# A helper with what capabilities.txt permits it; a user's own containers need none.
put_helper() {
  if [ "$scope" = user ]; then
    put "$1" "$2" 0755
  else
    put "$1" "$2" 0750 wireshark "$(sed -n "s/^${1##*/} //p" "$here/capabilities.txt")"
  fi
}

# put_profile FROM NAME: a personal profile belongs to its user, whose changes stay; what we put there is kept beside
# the manifest, to tell them.
put_profile() {
  local from=$1 to=$profile_dir/$2 ours
  if [ "$scope" = system ]; then put "$from" "$to" 0644; return; fi
  ours=$(our_copy "$2")
  if [ -e "$to" ] && ! cmp -s -- "$to" "$from" && ! cmp -s -- "$to" "$ours"; then
    ! grep -qxF -- "p $to" <<<"$old_manifest" || remember "p $to"
    [ "$2" = recent ] || note "$to has been changed and stays; to have the new one, remove it and run this again"
  else
    make_directory "$profile_dir"
    remember "p $to"
    replace "$from" "$to" 0644
  fi
  put "$from" "$ours" 0644
}

our_copy() { echo "$prefix/share/podshark/profile/$1"; }

put_link() {
  make_directory "${2%/*}"
  remember "f $2"
  { ln -sfn -- "$1" "$2.new" && mv -fT -- "$2.new" "$2"; } || die "cannot link $2"
}

uninstall_all() {
  [ -f "$manifest" ] || { say "nothing to remove: there is no $manifest"; return 0; }
  local kind path failed=no directories=()
  while read -r path; do remove_unchanged "$path"; done < <(sed -n 's/^p //p' "$manifest")
  while read -r kind path; do
    case $kind:$path in
      f:"$manifest") ;;
      f:/*) rm -f -- "$path" || failed=yes ;;
      d:/*) directories=("$path" "${directories[@]}") ;;
    esac
  done <"$manifest"
  [ $failed = no ] || die "some files could not be removed (above); $manifest still lists them"
  rm -f -- "$manifest"
  remove_empty "${directories[@]}"
  say "removed; Debian packages stay as they are$([ "$scope" = user ] || echo ", and so does the group 'wireshark'")"
}

# 'recent' changes with every use: nothing that anybody would miss.
remove_unchanged() {
  if [ ! -e "$1" ]; then return; fi
  if [ "${1##*/}" = recent ] || cmp -s -- "$1" "$(our_copy "${1##*/}")"; then
    rm -f -- "$1"
  else
    note "$1 has been changed and stays"
  fi
}

remove_empty() {
  local dir
  while IFS= read -r dir; do
    [ -z "$dir" ] || rmdir --ignore-fail-on-non-empty -- "$dir" 2>/dev/null || true
  done < <(printf '%s\n' "$@" | sort -r)
}
