/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMAN_STORE_IMAGES_SQL_H
#define CMAN_STORE_IMAGES_SQL_H

/*
 * The events of an image that goes, for change.h; before its rows do. ?1 is the ID of the image or,
 * for IMAGE_EVENT_UNTAG, the name; ?2 is the time.
 */

#define IMAGE_EVENT_UNTAGS_WHERE(column)                               \
	"INSERT INTO event (time_ns, type, action, object, name)"      \
	" SELECT ?2, 'image', 'untag', image_id, name FROM image_name" \
	" WHERE " column " = ?1 ORDER BY name"
#define IMAGE_EVENT_UNTAG IMAGE_EVENT_UNTAGS_WHERE("name")
#define IMAGE_EVENT_UNTAG_ALL IMAGE_EVENT_UNTAGS_WHERE("image_id")
#define IMAGE_EVENT_DELETE                                  \
	"INSERT INTO event (time_ns, type, action, object)" \
	" SELECT ?2, 'image', 'delete', id FROM image WHERE id = ?1"

#endif
