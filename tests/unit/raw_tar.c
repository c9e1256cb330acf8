/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/raw_tar.h"

#include <stdio.h>
#include <string.h>

void raw_sum(unsigned char *header)
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < RAW_BLOCK; i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
}

unsigned char *raw_header(struct buf *out, const char *name, char type, int64_t size)
{
	static const char zeros[RAW_BLOCK];
	unsigned char *header;

	buf_add(out, zeros, sizeof(zeros));
	header = (unsigned char *)out->data + out->len - RAW_BLOCK;
	memcpy(header, name, strnlen(name, 100));
	strcpy((char *)header + 100, "0000644");
	strcpy((char *)header + 108, "0000000");
	strcpy((char *)header + 116, "0000000");
	snprintf((char *)header + 124, 12, "%011llo", (unsigned long long)size);
	strcpy((char *)header + 136, "00000000001");
	header[156] = (unsigned char)type;
	memcpy(header + 257, "ustar\00000", 8);
	raw_sum(header);
	return header;
}

void raw_data(struct buf *out, const void *data, size_t len)
{
	static const char zeros[RAW_BLOCK];

	buf_add(out, data, len);
	buf_add(out, zeros, (RAW_BLOCK - len % RAW_BLOCK) % RAW_BLOCK);
}

void raw_file(struct buf *out, const char *name, const char *data)
{
	raw_header(out, name, '0', (int64_t)strlen(data));
	raw_data(out, data, strlen(data));
}

void raw_pax_text(struct buf *out, const char *text, size_t len)
{
	raw_header(out, "PaxHeaders/x", 'x', (int64_t)len);
	raw_data(out, text, len);
}

void raw_record(struct buf *out, const char *key, const void *value, size_t len)
{
	size_t total = strlen(key) + len + 3, digits = 1;

	for (size_t power = 10; total + digits >= power; power *= 10)
		digits++;
	buf_addf(out, "%zu %s=", total + digits, key);
	buf_add(out, value, len);
	buf_addch(out, '\n');
}

void raw_pax(struct buf *out, const char *key, const void *value, size_t len)
{
	AUTO_BUF struct buf text = BUF_INIT;

	raw_record(&text, key, value, len);
	raw_pax_text(out, text.data, text.len);
}

void raw_end(struct buf *out)
{
	static const char zeros[2 * RAW_BLOCK];

	buf_add(out, zeros, sizeof(zeros));
}
