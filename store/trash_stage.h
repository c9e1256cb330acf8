/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_TRASH_STAGE_H
#define CMAN_STORE_TRASH_STAGE_H

struct store;

/*
 * Remove what layer_draft_leave() has left, in a process of its own (the stage cman-sweep, with
 * tmp/ as descriptor 3), which goes on when the caller ends: somebody has pressed ctrl-c and wants
 * the prompt back. Small trees are gone when this returns, and it never takes longer than a moment.
 * What the stage does not get done a later sweep does.
 */
void trash_remove_aside(struct store *store);

int trash_stage_main(void);

#endif
