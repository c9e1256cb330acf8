# SPDX-License-Identifier: Apache-2.0
# bash completion for cman. What can follow is asked of cman itself, so that this never grows old.

_cman() {
	local line word=${COMP_WORDS[COMP_CWORD]} candidate

	COMPREPLY=()
	while IFS= read -r line; do
		candidate=${line%%$'\t'*}
		COMPREPLY+=("$candidate")
	done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)
	# What ends in "=" goes on; nothing found stands for a file name (complete -o default).
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace
	fi
	# bash splits words at colons and completes only what follows the last one.
	if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
	fi
}

complete -o default -F _cman cman
