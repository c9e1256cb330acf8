/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_TESTS_UNIT_DOCUMENT_FIXTURE_H
#define CMAN_TESTS_UNIT_DOCUMENT_FIXTURE_H

#include "image/document.h"

/* The document `json` in flat form, as the stage cman-parse makes it; `json` has to be right. */
struct image_document fixture_document(const char *json);

#endif
