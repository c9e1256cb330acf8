/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as the value of an option, as a signal's name, as a filter and as a record's command: a
 * value that is taken is in its range, one that is refused is named and leaves the result alone.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "manager/cmd/filter.h"
#include "manager/cmd/options.h"
#include "manager/cmd/status.h"
#include "manager/signals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cmd_option option = { 0, "x", "X", "" };

typedef int read_value(const struct cmd_option *, const char *, int64_t *, struct err *);

static int read_int(const struct cmd_option *o, const char *value, int64_t *out, struct err *err)
{
	return option_int(o, value, 0, INT64_MAX, out, err);
}

static void try_value(read_value *read, const char *text)
{
	struct err err = ERR_INIT;
	int64_t out = -7;

	if (read(&option, text, &out, &err) == 0)
		assert(out >= 0);
	else
		assert(out == -7 && err.kind == ERR_USAGE && strncmp(err.text, "--x: ", 5) == 0);
}

static void try_filter(const char *text)
{
	AUTO_FILTERS struct filters filters = FILTERS_INIT;
	struct container_record record = { .id = "beef", .name = (char *)"bird" };
	struct err err = ERR_INIT;

	if (filters_add(&filters, text, &err) == 0)
		(void)filters_match(&filters, &record);
	else
		assert(err.text[0] && filters.n == 0);
}

static void try_signal(const char *text)
{
	char name[SIGNAL_NAME_MAX];
	int signal = signal_from_name(text);

	assert(signal < 0 || (signal >= 1 && signal <= SIGNAL_MAX));
	if (signal > 0)
		assert(signal_from_name(signal_name(signal, name)) == signal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf command = BUF_INIT;
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_value(option_size, text);
	try_value(option_duration, text);
	try_value(read_int, text);
	try_signal(text);
	try_filter(text);
	status_add_command(&command, text);
	assert(!buf_failed(&command));
	free(text);
	return 0;
}
