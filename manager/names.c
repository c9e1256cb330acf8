/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/names.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

static const char *const moods[] = {
	"able",	   "agile",  "alert", "ample",	"avid",	  "bold",   "brave",  "brief",
	"bright",  "brisk",  "calm",  "candid", "clear",  "clever", "cosy",   "crisp",
	"daring",  "deft",   "eager", "early",	"fair",	  "fleet",  "frank",  "fresh",
	"gentle",  "glad",   "grand", "hardy",	"honest", "humble", "jolly",  "keen",
	"kind",	   "lively", "loyal", "lucid",	"mellow", "merry",  "nimble", "noble",
	"patient", "plucky", "proud", "quick",	"quiet",  "sober",  "steady", "witty",
};

static const char *const birds[] = {
	"avocet",    "bittern",	 "bunting", "buzzard",	 "condor",   "coot",	 "cormorant",
	"crane",     "curlew",	 "dipper",  "dunlin",	 "egret",    "eider",	 "falcon",
	"finch",     "flamingo", "fulmar",  "gannet",	 "godwit",   "goshawk",	 "grebe",
	"harrier",   "heron",	 "hoopoe",  "ibis",	 "jackdaw",  "kestrel",	 "kite",
	"lapwing",   "linnet",	 "magpie",  "merlin",	 "nuthatch", "oriole",	 "osprey",
	"ouzel",     "pelican",	 "pipit",   "plover",	 "puffin",   "redstart", "robin",
	"sandpiper", "siskin",	 "swift",   "turnstone", "wagtail",  "wren",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLAIN_ATTEMPTS 3

int name_generate(int attempt, char out[CONTAINER_NAME_MAX + 1], struct err *err)
{
	uint32_t random[3];
	const char *mood, *bird;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, errno, "cannot make up a name");
	mood = moods[random[0] % COUNT(moods)];
	bird = birds[random[1] % COUNT(birds)];
	if (attempt < PLAIN_ATTEMPTS)
		snprintf(out, CONTAINER_NAME_MAX + 1, "%s-%s", mood, bird);
	else
		snprintf(out, CONTAINER_NAME_MAX + 1, "%s-%s-%u", mood, bird, random[2] % 1000000);
	return 0;
}
