/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a document of the stage cman-parse; the first byte says which. What the stage makes
 * of it passes the check of its parent. With a first byte of 128 and more the bytes are what a
 * stage that was taken over might answer.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/parse.h"
#include "image/parse_documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(enum parse_document document, const uint8_t *data, size_t size)
{
	static const char *const types[] = { "", MEDIA_OCI_INDEX, MEDIA_DOCKER_MANIFEST };
	AUTO_BUF struct buf elements = BUF_INIT;
	struct parse_answer answer;
	struct err err = ERR_INIT;
	const char *type = types[size % 3];

	memset(&answer, 0, sizeof(answer));
	if (parse_document(document, type, data, size, &answer, &elements, &err) < 0) {
		assert(err.kind != ERR_NONE && err.text[0]);
		return;
	}
	assert(elements.len == (size_t)answer.count * parse_element_size(document, answer.kind));
	assert(parse_answer_check(document, &answer, &err) == 0);
	assert(parse_elements_check(document, &answer, elements.data, &err) == 0);
}

static void check(enum parse_document document, const uint8_t *data, size_t size)
{
	struct parse_answer answer;
	struct err err = ERR_INIT;
	char *elements;
	size_t need;

	if (size < sizeof(answer))
		return;
	memcpy(&answer, data, sizeof(answer));
	size -= sizeof(answer);
	if (parse_answer_check(document, &answer, &err) < 0 || answer.failed)
		return;
	need = (size_t)answer.count * parse_element_size(document, answer.kind);
	elements = calloc(need + 1, 1);
	assert(elements);
	memcpy(elements, data + sizeof(answer), size < need ? size : need);
	(void)!parse_elements_check(document, &answer, elements, &err);
	free(elements);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum parse_document document;

	if (size == 0)
		return 0;
	document = (enum parse_document)(data[0] % 6 + 1);
	if (data[0] < 128)
		parse(document, data + 1, size - 1);
	else
		check(document, data + 1, size - 1);
	return 0;
}
