/* SPDX-License-Identifier: Apache-2.0 */
#include "image/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Other names of architectures, as people, distributions and uname(2) write them. A variant: what
 * the name means by itself. */
static const struct {
	const char *name, *architecture, *variant;
} aliases[] = {
	{ "x86_64", "amd64", NULL },
	{ "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL },
	{ "i386", "386", NULL },
	{ "i486", "386", NULL },
	{ "i586", "386", NULL },
	{ "i686", "386", NULL },
	{ "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "armv5tel", "arm", "v5" },
	{ "armv6l", "arm", "v6" },
	{ "armv7l", "arm", "v7" },
	{ "armv8l", "arm", "v8" },
	{ "ppc64el", "ppc64le", NULL },
	{ "loongarch64", "loong64", NULL },
};

/* What a word without a slash can be, beside the aliases. */
static const char *const architectures[] = { "amd64",	"arm64",  "arm",   "386",     "riscv64",
					     "ppc64le", "s390x",  "ppc64", "loong64", "mips64le",
					     "mips64",	"mipsle", "mips",  NULL };

static bool copy_word(char out[PLATFORM_WORD_MAX], const char *text, size_t len)
{
	if (len >= PLATFORM_WORD_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return true;
}

static void resolve_alias(struct platform *platform)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcmp(platform->architecture, aliases[i].name) == 0) {
			memset(platform->architecture, 0, PLATFORM_WORD_MAX);
			strcpy(platform->architecture, aliases[i].architecture);
			if (aliases[i].variant && !platform->variant[0])
				strcpy(platform->variant, aliases[i].variant);
			return;
		}
}

static void normalize(struct platform *platform)
{
	char *variant = platform->variant;

	resolve_alias(platform);
	/* "7" is v7. */
	if (isdigit((unsigned char)variant[0]) && strlen(variant) + 1 < PLATFORM_WORD_MAX) {
		memmove(variant + 1, variant, strlen(variant));
		variant[0] = 'v';
	}
	if (strcmp(platform->architecture, "arm") == 0 && !variant[0])
		strcpy(variant, "v7");
	if ((strcmp(platform->architecture, "amd64") == 0 && strcmp(variant, "v1") == 0) ||
	    (strcmp(platform->architecture, "arm64") == 0 &&
	     (strcmp(variant, "v8") == 0 || strcmp(variant, "v8.0") == 0)))
		memset(variant, 0, PLATFORM_WORD_MAX);
}

bool platform_set(struct platform *out, const char *os, const char *architecture,
		  const char *variant)
{
	struct platform platform;

	memset(&platform, 0, sizeof(platform)); /* whole, because all of it is sent */
	os = os ? os : "";
	architecture = architecture ? architecture : "";
	variant = variant ? variant : "";
	if (!copy_word(platform.os, os, strlen(os)) ||
	    !copy_word(platform.architecture, architecture, strlen(architecture)) ||
	    !copy_word(platform.variant, variant, strlen(variant)))
		return false;
	normalize(&platform);
	*out = platform;
	return true;
}

static bool is_architecture(const char *word)
{
	for (size_t i = 0; architectures[i]; i++)
		if (strcmp(architectures[i], word) == 0)
			return true;
	return false;
}

/* One to three words between slashes. */
static bool parse_words(const char *text, struct platform *out)
{
	char words[3][PLATFORM_WORD_MAX] = { "", "", "" };
	int n = 0;

	for (;; text++) {
		size_t len = strcspn(text, "/");

		if (n == 3 || len == 0 || !copy_word(words[n++], text, len))
			return false;
		text += len;
		if (*text == '\0')
			break;
	}
	if (n > 1)
		return platform_set(out, words[0], words[1], words[2]);
	return platform_set(out, "linux", words[0], "") && is_architecture(out->architecture);
}

int platform_parse(const char *text, struct platform *out, struct err *err)
{
	struct platform platform;

	if (!parse_words(text, &platform)) {
		err_set(err, ERR_INVALID, EINVAL, "not a platform: %.96s", text);
		return err_hint(err, "a platform is os/architecture[/variant], as in linux/arm64");
	}
	if (strcmp(platform.os, "linux") != 0)
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "not a platform of Linux: %.96s",
			       text);
	*out = platform;
	return 0;
}

const char *platform_format(const struct platform *platform, char text[PLATFORM_TEXT_MAX])
{
	if (!platform->os[0] && !platform->architecture[0])
		return strcpy(text, "unknown");
	snprintf(text, PLATFORM_TEXT_MAX, "%s/%s%s%s", platform->os, platform->architecture,
		 platform->variant[0] ? "/" : "", platform->variant);
	return text;
}

#if defined(__x86_64__)
/* The levels of the x86-64 psABI. AVX and AVX-512 count where the kernel saves their registers. */
static const char *amd64_variant(void)
{
	unsigned a, b, c, d, c1 = 0, b7 = 0, c_ext = 0, saved = 0, high;
	const unsigned v2 =
		bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;
	const unsigned v3 = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
	const unsigned v3_leaf7 = bit_BMI | bit_AVX2 | bit_BMI2;
	const unsigned v4_leaf7 =
		bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;

	if (!__get_cpuid(1, &a, &b, &c1, &d))
		return "";
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		b7 = b;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		c_ext = c;
	if (c1 & bit_OSXSAVE)
		__asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
	if ((c1 & v2) != v2 || !(c_ext & bit_LAHF_LM))
		return "";
	if ((c1 & v3) != v3 || (b7 & v3_leaf7) != v3_leaf7 || !(c_ext & bit_ABM) ||
	    (saved & 0x6) != 0x6)
		return "v2";
	return (b7 & v4_leaf7) == v4_leaf7 && (saved & 0xe6) == 0xe6 ? "v4" : "v3";
}
#else
static const char *amd64_variant(void)
{
	return "";
}
#endif

int platform_host(struct platform *out, struct err *err)
{
	struct utsname host;
	struct platform platform;

	if (uname(&host) < 0)
		return err_sys(err, errno, "uname");
	if (!platform_set(&platform, "linux", host.machine, ""))
		return err_set(err, ERR_UNSUPPORTED, ENOTSUP, "unknown machine: %s", host.machine);
	if (strcmp(platform.architecture, "amd64") == 0)
		strcpy(platform.variant, amd64_variant());
	*out = platform;
	return 0;
}

/* --- which one does for which --- */

/* "v7" is 70, "v8.2" is 82, "" is `least`; -1: no number. */
static int level(const char *variant, int least)
{
	int major, minor = 0;

	if (!variant[0])
		return least;
	if (variant[0] != 'v' || !isdigit((unsigned char)variant[1]))
		return -1;
	major = variant[1] - '0';
	if (variant[2] == '.' && isdigit((unsigned char)variant[3]) && !variant[4])
		minor = variant[3] - '0';
	else if (variant[2])
		return -1;
	return major * 10 + minor;
}

/* A lower level does, the nearest best. */
static int level_distance(int want, int have)
{
	return want < 0 || have < 0 || have > want ? -1 : want - have;
}

/* arm64 v9.x has what v8.(x+5) has, and nothing between. */
static int arm64_distance(int want, int have)
{
	if (want >= 90 && have >= 80 && have < 90) {
		int distance = level_distance(80 + want % 10 + 5, have);

		return distance < 0 ? -1 : distance + 10;
	}
	return level_distance(want, have);
}

/* Behind all of the architecture itself. */
#define OTHER_ARCHITECTURE 100

static int architecture_distance(const struct platform *want, const struct platform *have)
{
	const char *a = want->architecture, *b = have->architecture;

	if (strcmp(a, b) == 0) {
		if (strcmp(a, "amd64") == 0)
			return level_distance(level(want->variant, 10), level(have->variant, 10));
		if (strcmp(a, "arm") == 0)
			return level_distance(level(want->variant, 70), level(have->variant, 70));
		if (strcmp(a, "arm64") == 0)
			return arm64_distance(level(want->variant, 80), level(have->variant, 80));
		return strcmp(want->variant, have->variant) == 0 ? 0 : -1;
	}
	if (strcmp(a, "amd64") == 0 && strcmp(b, "386") == 0)
		return OTHER_ARCHITECTURE;
	if (strcmp(a, "arm64") == 0 && strcmp(b, "arm") == 0) {
		int distance = level_distance(80, level(have->variant, 70));

		return distance < 0 ? -1 : OTHER_ARCHITECTURE + distance;
	}
	return -1;
}

int platform_distance(const struct platform *want, const struct platform *have)
{
	if (!want->os[0] || strcmp(want->os, have->os) != 0)
		return -1;
	if (strcmp(want->architecture, have->architecture) == 0 &&
	    strcmp(want->variant, have->variant) == 0)
		return 0;
	return architecture_distance(want, have);
}
