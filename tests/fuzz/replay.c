/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a fuzz target's corpus without libFuzzer, so that `make check` runs it with any
 * compiler. The program fuzz_NAME reads tests/fuzz/corpus/NAME/ below the working directory, or
 * the files given as arguments, and reports one TAP line an input. A finding ends the process (the
 * sanitizers abort): the plan printed first makes the rest count as failed.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The most that a corpus file may hold. */
#define INPUT_MAX (16u << 20)

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		err(1, "%s", path);
	uint8_t *buffer = malloc(INPUT_MAX);
	if (!buffer)
		err(1, "malloc");
	size_t size = fread(buffer, 1, INPUT_MAX, file);
	if (ferror(file) || !feof(file))
		errx(1, "%s: cannot read it whole", path);
	fclose(file);

	/* A copy of exactly this size, so that AddressSanitizer sees a read behind its end. */
	uint8_t *input = malloc(size ? size : 1);
	if (!input)
		err(1, "malloc");
	memcpy(input, buffer, size);
	free(buffer);
	LLVMFuzzerTestOneInput(input, size);
	free(input);
}

static void replay_all(char **paths, int count)
{
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		fflush(stdout);
		replay(paths[i]);
		printf("ok %d - %s\n", i + 1, paths[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		replay_all(argv + 1, argc - 1);
		return 0;
	}

	const char *name = strrchr(argv[0], '/');
	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) != 0)
		errx(1, "%s: the name does not begin with fuzz_", name);

	char directory[256];
	snprintf(directory, sizeof(directory), "tests/fuzz/corpus/%s", name + 5);
	struct dirent **entries;
	int count = scandir(directory, &entries, is_input, alphasort);
	if (count < 0)
		err(1, "%s", directory);
	if (count == 0)
		errx(1, "%s: the corpus is empty", directory);

	char **paths = calloc((size_t)count, sizeof(*paths));
	if (!paths)
		err(1, "calloc");
	for (int i = 0; i < count; i++) {
		if (asprintf(&paths[i], "%s/%s", directory, entries[i]->d_name) < 0)
			err(1, "asprintf");
		free(entries[i]);
	}
	free(entries);
	replay_all(paths, count);
	for (int i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	return 0;
}
