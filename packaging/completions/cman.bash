# SPDX-License-Identifier: Apache-2.0
# bash completion for cman. What can follow is asked of cman itself, so that this never grows old.

_cman() {
	local line word before=''
	local -a words

	# By blanks only: COMP_WORDS is split at the colons of names and at "=", too.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} != *[[:blank:]] ]] || words+=('')
	word=${words[-1]}
	# readline puts what it is given behind the last colon or "=".
	if [[ $word == *[:=]* ]]; then
		before=${word%"${word##*[:=]}"}
	fi
	COMPREPLY=()
	while IFS= read -r line; do
		line=${line%%$'\t'*}
		COMPREPLY+=("${line#"$before"}")
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
	# After "name=" goes a value, not a blank. Nothing found stands for a file (-o default).
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:,] ]]; then
		compopt -o nospace
	fi
}

complete -o default -F _cman cman
