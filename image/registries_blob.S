/* SPDX-License-Identifier: Apache-2.0 */
/* The short names that cman brings along; packaging/registries.d/short-names.json is also installed
 * as a file to copy and change. Assembled with -I of the repository's root. */
	.section .rodata
	.global registries_builtin
	.global registries_builtin_end
	.type registries_builtin, %object
	.type registries_builtin_end, %object
registries_builtin:
	.incbin "packaging/registries.d/short-names.json"
registries_builtin_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
