/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the others when the payload has ended: --grace. */
#ifndef CTINIT_LINGER_H
#define CTINIT_LINGER_H

/*
 * Asks all other processes to end (SIGTERM, and SIGCONT for those that are stopped), reaps them for
 * up to grace_ms milliseconds, then kills the rest and reaps for another second at most. As PID 1
 * that concerns the whole container; elsewhere our children, which for a subreaper includes every
 * descendant whose parent has ended. Signals that arrive meanwhile are dropped: the payload that
 * they were meant for has ended.
 */
void linger(int grace_ms);

#endif
