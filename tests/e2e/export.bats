# SPDX-License-Identifier: Apache-2.0
# Files of containers and images out of the store and into it: export, import, image mount.
# shellcheck shell=bash disable=SC2154

load helpers

@test "export: all that the container sees, running or not, the same bytes each time" {
	import_busybox
	cman run -d --name one -v "$BATS_TEST_TMPDIR:/outside" busybox sh -c '
		echo text >/file; ln /file /second; rm /etc/group; mkdir /made; sleep 10000' >/dev/null
	eventually test -d "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/made"
	cman export one >"$BATS_TEST_TMPDIR/1.tar"
	cman export -o "$BATS_TEST_TMPDIR/2.tar" one
	cman kill one >/dev/null
	cman wait one >/dev/null
	cman export one >"$BATS_TEST_TMPDIR/3.tar"
	cmp "$BATS_TEST_TMPDIR/1.tar" "$BATS_TEST_TMPDIR/2.tar"
	cmp "$BATS_TEST_TMPDIR/1.tar" "$BATS_TEST_TMPDIR/3.tar"
	tar tf "$BATS_TEST_TMPDIR/1.tar" >"$BATS_TEST_TMPDIR/list"
	grep -qx file "$BATS_TEST_TMPDIR/list"
	refute grep -qE '^(etc/group|proc/.+|dev/.+|outside/.+)' "$BATS_TEST_TMPDIR/list"
	# sorted, and readable by GNU tar without a word
	[ -z "$(tar tvf "$BATS_TEST_TMPDIR/1.tar" 2>&1 >/dev/null)" ]
	tar tvf "$BATS_TEST_TMPDIR/1.tar" | grep -q 'second link to file'
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/2.tar")" = 644 ]
}

@test "export: nothing for a terminal, and nothing left of a file that could not be written" {
	import_busybox
	cman run --name one busybox true
	run script -qec "$CMAN export one" /dev/null
	assert_match "$output" 'cman: export: an archive is nothing for a terminal'
	run --separate-stderr cman export -o /dev/full one
	assert_status 125
	assert_stderr "cman: one: cannot write /dev/full: No space left on device"
	run --separate-stderr cman export -o "$BATS_TEST_TMPDIR/no/such" one
	assert_status 125
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=1m tmpfs "$BATS_TEST_TMPDIR/small"
	echo before >"$BATS_TEST_TMPDIR/small/file"
	run --separate-stderr cman export -o "$BATS_TEST_TMPDIR/small/file" one
	local kept left
	kept=$(cat "$BATS_TEST_TMPDIR/small/file")
	left=$(ls "$BATS_TEST_TMPDIR/small")
	umount "$BATS_TEST_TMPDIR/small"
	assert_status 125
	assert_match "$stderr" 'No space left on device'
	[ "$kept" = before ]
	[ "$left" = file ]
}

@test "export: a file that is written to meanwhile is told" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 40000000 /dev/urandom >/big
		touch /ready; while :; do echo more >>/big; done' >/dev/null
	eventually test -e "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/ready"
	run --separate-stderr cman export -o "$BATS_TEST_TMPDIR/x.tar" one
	assert_status 0
	assert_match "$stderr" '^cman: warning: 1 file changed while being read, the first: /big$'
	tar tf "$BATS_TEST_TMPDIR/x.tar" >/dev/null
}

# status_of PID FIELD
status_of() {
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$1/status"
}

is_there() {
	stage=$(pgrep -P "$1" -f '^cman-pack')
}

@test "export: the stage that packs sees nothing but the files, and can only read them" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 40000000 /dev/urandom >/big; touch /ready; sleep 10000' >/dev/null
	eventually test -e "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/ready"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	sleep 100 <>"$BATS_TEST_TMPDIR/fifo" 3>&- &
	reader=$!
	"$CMAN" export -o "$BATS_TEST_TMPDIR/fifo" one 3>&- &
	pid=$!
	eventually is_there "$pid"
	# what is written fills the FIFO and the pipe, and then the stage waits
	eventually sleeps_in "$stage" pipe
	# dac_read_search
	for set in CapPrm CapEff CapBnd; do
		[ "$(status_of "$stage" "$set")" = 0000000000000004 ]
	done
	[ "$(status_of "$stage" CapInh)" = 0000000000000000 ]
	[ "$(status_of "$stage" NoNewPrivs)" = 1 ]
	[ "$(tr -d '\0' <"/proc/$stage/environ")" = '' ]
	[ "$(wc -l <"/proc/$stage/mountinfo")" = 1 ]
	assert_match "$(cat "/proc/$stage/mountinfo")" ' / / ro,nosuid,nodev,noexec'
	[ "$(readlink "/proc/$stage/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	assert_empty_dir "/proc/$stage/root/proc"
	# standard streams, the report, the directories and the file it reads
	refute_match "$(readlink "/proc/$stage"/fd/* | sort -u)" "$BATS_TEST_TMPDIR|/dev/vda"
	kill -KILL "$pid"
	wait "$pid" || true
	eventually test ! -e "/proc/$stage"
	kill "$reader"
	wait "$reader" || true
}

@test "export: interrupted where nobody reads, it ends, and its file with it" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 40000000 /dev/urandom >/big; touch /ready; sleep 10000' >/dev/null
	eventually test -e "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/ready"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	sleep 100 <>"$BATS_TEST_TMPDIR/fifo" 3>&- &
	reader=$!
	env --default-signal=INT "$CMAN" export one >"$BATS_TEST_TMPDIR/fifo" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	pid=$!
	eventually is_there "$pid"
	eventually sleeps_in "$stage" pipe
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	kill "$reader"
	wait "$reader" || true
	[ "$status" = 130 ]
	[ "$(cat "$BATS_TEST_TMPDIR/stderr")" = "cman: interrupted" ]
	eventually test ! -e "/proc/$stage"
}

@test "export: a stage that is killed makes no whole archive" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 40000000 /dev/urandom >/big; touch /ready; sleep 10000' >/dev/null
	eventually test -e "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/ready"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	"$CMAN" export -o "$BATS_TEST_TMPDIR/fifo" one 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	pid=$!
	exec 5<"$BATS_TEST_TMPDIR/fifo"
	eventually is_there "$pid"
	kill -KILL "$stage"
	cat <&5 >/dev/null
	exec 5<&-
	status=0
	wait "$pid" || status=$?
	[ "$status" = 125 ]
	assert_match "$(cat "$BATS_TEST_TMPDIR/stderr")" 'cman: one: the pack stage was killed by signal 9'
}

@test "import: what was exported becomes an image again" {
	import_busybox
	cman run --name one busybox sh -c 'echo text >/file; chown 7:8 /file'
	cman export one | cman import -q -c 'CMD ["cat", "/file"]' -c 'ENV A=b' -m 'flat' - flat \
		>"$BATS_TEST_TMPDIR/id"
	assert_match "$(cat "$BATS_TEST_TMPDIR/id")" '^[0-9a-f]{64}$'
	run --separate-stderr cman run --rm flat
	assert_output text
	run --separate-stderr cman run --rm flat sh -c 'echo $A; stat -c %u:%g /file'
	assert_output "b
7:8"
	cman inspect flat | jq -e '.[0].Config.history[0].comment == "flat"'
	# twice the same archive: two images where they are asked to differ
	cman export one >"$BATS_TEST_TMPDIR/one.tar"
	first=$(cman import -q "$BATS_TEST_TMPDIR/one.tar" same)
	second=$(cman import -q -c 'ENV A=c' "$BATS_TEST_TMPDIR/one.tar" other)
	[ "$first" != "$second" ]
	# whoever asks for that archive does not get the one that was changed
	cman rmi same
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/one.tar")
	[ "$(cman pull -q --sha256 "${sum%% *}" --name pulled "$BATS_TEST_TMPDIR/one.tar")" = "$first" ]
	# the file's own name; a name of the catalog is a file here
	(cd "$BATS_TEST_TMPDIR" && cp one.tar ubuntu-base && cman import -q ubuntu-base >/dev/null)
	cman inspect --type image ubuntu-base >/dev/null
}

@test "import: an URL, and what cannot be" {
	run --separate-stderr env SSL_CERT_FILE="$FIXTURES/ca.pem" "$CMAN" import -q "$SERVER/busybox.tar.gz" box
	assert_status 0
	cman run --rm box true
	run --separate-stderr cman import nginx
	assert_status 125
	assert_stderr "cman: cannot open nginx: No such file or directory"
	run --separate-stderr cman import - </dev/null
	assert_status 125
	echo 'no archive' >"$BATS_TEST_TMPDIR/text"
	run --separate-stderr cman import "$BATS_TEST_TMPDIR/text" x
	assert_status 125
	assert_match "$stderr" 'the archive is truncated$'
	# what save writes is for load
	for format in oci docker; do
		cman save --format "$format" -o "$BATS_TEST_TMPDIR/images.tar" box
		for command in import pull; do
			run --separate-stderr cman "$command" "$BATS_TEST_TMPDIR/images.tar"
			assert_status 125
			assert_match "$stderr" 'images.tar: these are whole images, and not the files of one'
			assert_match "$stderr" 'hint: cman load reads them'
		done
	done
	[ "$(cman images --format '{{.Name}}')" = box:latest ]
	run --separate-stderr cman import -c 'COPY a b' "$BATS_TEST_TMPDIR/text" x
	assert_status 125
	assert_match "$stderr" '^cman: --change: COPY a b: an image.s configuration cannot be changed by it'
}

is_in() {
	[ "$(readlink "/proc/$1/cwd")" = "$2" ]
}

@test "image mount: shows the files, once, read-only; unmount ends it" {
	import_busybox
	run --separate-stderr cman image mount
	assert_status 0
	assert_output ""
	run --separate-stderr cman image mount busybox
	assert_status 0
	dir=$output
	assert_match "$dir" "^$CMAN_ROOT/run/images/[0-9a-f]{64}\$"
	[ -x "$dir/bin/busybox" ]
	run touch "$dir/new"
	assert_match "$output" 'Read-only file system'
	assert_match "$(awk -v dir="$dir" '$5 == dir { print $6 }' /proc/self/mountinfo)" '^ro,nosuid,nodev'
	# again: the same place, and no second mount
	[ "$(cman image mount busybox)" = "$dir" ]
	[ "$(awk -v dir="$dir" '$5 == dir' /proc/self/mountinfo | wc -l)" = 1 ]
	run --separate-stderr cman image mount
	assert_output "busybox:latest	$dir"
	# nobody removes it meanwhile
	run --separate-stderr cman rmi -f busybox
	assert_status 125
	assert_match "$stderr" 'image busybox:latest is mounted'
	cman prune -af >/dev/null
	[ -x "$dir/bin/busybox" ]
	# in use
	(cd "$dir" && exec sleep 10) 3>&- &
	pid=$!
	eventually is_in "$pid" "$dir"
	run --separate-stderr cman image unmount busybox
	assert_status 125
	assert_match "$stderr" "^cman: busybox: somebody is using $dir"
	kill "$pid"
	wait "$pid" || true
	run --separate-stderr cman image unmount busybox
	assert_status 0
	assert_output busybox
	[ ! -e "$dir" ]
	run --separate-stderr cman image unmount busybox
	assert_status 125
	assert_stderr "cman: busybox: it is not mounted"
	cman rmi busybox >/dev/null
}

@test "image mount: what a kill left is no hindrance; unmount -a ends all" {
	import_busybox
	id=$(cman images -q --no-trunc)
	mkdir -p "$CMAN_ROOT/run/images/$id"
	run --separate-stderr cman image unmount busybox
	assert_status 125
	assert_stderr "cman: busybox: it is not mounted"
	[ ! -e "$CMAN_ROOT/run/images/$id" ]
	mkdir -p "$CMAN_ROOT/run/images/$id"
	cman image mount busybox >/dev/null
	cman run --name one busybox touch /x
	cman commit one two >/dev/null
	cman image mount two >/dev/null
	[ "$(cman image mount | wc -l)" = 2 ]
	cman image unmount -a >/dev/null
	[ -z "$(cman image mount)" ]
	assert_empty_dir "$CMAN_ROOT/run/images"
	run --separate-stderr cman image mount nosuch busybox
	assert_status 125
	assert_match "$output" "/run/images/$id\$"
	cman image unmount busybox >/dev/null
}
