/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/exec_recall.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/fd.h"
#include "store/base/fnv.h"
#include "store/base/strv.h"
#include "store/base/texts.h"

#define FILE_NAME "exec.cache"
#define MAGIC 0x31637865	  /* "exc1" in memory; another one with each change of the layout */
#define FILE_MAX_BYTES (4u << 20) /* a spec's */
#define TICK_NS NS_PER_S	  /* more than any file system's that has what cman needs */

/* One state of spec.json. */
struct file_state {
	uint64_t dev, ino;
	int64_t size, changed_ns, modified_ns;
};

/* Followed by the groups, the limits, and the texts of write_texts(). No padding: it is hashed. */
struct head {
	uint64_t magic;
	uint64_t hash; /* of all that follows, and of the cman that has read the spec */
	struct file_state file;
	struct spec_capabilities capabilities;
	uint64_t nadditional_gids, nrlimits, nenv, ngroups;
	uint32_t uid, gid, umask, namespaces;
	int32_t oom_score_adj;
	uint8_t has_oom_score_adj, no_new_privileges, seccomp_default, zero;
};

#define HASHED_FROM offsetof(struct head, file)

static struct file_state state_of(const struct stat *file)
{
	return (struct file_state){
		.dev = file->st_dev,
		.ino = file->st_ino,
		.size = file->st_size,
		.changed_ns = clock_ns(file->st_ctim),
		.modified_ns = clock_ns(file->st_mtim),
	};
}

/* Another version may read the same spec in another way. */
static uint64_t hash_of(const char *bytes, size_t len)
{
	uint64_t hash = fnv_add(FNV_INIT, CMAN_VERSION, sizeof(CMAN_VERSION));

	return fnv_add(hash, bytes + HASHED_FROM, len - HASHED_FROM);
}

/* --- to keep it --- */

static void write_texts(struct buf *buf, const struct spec *spec)
{
	const struct spec_process *process = &spec->process;

	texts_add_all(buf, process->env);
	texts_add_all(buf, process->user.groups);
	texts_add(buf, process->user.lookup);
	texts_add(buf, process->cwd);
	texts_add(buf, spec->cgroups_path);
	texts_add(buf, spec->seccomp);
}

/*
 * It has no name before it is whole: nobody would ever remove what a kill leaves here. Where a file
 * system knows no such files nothing is kept, and the next exec parses again.
 */
static void keep(int dir_fd, const char *bytes, size_t len)
{
	AUTO_CLOSE int fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char path[32];

	if (fd < 0 || fd_write_all(fd, bytes, len) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)unlinkat(dir_fd, FILE_NAME, 0);
	(void)linkat(AT_FDCWD, path, dir_fd, FILE_NAME, AT_SYMLINK_FOLLOW);
}

void exec_remember(int dir_fd, const struct stat *file, const struct spec *spec)
{
	const struct spec_process *process = &spec->process;
	const struct spec_user *user = &process->user;
	AUTO_BUF struct buf buf = BUF_INIT;
	struct head head = {
		.magic = MAGIC,
		.file = state_of(file),
		.capabilities = process->capabilities,
		.nadditional_gids = user->nadditional_gids,
		.nrlimits = process->nrlimits,
		.nenv = strv_len(process->env),
		.ngroups = strv_len(user->groups),
		.uid = user->uid,
		.gid = user->gid,
		.umask = user->umask,
		.namespaces = spec->namespaces,
		.oom_score_adj = process->oom_score_adj,
		.has_oom_score_adj = process->has_oom_score_adj,
		.no_new_privileges = process->no_new_privileges,
		.seccomp_default = spec->seccomp_default,
	};

	/* A clock that was set back tells nothing, either. */
	if (clock_now_ns() - head.file.changed_ns < TICK_NS)
		return;
	buf_add(&buf, &head, sizeof(head));
	buf_add(&buf, user->additional_gids,
		user->nadditional_gids * sizeof(user->additional_gids[0]));
	buf_add(&buf, process->rlimits, process->nrlimits * sizeof(process->rlimits[0]));
	write_texts(&buf, spec);
	if (buf_failed(&buf))
		return;
	head.hash = hash_of(buf.data, buf.len);
	memcpy(buf.data, &head, sizeof(head));
	keep(dir_fd, buf.data, buf.len);
}

/* --- to have it back --- */

/* Whether these bytes are what was once kept, and of this file. */
static bool is_whole(const char *text, size_t len, const struct stat *file, struct head *head)
{
	const struct file_state expected = state_of(file);

	if (len < sizeof(*head))
		return false;
	memcpy(head, text, sizeof(*head));
	return head->magic == MAGIC && memcmp(&head->file, &expected, sizeof(expected)) == 0 &&
	       head->hash == hash_of(text, len);
}

/* `n` items of `size` bytes in a copy of its own. 0 or -1. */
static int take_items(struct texts *texts, size_t n, size_t size, void **out)
{
	if (n > (size_t)(texts->end - texts->at) / size)
		return -1;
	if (n == 0)
		return 0;
	*out = malloc(n * size);
	if (!*out)
		return -1;
	memcpy(*out, texts->at, n * size);
	texts->at += n * size;
	return 0;
}

static int take_lists(struct texts *texts, const struct head *head, struct spec_process *process)
{
	struct spec_user *user = &process->user;
	void *gids = NULL, *rlimits = NULL;

	if (take_items(texts, head->nadditional_gids, sizeof(user->additional_gids[0]), &gids) < 0)
		return -1;
	user->additional_gids = gids;
	user->nadditional_gids = head->nadditional_gids;
	if (take_items(texts, head->nrlimits, sizeof(process->rlimits[0]), &rlimits) < 0)
		return -1;
	process->rlimits = rlimits;
	process->nrlimits = head->nrlimits;
	return 0;
}

static int take_texts(struct texts *texts, const struct head *head, struct spec *spec)
{
	struct spec_process *process = &spec->process;

	return texts_take_all(texts, head->nenv, &process->env) < 0 ||
			       texts_take_all(texts, head->ngroups, &process->user.groups) < 0 ||
			       texts_take(texts, &process->user.lookup) < 0 ||
			       texts_take(texts, &process->cwd) < 0 ||
			       texts_take(texts, &spec->cgroups_path) < 0 ||
			       texts_take(texts, &spec->seccomp) < 0 ?
		       -1 :
		       0;
}

bool exec_recall(int dir_fd, const struct stat *file, struct spec *out)
{
	AUTO_FREE char *text = NULL;
	AUTO_SPEC struct spec spec = SPEC_INIT;
	struct spec_process *process = &spec.process;
	struct err missing = ERR_INIT;
	struct texts texts;
	struct head head;
	size_t len;

	if (fd_read_file(dir_fd, FILE_NAME, FILE_MAX_BYTES, &text, &len, &missing) < 0 ||
	    !is_whole(text, len, file, &head))
		return false;
	texts = (struct texts){ text + sizeof(head), text + len };
	if (take_lists(&texts, &head, process) < 0 || take_texts(&texts, &head, &spec) < 0)
		return false;
	process->capabilities = head.capabilities;
	process->user.uid = head.uid;
	process->user.gid = head.gid;
	process->user.umask = head.umask;
	process->has_oom_score_adj = head.has_oom_score_adj;
	process->oom_score_adj = head.oom_score_adj;
	process->no_new_privileges = head.no_new_privileges;
	spec.namespaces = head.namespaces;
	spec.seccomp_default = head.seccomp_default;
	*out = spec;
	spec = (struct spec)SPEC_INIT;
	return true;
}
