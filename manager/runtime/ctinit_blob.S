/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ctinit program, as a constant inside cman; see ctinit_blob.h.
 * CTINIT_FILE is the path of the built program, given by the Makefile.
 */
	.section .rodata.ctinit_blob, "a", %progbits
	.balign 16
	.globl ctinit_blob
	.type ctinit_blob, %object
ctinit_blob:
	.incbin CTINIT_FILE
	.globl ctinit_blob_end
	.type ctinit_blob_end, %object
ctinit_blob_end:
	.byte 0
	.size ctinit_blob, ctinit_blob_end - ctinit_blob
	.section .note.GNU-stack, "", %progbits
