/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/cmd/text.h"

#include <stdbool.h>

#include "store/base/utf8.h"
#include "store/json_write.h"

struct range {
	uint32_t first, last;
};

/* Combining marks and joiners: no column. The scripts that names and commands really hold. */
static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 },	  { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 },	  { 0x0610, 0x061a }, { 0x064b, 0x065f },
	{ 0x0670, 0x0670 }, { 0x06d6, 0x06dc },	  { 0x06df, 0x06e4 }, { 0x0900, 0x0902 },
	{ 0x093a, 0x093a }, { 0x093c, 0x093c },	  { 0x0941, 0x0948 }, { 0x094d, 0x094d },
	{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },	  { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f },	  { 0x2060, 0x2064 }, { 0x20d0, 0x20ff },
	{ 0x302a, 0x302d }, { 0x3099, 0x309a },	  { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

/* Two columns: East Asian Width W and F (UAX #11), emoji included. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },	  { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 },   { 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },	  { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 },   { 0x267f, 0x267f },   { 0x2693, 0x2693 },	  { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },	  { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },	  { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },	  { 0x270a, 0x270b },
	{ 0x2728, 0x2728 },   { 0x274c, 0x274c },   { 0x274e, 0x274e },	  { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },   { 0x2795, 0x2797 },   { 0x27b0, 0x27b0 },	  { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },	  { 0x2e80, 0x3029 },
	{ 0x302e, 0x303e },   { 0x3041, 0x3098 },   { 0x309b, 0xa4cf },	  { 0xa960, 0xa97c },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },	  { 0xfe30, 0xfe6f },
	{ 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x16fe0, 0x18aff }, { 0x1b000, 0x1b2ff },
	{ 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a },
	{ 0x1f200, 0x1f265 }, { 0x1f300, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a },
	{ 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 },
	{ 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec },
	{ 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 },
	{ 0x1f947, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool in(const struct range *ranges, size_t n, uint32_t point)
{
	size_t low = 0;

	while (n > 0) {
		size_t middle = low + n / 2;

		if (point > ranges[middle].last) {
			low = middle + 1;
			n -= n / 2 + 1;
		} else if (point < ranges[middle].first) {
			n /= 2;
		} else {
			return true;
		}
	}
	return false;
}

static size_t point_width(uint32_t point)
{
	if (point < 0x300)
		return 1;
	if (in(zero, sizeof(zero) / sizeof(*zero), point))
		return 0;
	return in(wide, sizeof(wide) / sizeof(*wide), point) ? 2 : 1;
}

/* Walk until `columns` are full; *used is how many the bytes that are returned take. */
static size_t walk(const char *text, size_t len, size_t columns, size_t *used)
{
	/* ASCII is as wide as it is long. */
	size_t at = utf8_plain_length(text, len < columns ? len : columns);

	*used = at;
	while (at < len) {
		uint32_t point = 0;
		size_t n = utf8_decode(text + at, len - at, &point);
		size_t width = n ? point_width(point) : 1;

		if (width > columns - *used)
			break;
		*used += width;
		at += n ? n : 1;
	}
	return at;
}

size_t text_width(const char *text, size_t len)
{
	size_t used;

	walk(text, len, SIZE_MAX, &used);
	return used;
}

size_t text_fit(const char *text, size_t len, size_t columns)
{
	size_t used;

	return walk(text, len, columns, &used);
}

/* DEL, C1 controls, line separators and what turns the direction of text. */
static bool acts_on_terminal(uint32_t point)
{
	return (point >= 0x7f && point <= 0x9f) || (point >= 0x200e && point <= 0x200f) ||
	       point == 0x061c || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}

/*
 * Add the first code point of `text`, from the inside of a string (which JSON's own escapes are
 * made for) or from printed JSON (where they are there already). Returns the bytes taken.
 */
static size_t add_point(struct buf *buf, const char *text, size_t len, bool in_string)
{
	uint32_t point = 0;
	size_t n = utf8_decode(text, len, &point);

	if (n == 0) {
		buf_addstr(buf, "\xef\xbf\xbd");
		return 1;
	}
	if (acts_on_terminal(point) ||
	    (in_string && (point < 0x20 || point == '"' || point == '\\')))
		json_add_escape(buf, point);
	else
		buf_add(buf, text, n);
	return n;
}

static void add_points(struct buf *buf, const char *text, size_t len, bool in_string)
{
	while (len > 0) {
		size_t n = json_plain_length(text, len);

		if (n > 0)
			buf_add(buf, text, n);
		else
			n = add_point(buf, text, len, in_string);
		text += n;
		len -= n;
	}
}

void text_add_json(struct buf *buf, const char *text, size_t len)
{
	buf_addch(buf, '"');
	add_points(buf, text, len, true);
	buf_addch(buf, '"');
}

void text_add_safe_json(struct buf *buf, const char *json, size_t len)
{
	add_points(buf, json, len, false);
}
