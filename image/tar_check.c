/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/tar_pax.h"

/* Offsets and lengths of a header's fields. */
#define MODE 100, 8
#define UID 108, 8
#define GID 116, 8
#define SIZE 124, 12
#define MTIME 136, 12
#define CHECKSUM 148, 8
#define DEVMAJOR 329, 8
#define DEVMINOR 337, 8
#define CHECKSUM_AT 148
#define CHECKSUM_LEN 8
#define TYPE_AT 156
#define LINK_AT 157
/* GNU's old sparse files: whether a block of the map follows a header, or another such block. */
#define HEADER_EXTENDED_AT 482
#define MAP_EXTENDED_AT 504
#define PIECES_IN_HEADER 4
#define PIECES_IN_MAP 21

enum {
	AT_HEADER,
	IN_DATA,
	IN_PAX,
	IN_MAP,
	AT_END, /* behind the marker */
};

void tar_check_init(struct tar_check *check, const struct tar_check_limits *limits)
{
	memset(check, 0, sizeof(*check));
	check->limits = *limits;
	check->state = AT_HEADER;
	check->pax_size = -1;
}

void tar_entry_release(struct tar_entry *entry)
{
	free(entry->link);
	entry->link = NULL;
}

void tar_check_release(struct tar_check *check)
{
	for (size_t i = 0; i < check->queued; i++)
		tar_entry_release(&check->queue[(check->first + i) % TAR_QUEUE]);
	buf_release(&check->text);
	buf_release(&check->link);
}

static int refuse(const struct tar_check *check, struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, EBADMSG, "the archive is corrupt (%s before byte %lld)",
		       what, (long long)check->position);
}

static int exceeds(struct err *err, const char *what, int64_t limit)
{
	return err_set(err, ERR_INVALID, EFBIG, "%s than the limit of %lld bytes", what,
		       (long long)limit);
}

static int64_t padded(int64_t len)
{
	return (len + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

/* --- pax records --- */

static bool key_is(const struct tar_record *record, const char *key)
{
	return record->key_len == strlen(key) && memcmp(record->key, key, record->key_len) == 0;
}

static bool key_begins(const struct tar_record *record, const char *prefix)
{
	return record->key_len >= strlen(prefix) &&
	       memcmp(record->key, prefix, strlen(prefix)) == 0;
}

static bool is_text(const struct tar_record *record)
{
	return key_is(record, "path") || key_is(record, "linkpath") ||
	       key_is(record, "GNU.sparse.name") || key_is(record, "uname") ||
	       key_is(record, "gname");
}

static int look_at_record(struct tar_check *check, const struct tar_record *record,
			  int64_t *xattr_bytes, struct err *err)
{
	bool valid = true;
	int64_t number;

	if (is_text(record)) {
		if ((int64_t)record->value_len > check->limits.path_bytes)
			return exceeds(err, "a name is longer", check->limits.path_bytes);
		valid = !memchr(record->value, '\0', record->value_len);
		if (key_is(record, "linkpath")) {
			buf_reset(&check->link);
			buf_add(&check->link, record->value, record->value_len);
		}
	} else if (key_begins(record, "SCHILY.xattr.") || key_begins(record, "LIBARCHIVE.xattr.")) {
		*xattr_bytes += (int64_t)(record->key_len + record->value_len);
		if (*xattr_bytes > check->limits.xattr_bytes)
			return exceeds(err, "an entry has more extended attributes",
				       check->limits.xattr_bytes);
	} else if (record->value_len == 0) {
		return 0; /* takes back a global one */
	} else if (key_is(record, "size")) {
		valid = tar_decimal(record->value, record->value_len, &check->pax_size);
	} else if (key_is(record, "uid") || key_is(record, "gid")) {
		valid = tar_decimal(record->value, record->value_len, &number);
	} else if (key_is(record, "mtime")) {
		valid = tar_time(record->value, record->value_len, &check->next.mtime);
		check->next.has_mtime = true;
	} else if (key_is(record, "GNU.sparse.major")) {
		valid = tar_decimal(record->value, record->value_len, &number);
		check->pax_map = valid && number > 0;
	}
	return valid ? 0 : refuse(check, err, "a malformed pax header");
}

static int look_at_pax(struct tar_check *check, struct err *err)
{
	const char *text = check->text.data;
	size_t left = check->text_len;
	int64_t xattr_bytes = 0;

	while (left > 0) {
		struct tar_record record;
		int r;

		if (!tar_record(&text, &left, &record))
			return refuse(check, err, "a malformed pax header");
		r = look_at_record(check, &record, &xattr_bytes, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- headers --- */

static bool is_zero(const unsigned char *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

static bool field(const unsigned char *header, size_t at, size_t len, int64_t *out)
{
	return tar_number(header + at, len, out);
}

/* The sum of all bytes, the sum's own as spaces; of signed ones, as some old programs made it. */
static bool sums_up(const unsigned char *header)
{
	int64_t expected, plain = 0, with_sign = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool own = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LEN;

		plain += own ? ' ' : header[i];
		with_sign += own ? ' ' : (signed char)header[i];
	}
	return field(header, CHECKSUM, &expected) && (expected == plain || expected == with_sign);
}

static int not_tar(struct tar_check *check, struct err *err)
{
	if (check->entries > 0 || check->extensions > 0)
		return refuse(check, err, "a damaged header");
	err_set(err, ERR_INVALID, EBADMSG, "this is not a tar archive");
	return err_hint(err, "it can be compressed by gzip, zstd or xz");
}

/* What is said of the entry that follows. */
static int extension(struct tar_check *check, char type, int64_t size, struct err *err)
{
	bool *had = type == 'x' ? &check->had_pax :
		    type == 'L' ? &check->had_name :
				  &check->had_link;
	int64_t most =
		type == 'x' || type == 'g' ? TAR_MAX_PAX_HEADER : check->limits.path_bytes + 1;

	if (check->extensions++ == 0)
		check->next = (struct tar_entry){ .start = check->position - TAR_BLOCK };
	if (check->extensions > TAR_MAX_EXTENSIONS)
		return refuse(check, err, "too many extension headers");
	if (type != 'g' && *had)
		return refuse(check, err, "two extension headers of a kind");
	if (type != 'g')
		*had = true;
	if (size > most)
		return exceeds(err,
			       type == 'x' || type == 'g' ? "an extended header is larger" :
							    "a name is longer",
			       most);
	check->left = padded(size);
	check->state = IN_DATA;
	if (type == 'x') {
		buf_reset(&check->text);
		check->text_len = (size_t)size;
		check->state = IN_PAX;
	}
	return 0;
}

static int entry(struct tar_check *check, const unsigned char *header, int64_t size,
		 struct err *err)
{
	char type = (char)header[TYPE_AT];
	bool extended = type == 'S' && header[HEADER_EXTENDED_AT] != 0;
	int64_t start = check->position - TAR_BLOCK, ignored;

	if (!field(header, MODE, &ignored) || !field(header, UID, &ignored) ||
	    !field(header, GID, &ignored) || !field(header, MTIME, &ignored))
		return refuse(check, err, "a header with a number that is none");
	if ((type == '3' || type == '4') &&
	    (!field(header, DEVMAJOR, &ignored) || !field(header, DEVMINOR, &ignored)))
		return refuse(check, err, "a header with a number that is none");
	if (check->pax_size >= 0)
		size = check->pax_size;
	if (type >= '1' && type <= '6')
		size = 0; /* whatever is said: only links could have data, and none is written */
	/* With room for the padding. */
	if (size > check->limits.bytes || size > INT64_MAX - (int64_t)TAR_BLOCK)
		return exceeds(err, "an entry is larger", check->limits.bytes);
	if (check->queued == TAR_QUEUE)
		return refuse(check, err, "entries that nobody reads");
	if (check->extensions == 0)
		check->next = (struct tar_entry){ .start = start };
	check->next.type = type;
	if ((type == '1' || type == '2') && header[LINK_AT] == '\0' && check->link.len > 0) {
		check->next.link = strdup(check->link.data);
		if (!check->next.link)
			return err_sys(err, ENOMEM, "cannot read the archive");
	}
	check->queue[(check->first + check->queued++) % TAR_QUEUE] = check->next;
	buf_reset(&check->link);
	check->entries++;
	check->counting = check->pax_map;
	check->pieces = extended ? PIECES_IN_HEADER : 0;
	check->left = padded(size);
	check->state = extended ? IN_MAP : IN_DATA;
	check->extensions = 0;
	check->had_pax = check->had_name = check->had_link = check->pax_map = false;
	check->pax_size = -1;
	return 0;
}

static int header(struct tar_check *check, const unsigned char *block, struct err *err)
{
	int64_t size;

	if (is_zero(block, TAR_BLOCK)) {
		if (check->extensions > 0)
			return refuse(check, err, "an extension header of nothing");
		check->state = AT_END;
		return 0;
	}
	if (!sums_up(block))
		return not_tar(check, err);
	if (!field(block, SIZE, &size) || size < 0)
		return refuse(check, err, "a header with a size that is none");
	switch (block[TYPE_AT]) {
	case 'x':
	case 'g':
	case 'L':
	case 'K':
		return extension(check, (char)block[TYPE_AT], size, err);
	case '\0':
	case '0' ... '7':
	case 'S':
		return entry(check, block, size, err);
	default:
		return refuse(check, err, "an entry of an unknown type");
	}
}

static int map_block(struct tar_check *check, const unsigned char *block, struct err *err)
{
	check->pieces += PIECES_IN_MAP;
	if (check->pieces > TAR_MAX_PIECES)
		return refuse(check, err, "a sparse file of too many pieces");
	if (!block[MAP_EXTENDED_AT])
		check->state = IN_DATA;
	return 0;
}

/* The data of a sparse file (pax, version 1.0) begins with the decimal number of its pieces. */
static int count_pieces(struct tar_check *check, const unsigned char *data, size_t len,
			struct err *err)
{
	for (size_t i = 0; i < len && check->counting; i++) {
		if (data[i] == '\n') {
			check->counting = false;
		} else {
			if (data[i] < '0' || data[i] > '9')
				return refuse(check, err, "a malformed map of a sparse file");
			check->pieces = check->pieces * 10 + (data[i] - '0');
			if (check->pieces > TAR_MAX_PIECES)
				return refuse(check, err, "a sparse file of too many pieces");
		}
	}
	return 0;
}

/* --- bytes --- */

/* A whole block of headers. */
static int whole_block(struct tar_check *check, const unsigned char *block, struct err *err)
{
	return check->state == IN_MAP ? map_block(check, block, err) : header(check, block, err);
}

/* Bytes of data or of a pax header; *used of them. */
static int content(struct tar_check *check, const unsigned char *data, size_t len, size_t *used,
		   struct err *err)
{
	size_t n = (int64_t)len < check->left ? len : (size_t)check->left;
	bool pax = check->state == IN_PAX;
	int r = 0;

	if (pax)
		buf_add(&check->text, data, n);
	else
		r = count_pieces(check, data, n, err);
	if (buf_failed(&check->text) || buf_failed(&check->link))
		return err_sys(err, ENOMEM, "cannot read the archive");
	check->left -= (int64_t)n;
	check->position += (int64_t)n;
	*used = n;
	if (r < 0 || check->left > 0)
		return r;
	check->state = AT_HEADER;
	return pax ? look_at_pax(check, err) : 0;
}

static int step(struct tar_check *check, const unsigned char *data, size_t len, size_t *used,
		struct err *err)
{
	size_t n = TAR_BLOCK - check->have;

	if (check->state == AT_END) {
		if (!is_zero(data, len))
			return err_set(err, ERR_INVALID, EBADMSG,
				       "the archive has garbage after its end");
		check->position += (int64_t)len;
		*used = len;
		return 0;
	}
	if (check->state == IN_DATA || check->state == IN_PAX)
		return content(check, data, len, used, err);
	if (n > len)
		n = len;
	*used = n;
	check->position += (int64_t)n;
	if (n == TAR_BLOCK)
		return whole_block(check, data, err);
	memcpy(check->block + check->have, data, n);
	check->have += n;
	if (check->have < TAR_BLOCK)
		return 0;
	check->have = 0;
	return whole_block(check, check->block, err);
}

int tar_check_feed(struct tar_check *check, const void *data, size_t len, struct err *err)
{
	const unsigned char *at = data;

	while (len > 0) {
		size_t used = 0;
		int r = step(check, at, len, &used, err);

		if (r < 0)
			return r;
		at += used;
		len -= used;
		/* An empty file has no bytes to wait for. */
		while (check->left == 0 && (check->state == IN_DATA || check->state == IN_PAX))
			if (content(check, at, 0, &used, err) < 0)
				return err_code(err);
	}
	return 0;
}

int tar_check_end(const struct tar_check *check, bool unmarked, struct err *err)
{
	if (check->state == AT_END)
		return 0;
	if (check->state != AT_HEADER || check->have > 0 || check->extensions > 0)
		return err_set(err, ERR_INVALID, EBADMSG, "the archive is truncated");
	if (!unmarked)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the archive is truncated (it has no end-of-archive marker)");
	return 0;
}

bool tar_check_next(struct tar_check *check, struct tar_entry *out)
{
	if (check->queued == 0)
		return false;
	*out = check->queue[check->first];
	check->first = (check->first + 1) % TAR_QUEUE;
	check->queued--;
	return true;
}
