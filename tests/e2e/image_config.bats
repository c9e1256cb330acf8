#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An image's configuration is foreign: it is parsed once, by a process that can do nothing. What is
# made of it then is all that anybody reads.

load helpers

setup() {
	new_root
	cd "$BATS_TEST_TMPDIR" || return
	import_busybox
}

db() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "$1"
}

id_of() {
	cman inspect -f '{{.Id}}' "$1" | cut -d: -f2
}

# All that an image can say.
full='.author = "bird" | .created = "2026-01-02T03:04:05Z" | .unknown = {"deep": [1, null, true]}
	| .config += {
		"Env": ["PATH=/bin", "COLOUR=blue"], "Entrypoint": ["/bin/sh", "-c"],
		"Cmd": ["echo $COLOUR $(pwd) $(id -u); echo \"$*\"", "x", "a b", "c"], "WorkingDir": "/srv",
		"User": "7:8", "StopSignal": "SIGUSR1", "Labels": {"bird": "sparrow", "a=b": ""},
		"Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}}, "OnBuild": ["RUN x"],
		"Healthcheck": {"Test": ["CMD", "true"], "Interval": 3600000000000}}
	| .history = [{"created_by": "one", "comment": "é"}, {"created_by": "two", "empty_layer": true}]'

# Neither copy of the JSON is one any more.
spoil() {
	local id
	id=$(id_of "$1")
	db "UPDATE image SET config = '{{{' WHERE id = '$id'"
	echo '[[[' >"$CMAN_ROOT/blobs/sha256/$id"
}

@test "nobody parses an image's configuration again: run, inspect and others do not need it" {
	cman load -q --name full "$(edited_layout busybox jq -c "$full")" >/dev/null
	cman inspect full >shown
	cman history --no-trunc full >steps
	spoil full
	run --separate-stderr cman run --rm full
	assert_status 0
	assert_output $'blue /srv 7\na b c'
	assert_stderr ''
	cman inspect full | diff shown -
	cman history --no-trunc full | diff steps -
	[ "$(cman images --filter label=bird=sparrow --format '{{.Repository}}')" = full ]
	[ "$(cman images --filter label=bird=cat -q)" = '' ]
	cman run --platform linux/amd64 --pull never --rm --entrypoint true full ||
		cman run --platform linux/arm64 --pull never --rm --entrypoint true full
	cman create --name bird full >/dev/null
	[ "$(cman inspect bird | jq -c '.[0].Config | [.WorkingDir, .StopSignal, .Labels]')" = \
		'["/srv","SIGUSR1",{"bird":"sparrow","a=b":""}]' ]
	# What is made from it is whole.
	cman commit --change 'ENV COLOUR=red' bird red >/dev/null
	run --separate-stderr cman run --rm red
	assert_output $'red /srv 7\na b c'
	cman inspect red | jq -e '.[0].Config | .unknown.deep == [1, null, true] and .config.OnBuild == ["RUN x"]'
	cman rm bird >/dev/null
}

@test "fsck: tells of a configuration that is damaged, though nobody needs it" {
	id=$(id_of busybox)
	spoil busybox
	run --separate-stderr cman fsck
	assert_status 1
	assert_match "$output" "blob sha256:$id: "
	assert_match "$output" "image busybox:latest: its configuration is not that of its ID: sha256:$(
		printf '{{{' | sha256sum | cut -c1-64
	): pull it again"
}

@test "fsck: a flat form that says something else is found, and made anew" {
	cman load -q --name full "$(edited_layout busybox jq -c "$full")" >/dev/null
	db "UPDATE image_flat SET bytes = (SELECT bytes FROM image_flat JOIN image ON image.id = image_id
		ORDER BY created_ns LIMIT 1)"
	[ "$(cman run --rm full echo lost)" = lost ]
	run --separate-stderr cman fsck
	assert_status 1
	assert_output "image full:latest: the flat form of its configuration is another's: cman fsck --repair makes it anew
checked 2 images, 1 layer, 5 blobs, 0 containers: 1 fault, 0 repaired"
	run --separate-stderr cman fsck --quick
	assert_status 0
	run --separate-stderr cman fsck --repair
	assert_status 0
	assert_match "$output" "repaired: made anew"
	[ "$(cman run --rm full | head -1)" = 'blue /srv 7' ]
	db "UPDATE image_flat SET bytes = substr(bytes, 1, 40)"
	run --separate-stderr cman run --rm full
	assert_status 125
	assert_stderr "cman: image $(id_of full | cut -c1-12): its configuration: the flat form is damaged
hint: cman fsck --repair makes it anew"
	run --separate-stderr cman inspect -f '{{.Config}} {{.Size}}' full
	assert_status 0
	assert_stderr "cman: warning: image $(id_of full 2>/dev/null | cut -c1-12): its configuration: the flat form is damaged"
	cman fsck --repair >/dev/null
	[ "$(cman run --rm full | head -1)" = 'blue /srv 7' ]
}

@test "a store of an earlier version: what is missing is made once, when it is needed" {
	cman load -q --name full "$(edited_layout busybox jq -c "$full")" >/dev/null
	cman inspect full busybox >shown
	db 'DROP TABLE image_flat; PRAGMA user_version = 3'
	# what version 6 brings, and version 5 takes away
	db 'ALTER TABLE container DROP COLUMN mounts; ALTER TABLE container DROP COLUMN network'
	for trigger in event_bound container_{created,changed,oom,health,renamed,destroyed} \
		image_{created,named,unnamed,deleted} volume_{created,destroyed}; do
		db "CREATE TRIGGER $trigger AFTER DELETE ON event BEGIN SELECT 1; END"
	done
	run --separate-stderr cman run --rm full
	assert_status 0
	assert_output $'blue /srv 7\na b c'
	assert_stderr ''
	[ "$(db 'PRAGMA user_version')" = 6 ]
	[ "$(db 'SELECT image_id FROM image_flat')" = "$(id_of full)" ]
	# From now on the JSON is not needed.
	spoil full
	[ "$(cman run --rm full | head -1)" = 'blue /srv 7' ]
	cman inspect full busybox | diff shown -
	[ "$(db 'SELECT count(*) FROM image_flat')" = 2 ]
	run --separate-stderr cman fsck
	assert_match "$output" 'image full:latest: its configuration is not that of its ID'
	refute_match "$output" 'image busybox'
}

@test "a store of an earlier version: many at once" {
	db 'DELETE FROM image_flat'
	local pids=()
	for i in 1 2 3 4 5 6; do
		cman run --rm busybox echo "$i" >"out.$i" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	[ "$(cat out.*)" = $'1\n2\n3\n4\n5\n6' ]
	[ "$(db 'SELECT count(*) FROM image_flat')" = 1 ]
}

@test "a store of an earlier version: a configuration that is damaged is not taken" {
	id=$(id_of busybox)
	db "DELETE FROM image_flat; UPDATE image SET config = replace(config, '/bin/sh', '/bin/rm')"
	run --separate-stderr cman run --rm busybox
	assert_status 125
	assert_stderr "cman: image ${id:0:12}: its configuration is not that of its ID
hint: cman fsck --repair takes it from elsewhere, if it can"
	cman fsck --repair >/dev/null
	[ "$(cman run --rm busybox echo well)" = well ]
}

# refused WHY COMMAND...: an image whose configuration went through the command is not taken.
refused() {
	local why=$1 dir
	shift
	dir=$(edited_layout busybox "$@")
	run --separate-stderr cman load --name bad "$dir"
	assert_status 125
	assert_match "$(head -1 <<<"$stderr")" "^cman: $dir: .*$why\$"
	[ "$(cman images -q | wc -l)" = 1 ]
	[ "$(db 'SELECT count(*) FROM image_flat')" = 1 ]
}

nested() {
	printf '{"x":%s%s}' "$(printf '[%.0s' {1..70})" "$(printf ']%.0s' {1..70})"
}

@test "a hostile configuration is refused when it comes, with what is wrong with it" {
	refused "image configuration: config.Env: 'x' is not written KEY=VALUE" jq -c '.config.Env = ["x"]'
	refused 'image configuration: "Cmd" is not an array' jq -c '.config.Cmd = "sh"'
	refused 'image configuration: config.Labels: "a" is not a string' jq -c '.config.Labels = {"a": {}}'
	refused 'image configuration: config.Healthcheck: "Timeout" is negative' \
		jq -c '.config.Healthcheck = {"Timeout": -1}'
	refused 'image configuration: its platform is malformed' jq -c '.architecture = "a b"'
	refused 'image configuration: "rootfs" is missing' jq -c 'del(.rootfs)'
	refused 'image configuration: line 1 column [0-9]+: nested too deeply' nested
	refused 'image configuration: line 1 column 100: premature end of input' head -c 100
	refused 'image configuration: line 1 column [0-9]+: duplicate object key.*' sed 's/{/{"os":"linux",/'
	refused 'image configuration: line 1 column [0-9]+: .u0000 is not allowed.*' sed 's/"linux"/"li\\u0000nux"/'
	refused 'image configuration: line 1 column [0-9]+: unable to decode byte 0xff.*' sed 's/"linux"/"li\xffnux"/'
}
