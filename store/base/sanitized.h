/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_SANITIZED_H
#define CMAN_STORE_BASE_SANITIZED_H

/*
 * SANITIZED is 1 in a build with AddressSanitizer, else 0: it has to see every block of memory by
 * itself, and makes system calls and mappings of its own.
 */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/*
 * Of a function of a child in our memory: the sanitizer takes both for one thread, and would give
 * them the same places for their variables.
 */
#if SANITIZED
#define NOT_SANITIZED __attribute__((no_sanitize_address))
#else
#define NOT_SANITIZED
#endif

#endif
