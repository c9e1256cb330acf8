# SPDX-License-Identifier: Apache-2.0
# Images made of containers, and what there is to see of a container's files on the way: commit, diff.
# shellcheck shell=bash disable=SC2154

load registry

# start NAME IMAGE: a container that does nothing; $ROOT is its root directory as the host sees it.
start() {
	cman run -d --name "$1" "$2" sleep 10000 >/dev/null
	ROOT=/proc/$(cman inspect -f '{{.State.Pid}}' "$1")/root
}

# tree_of NAME: the tree of a container that has ended, as overlayfs has it. Without the places that
# cman makes where an image has none for /etc/hosts and the like.
tree_of() {
	local place=$BATS_TEST_TMPDIR/merged lower upper
	upper=$CMAN_ROOT/containers/$(cman inspect -f '{{.Id}}' "$1")/upper
	lower=$(cman inspect "$(cman inspect -f '{{.ImageID}}' "$1")" |
		jq -r '.[0].Layers | reverse | map(ltrimstr("sha256:")) | join(" ")')
	mkdir -p "$place"
	# shellcheck disable=SC2001,SC2086
	mount -t overlay -o "ro,lowerdir=$upper$(printf ":$CMAN_ROOT/layers/%s" $lower)" overlay "$place"
	list_tree "$place" | grep -vE '^etc/(hosts|hostname|resolv.conf) '
	umount "$place"
}

freezer_of() {
	find /sys/fs/cgroup -path "*/cman/$(cman inspect -f '{{.Id}}' "$1")/cgroup.freeze"
}

# has_size NAME BYTES: of /big in the container.
has_size() {
	[ "$(stat -c %s "/proc/$(cman inspect -f '{{.State.Pid}}' "$1")/root/big")" = "$2" ]
}

is_thawed() {
	[ "$(cat "$(freezer_of "$1")")" = 0 ]
}

@test "commit: the image's tree is the container's, file by file, and so for peers" {
	import_busybox
	start one busybox
	"$REPO/tests/e2e/change_tree.py" first "$ROOT"
	cman commit one first >"$BATS_TEST_TMPDIR/id"
	[ "$(cat "$BATS_TEST_TMPDIR/id")" = "$(cman images -q --no-trunc first)" ]
	cman kill one >/dev/null
	cman wait one >/dev/null
	tree_of one >"$BATS_TEST_TMPDIR/container"
	grep -q '^kinds/capable .*security.capability' "$BATS_TEST_TMPDIR/container"
	tree_by_cman first >"$BATS_TEST_TMPDIR/image"
	assert_same_tree "$BATS_TEST_TMPDIR/container" "$BATS_TEST_TMPDIR/image"

	# holes are no blocks: neither in the layer nor in the blob
	[ "$(du -sk "$CMAN_ROOT/layers" | cut -f 1)" -lt 20000 ]
	[ "$(du -sk "$CMAN_ROOT/blobs" | cut -f 1)" -lt 20000 ]

	# an image of the image
	start two first
	"$REPO/tests/e2e/change_tree.py" second "$ROOT"
	cman commit two second >/dev/null
	cman kill two >/dev/null
	cman wait two >/dev/null
	tree_of two >"$BATS_TEST_TMPDIR/container"
	tree_by_cman second >"$BATS_TEST_TMPDIR/image"
	assert_same_tree "$BATS_TEST_TMPDIR/container" "$BATS_TEST_TMPDIR/image"

	start_registry
	cman push --progress none second "$REGISTRY/second:latest" >/dev/null
	# umoci does not know zstd
	cman save --format oci-dir --compress gzip -o "$BATS_TEST_TMPDIR/layout" second
	umoci raw unpack --image "$BATS_TEST_TMPDIR/layout:second:latest" "$BATS_TEST_TMPDIR/unpacked"
	list_tree "$BATS_TEST_TMPDIR/unpacked" >"$BATS_TEST_TMPDIR/by-umoci"
	# umoci does not keep a hard link to a symbolic link or a FIFO; of kinds/two's two names overlayfs
	# counts the one that is hidden as well
	assert_same_tree "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/by-umoci" '^kinds/(link|fifo|two )'
	tree_by_podman "$REGISTRY/second:latest" >"$BATS_TEST_TMPDIR/by-podman"
	# podman takes no time before 1970
	assert_same_tree "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/by-podman" '^(\.|kinds/old) '
}

@test "commit: a container that changed nothing, and one that has ended" {
	import_busybox
	cman run --name ended busybox true
	cman commit ended same >/dev/null
	tree_of ended >"$BATS_TEST_TMPDIR/container"
	tree_by_cman same >"$BATS_TEST_TMPDIR/image"
	assert_same_tree "$BATS_TEST_TMPDIR/container" "$BATS_TEST_TMPDIR/image"
	tree_by_cman busybox >"$BATS_TEST_TMPDIR/parent"
	assert_same_tree "$BATS_TEST_TMPDIR/parent" "$BATS_TEST_TMPDIR/image" '^\. '
	run --separate-stderr cman diff ended
	assert_status 0
	assert_output ""
}

@test "commit: the configuration is the image's, with what was asked for" {
	import_busybox
	cman run --name one -e SECRET=x -w /tmp busybox true
	run --separate-stderr cman commit -a 'A Bird <bird@example.com>' -m 'one more' \
		-c 'ENV TWO=2 PATH=$PATH:/opt' -c 'CMD ["sh", "-c", "echo $TWO $PATH $SECRET"]' \
		--change 'LABEL who="a bird"' -c 'WORKDIR /var' -c 'USER 1000' one named:x
	assert_status 0
	assert_match "$output" '^[0-9a-f]{64}$'
	assert_stderr ""
	run --separate-stderr cman run --rm named:x
	assert_output "2 /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt"
	run --separate-stderr cman run --rm named:x sh -c 'pwd; id -u'
	assert_output "/var
1000"
	[ "$(cman inspect -f '{{.Config.Labels.who}}' named:x)" = 'a bird' ]
	cman inspect named:x | jq -e '.[0].Config | .config.Labels.who == "a bird"
		and .author == "A Bird <bird@example.com>" and (.rootfs.diff_ids | length) == 2
		and (.history | length) == 2 and .history[1].comment == "one more"
		and .history[1].created_by == "true"'
	# without a name it is found by its ID
	id=$(cman commit one)
	cman inspect "$id" | jq -e '.[0].RepoTags == []'
}

@test "commit -c HEALTHCHECK: containers of the image are looked after" {
	import_busybox
	cman run --name one busybox true
	cman commit -c 'HEALTHCHECK --interval=100ms --retries=2 CMD test -e /up' one checked:x >/dev/null
	cman inspect checked:x | jq -e '.[0].Config.config.Healthcheck
		== { Test: ["CMD-SHELL", "test -e /up"], Interval: 100000000, Retries: 2 }'
	cman run -d --name two checked:x sleep 100 >/dev/null
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.State.Health.Status}}" two)" = unhealthy ]'
	cman exec two touch /up
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.State.Health.Status}}" two)" = healthy ]'
	cman commit -c 'HEALTHCHECK NONE' two unchecked:x >/dev/null
	cman run -d --name three unchecked:x sleep 100 >/dev/null
	[ "$(cman inspect -f '{{json .State.Health}}' three)" = null ]
	run --separate-stderr cman commit -c 'HEALTHCHECK --interval 5s CMD true' one x
	assert_status 125
	assert_stderr "cman: --change: HEALTHCHECK --interval 5s CMD true: HEALTHCHECK has no option --interval
hint: those with '=' and a value: --interval --timeout --start-period --start-interval --retries (see 'cman commit --help')"
	run --separate-stderr cman commit -c 'HEALTHCHECK --interval=5us CMD true' one x
	assert_status 125
	assert_match "$stderr" '^cman: --change: HEALTHCHECK --interval=5us CMD true: .*is less than 1 ms'
}

@test "commit: what cannot be asked for is said before anything is done" {
	import_busybox
	cman run --name one busybox true
	run --separate-stderr cman commit -c 'RUN true' one x
	assert_status 125
	assert_stderr "cman: --change: RUN true: an image's configuration cannot be changed by it
hint: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR can (see 'cman commit --help')"
	run --separate-stderr cman commit -c 'STOPSIGNAL SIGFOO' one x
	assert_status 125
	assert_stderr "cman: --change: STOPSIGNAL SIGFOO: no such signal
hint: see 'cman commit --help'"
	run --separate-stderr cman commit --pause=perhaps one x
	assert_status 125
	assert_match "$stderr" '^cman: --pause: not true or false: perhaps'
	run --separate-stderr cman commit nosuch x
	assert_status 125
	assert_stderr "cman: no such container: nosuch"
	run --separate-stderr cman commit one "x@sha256:$(printf '%064d' 0)"
	assert_status 125
	assert_match "$stderr" 'a name with a digest cannot be given'
	run --separate-stderr cman commit one 'UPPER CASE'
	assert_status 125
	[ "$(cman images -q | wc -l)" = 1 ]
}

@test "commit: a name that a layer would take for a deletion is refused, sockets are counted" {
	import_busybox
	start one busybox
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$ROOT/tmp/s"
	run --separate-stderr cman commit one x
	assert_status 0
	assert_stderr "cman: warning: 1 socket left out: no archive can hold one"
	touch "$ROOT/tmp/.wh.x"
	run --separate-stderr cman commit one y
	assert_status 125
	assert_stderr "cman: one: /tmp/.wh.x: no layer can hold a name that begins with .wh.
hint: in a layer such a name means that another is gone"
	is_thawed one
	refute cman inspect --type image y 2>/dev/null
	[ -z "$(ls "$CMAN_ROOT/tmp")" ]
}

@test "commit: a container is held still meanwhile, and goes on" {
	import_busybox
	# Two files that always say the same, but for a moment.
	cman run -d --name one busybox sh -c 'head -c 30000000 /dev/urandom >/big
		i=0; while :; do
			i=$((i + 1))
			for file in a z; do echo $i >/$file.new; mv /$file.new /$file; done
		done' >/dev/null
	eventually test -s "/proc/$(cman inspect -f '{{.State.Pid}}' one)/root/z"
	for _ in 1 2 3; do
		cman commit one still >/dev/null
		is_thawed one
		dir=$(cman image mount still)
		[ $(($(cat "$dir/a") - $(cat "$dir/z"))) -le 1 ]
		cman image unmount still >/dev/null
	done
	before=$(cman exec one cat /a)
	counts_on() { [ "$before" != "$(cman exec one cat /a)" ]; }
	eventually counts_on
	# unpaused: it works as well, and nobody froze it
	cman commit --pause=false one loose >/dev/null 2>&1
	is_thawed one
}

@test "commit: a container that was made from a directory has no image to go on from" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/bin"
	cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/tree/bin/true"
	cman create --name one --rootfs "$BATS_TEST_TMPDIR/tree" true >/dev/null
	run --separate-stderr cman commit one two
	assert_status 125
	assert_output ''
	assert_stderr 'cman: one: it was made from a directory: there is no image to go on from
hint: make one of its files: cman export, cman import'
	cman export one | cman import -q - two >/dev/null
	run --separate-stderr cman run --rm --image two true
	assert_status 0
}

@test "commit: killed at any moment it leaves no container frozen, and no image" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 20000000 /dev/urandom >/big; sleep 10000' >/dev/null
	eventually has_size one 20000000
	for ms in 0 2 4 6 8 10 15 20 30 40 60 80 120; do
		"$CMAN" commit one gone >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.$(printf '%03d' "$ms")"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		eventually is_thawed one
	done
	cman exec one true
	cman commit one there >/dev/null
	cman fsck >/dev/null
	forget_begun
}

@test "commit: interrupted by the terminal it ends, and the container goes on" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 90000000 /dev/urandom >/big; sleep 10000' >/dev/null
	eventually has_size one 90000000
	# a process group of its own, all of which gets the signal, as from ctrl-c
	env --default-signal=INT setsid "$CMAN" commit one gone >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	eventually pgrep -P "$pid" -f '^cman-pack' >/dev/null
	kill -INT -- "-$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 130 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "cman: interrupted" ]
	eventually is_thawed one
	refute cman inspect --type image gone 2>/dev/null
	# the draft is removed by a process of its own, so that nobody waits for that
	eventually sh -c '[ -z "$(ls "$CMAN_ROOT/tmp")" ]'
}

@test "commit: when the guard is killed, commit itself lets the container go on" {
	import_busybox
	cman run -d --name one busybox sh -c 'head -c 90000000 /dev/urandom >/big; sleep 10000' >/dev/null
	eventually has_size one 90000000
	"$CMAN" commit one there >/dev/null 3>&- &
	pid=$!
	eventually pgrep -P "$pid" -f '^cman-guard' >/dev/null
	pkill -KILL -P "$pid" -f '^cman-guard'
	wait "$pid" || true
	is_thawed one
}

@test "commit: several at once take turns, and one that was paused stays so" {
	import_busybox
	cman run -d --name one busybox sleep 10000 >/dev/null
	pids=()
	for i in 1 2 3 4; do
		cman commit one "copy:$i" >/dev/null 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}"
	is_thawed one
	[ "$(cman images copy | grep -c copy)" = 4 ]
	echo 1 >"$(freezer_of one)"
	cman commit one paused >/dev/null
	[ "$(cat "$(freezer_of one)")" = 1 ]
	echo 0 >"$(freezer_of one)"
}

@test "commit: places that cman made to mount on are no part of the image" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/bin" "$BATS_TEST_TMPDIR/outside"
	cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/tree/bin/busybox"
	tar -C "$BATS_TEST_TMPDIR/tree" -c . | cman import -q - bare >/dev/null
	cman run --name one bare busybox true
	run --separate-stderr cman diff one
	assert_status 0
	assert_output ""
	cman commit one same >/dev/null
	tree_by_cman same >"$BATS_TEST_TMPDIR/image"
	tree_by_cman bare >"$BATS_TEST_TMPDIR/parent"
	diff "$BATS_TEST_TMPDIR/parent" "$BATS_TEST_TMPDIR/image"
	# but where there is something in them, and where a volume was, they are
	cman run --name two -v "$BATS_TEST_TMPDIR/outside:/volume" bare busybox touch /etc/mine
	run --separate-stderr cman diff two
	assert_output "A /etc
A /etc/mine
A /volume"
	cman commit two more >/dev/null
	tree_by_cman more | sed 's/ .*//' >"$BATS_TEST_TMPDIR/names"
	diff - "$BATS_TEST_TMPDIR/names" <<<".
bin
bin/busybox
etc
etc/mine
volume"
}

@test "commit: where there is no freezer it says so" {
	import_busybox
	cman run -d --name one busybox sleep 10000 >/dev/null
	# shellcheck disable=SC2016 # the inner shell expands it
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs tmpfs /sys/fs/cgroup && exec "$CMAN" "$@"' \
		sh commit one x
	assert_status 125
	assert_stderr "cman: one: cannot pause it: there is no freezer for it: it has no group in a cgroup2 hierarchy
hint: it can be done while it runs: --pause=false"
	# shellcheck disable=SC2016
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs tmpfs /sys/fs/cgroup && exec "$CMAN" "$@"' \
		sh commit --pause=false one x
	assert_status 0
}

@test "diff: what was added, changed and deleted" {
	import_busybox
	start one busybox
	run --separate-stderr cman diff one
	assert_status 0
	assert_output ""
	mkdir -p "$ROOT/srv/new"
	rm -r "${ROOT:?}/var/tmp"
	chmod 600 "$ROOT/etc/passwd"
	rm -r "${ROOT:?}/home"
	mkdir "$ROOT/home"
	touch "$ROOT/home/here"
	# opened for writing, and not changed: overlayfs copies it, diff is not fooled
	touch -r "$ROOT/etc/group" "$BATS_TEST_TMPDIR/time"
	: >>"$ROOT/etc/group"
	touch -r "$BATS_TEST_TMPDIR/time" "$ROOT/etc/group"
	printf 'x' >"$ROOT/tmp/$(printf 'esc\033[31m')"
	run --separate-stderr cman diff one
	assert_status 0
	assert_output 'C /etc/passwd
C /home
D /home/bird
A /home/here
A /srv
A /srv/new
C /tmp
A /tmp/esc\x1b[31m
C /var
D /var/tmp'
	run --separate-stderr cman diff --format json one
	[ "$(jq -r 'select(.Kind == "D") | .Path' <<<"$output" | head -1)" = /home/bird ]
	run --separate-stderr cman diff --format '{{.Path}}' one
	[ "${lines[0]}" = /etc/passwd ]
	# the same when it has ended
	cman diff one >"$BATS_TEST_TMPDIR/running"
	cman kill one >/dev/null
	cman wait one >/dev/null
	cman diff one | diff "$BATS_TEST_TMPDIR/running" -
}

@test "diff: of several, each line with its name; one that is not there is told" {
	import_busybox
	cman run --name one busybox touch /tmp/song
	cman run --name two busybox rm /etc/group
	run --separate-stderr cman diff one nosuch two
	assert_status 125
	assert_output 'one: C /tmp
one: A /tmp/song
two: C /etc
two: D /etc/group'
	assert_stderr 'cman: no such container: nosuch'
	run --separate-stderr cman diff --format table one two
	assert_status 0
	assert_output 'KIND  PATH        CONTAINER
C     /tmp        one
A     /tmp/song   one
C     /etc        two
D     /etc/group  two'
	[ "$(cman diff --format json one two | jq -r 'select(.Kind == "D") | .Container')" = two ]
	[ "$(cman diff --format table one)" = 'KIND  PATH
C     /tmp
A     /tmp/song' ]
}
