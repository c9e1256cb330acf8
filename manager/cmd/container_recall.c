/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/container_recall.h"

#include <stdlib.h>
#include <string.h>

#include "manager/cmd/recall.h"
#include "store/base/cleanup.h"
#include "store/base/fd.h"
#include "store/prefix.h"

#define KIND "container"
#define FILES 1024	 /* a script may go round as many containers */
#define MAGIC 0x316e6f63 /* "con1" in memory; another one with each change of the layout */

/* All bytes of a file. */
struct answer {
	uint32_t magic;
	int32_t pid;
	uint64_t start_time;
	char id[CONTAINER_ID_LEN + 1];
	char word[CONTAINER_NAME_MAX + 1]; /* the question */
};

static bool may_be_kept(const char *word)
{
	return strlen(word) < sizeof(((struct answer *)0)->word);
}

static bool is_whole(const struct answer *answer)
{
	return answer->magic == MAGIC && answer->id[CONTAINER_ID_LEN] == '\0' &&
	       prefix_is_one(answer->id, CONTAINER_ID_LEN) &&
	       answer->word[CONTAINER_NAME_MAX] == '\0';
}

bool container_recall(const struct store *store, const char *word, struct container_guess *out)
{
	char name[RECALL_NAME_SIZE];
	AUTO_FREE char *text = NULL;
	struct err missing = ERR_INIT;
	struct answer answer;
	size_t len;

	if (!may_be_kept(word))
		return false;
	recall_name(KIND, FILES, word, strlen(word), name);
	if (fd_read_file(store->run_fd, name, sizeof(answer), &text, &len, &missing) < 0 ||
	    len != sizeof(answer))
		return false;
	memcpy(&answer, text, sizeof(answer));
	if (!is_whole(&answer) || strcmp(answer.word, word) != 0)
		return false;
	memcpy(out->id, answer.id, sizeof(out->id));
	out->pid = answer.pid;
	out->start_time = answer.start_time;
	return true;
}

void container_remember(const struct store *store, const char *word,
			const struct container_record *record)
{
	struct answer answer = {
		.magic = MAGIC,
		.pid = record->pid,
		.start_time = record->pid_start_time,
	};
	char name[RECALL_NAME_SIZE];
	struct err ignored = ERR_INIT;

	if (!may_be_kept(word))
		return;
	memcpy(answer.id, record->id, sizeof(answer.id));
	strcpy(answer.word, word);
	recall_name(KIND, FILES, word, strlen(word), name);
	(void)fd_replace_file(store->run_fd, name, 0600, &answer, sizeof(answer), false, &ignored);
}

bool container_guess_is_right(const struct container_guess *guess,
			      const struct container_record *record)
{
	return strcmp(guess->id, record->id) == 0 && guess->pid == record->pid &&
	       guess->start_time == record->pid_start_time;
}
