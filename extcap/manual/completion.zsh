#compdef podshark
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for podshark(1).

_podshark_targets() {
  local -a names
  names=(${(f)"$(@TARGETS@)"})
  compadd "$@" -a names
}

# What --from takes.
_podshark_hosts_and_targets() {
  compadd host
  _podshark_targets "$@"
}

_podshark() {
  local -a commands=(
@COMMANDS@
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
@CASES@
  esac
}

_podshark "$@"
