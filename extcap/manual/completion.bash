# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for podshark(1).

_podshark_targets() {
  @TARGETS@
}

_podshark() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options='' rest='' kind='' choices=''
  # --option=value is three words here.
  if [ "$word" = "=" ]; then word=''; elif [ "$before" = "=" ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
  COMPREPLY=()
  case $COMP_CWORD:${COMP_WORDS[1]} in
    1:*) kind='words @COMMANDS@ --help --version' ;;
@CASES@
  esac
  if [ -z "$kind" ]; then
    case $word in -*) kind="words $options" ;; *) kind=$rest ;; esac
  fi
  case $kind in
    words*) choices=${kind#words} ;;
    target*) choices="${kind#target} $(_podshark_targets)" ;;
    port) choices=$(_podshark_targets) && compopt -o nospace ;;
    file) compopt -o filenames ;;
  esac
  case $kind in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    port) mapfile -t COMPREPLY < <(compgen -S : -W "$choices" -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word") ;;
  esac
}
complete -F _podshark podshark
