/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_BASE_CLEANUP_H
#define CMAN_STORE_BASE_CLEANUP_H

/*
 * Attributes that release what a variable holds when it goes out of scope. All keep errno. A value
 * that is handed on is stolen first: `*out = STEAL_FD(fd);`, `*out = STEAL_PTR(text);`.
 * cleanup_close() is for those of a struct, too: it leaves -1, and does nothing to that.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void cleanup_fclose(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

static inline void cleanup_closedir(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))
#define AUTO_FCLOSE __attribute__((cleanup(cleanup_fclose)))
#define AUTO_CLOSEDIR __attribute__((cleanup(cleanup_closedir)))

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define STEAL_FD(fd) steal_fd(&(fd))
#define STEAL_PTR(p)                          \
	__extension__({                       \
		__typeof__(p) taken_p_ = (p); \
		(p) = NULL;                   \
		taken_p_;                     \
	})

#endif
