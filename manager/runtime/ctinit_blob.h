/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_MANAGER_RUNTIME_CTINIT_BLOB_H
#define CMAN_MANAGER_RUNTIME_CTINIT_BLOB_H

/*
 * The static ctinit program that was built beside this cman: an ELF file of
 * ctinit_blob_end - ctinit_blob bytes, never 0, in read-only memory.
 */
extern const unsigned char ctinit_blob[];
extern const unsigned char ctinit_blob_end[];

#endif
