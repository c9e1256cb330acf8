# SPDX-License-Identifier: Apache-2.0
# fish completion for cman. What can follow is asked of cman itself, so that this never grows old.

function __cman_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
    if test (count $lines) -gt 0
        printf '%s\n' $lines
    else
        __fish_complete_path "$word"
    end
end

complete -c cman -f -a '(__cman_complete)'
