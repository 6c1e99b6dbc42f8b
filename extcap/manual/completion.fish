# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for podshark(1).

function __podshark_targets
    @TARGETS@
end

function __podshark_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

complete -c podshark -f
@CASES@
