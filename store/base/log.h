/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_LOG_H
#define CMAN_STORE_BASE_LOG_H

/*
 * The trace that `--log-level debug` writes to stderr, and warnings. Not for errors: those travel
 * as struct err. The level is the program's one mutable global.
 */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* One line to stderr, "cman: warning: …" / "cman: debug: …", escaped, in one write(2). */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)                                     \
	do {                                               \
		if (log_get_level() >= LOG_DEBUG)          \
			log_write(LOG_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_warn(...)                                     \
	do {                                              \
		if (log_get_level() >= LOG_WARN)          \
			log_write(LOG_WARN, __VA_ARGS__); \
	} while (0)

#endif
