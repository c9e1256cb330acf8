/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog that cman brings along; packaging/catalog.d/published.json is also installed as a
 * file to copy and change. Assembled with -I of the repository's root. */
	.section .rodata
	.global catalog_builtin
	.global catalog_builtin_end
	.type catalog_builtin, %object
	.type catalog_builtin_end, %object
catalog_builtin:
	.incbin "packaging/catalog.d/published.json"
catalog_builtin_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
