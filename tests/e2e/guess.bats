# SPDX-License-Identifier: Apache-2.0
# run goes by the image that it took the last time, and exec by the container, while the database is
# still being read: that is never seen, also where it is wrong, and a start that is killed before its
# row leaves nothing.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
	cd "$BATS_TEST_TMPDIR" || exit
}

# image NAME TEXT: busybox with a file that tells which image it is.
image() {
	cman rm -f maker >/dev/null 2>&1 || true
	cman run --name maker busybox sh -c "echo $2 >/which"
	cman commit maker "$1" >/dev/null
	cman rm maker >/dev/null
}

guessed() {
	cman --log-level debug run --rm "$@" 2>&1 >/dev/null | grep -q ', as the last time'
}

@test "the second run of an image goes by the first" {
	refute guessed busybox true
	guessed busybox true
	refute guessed busybox:latest true
	refute guessed --image busybox true
	guessed --image busybox true
	# a pull may bring another one, and a volume has to be recorded before the start
	refute guessed --platform linux/amd64 busybox true
	refute guessed -v nest:/nest busybox true
}

@test "a name that has come to mean another image" {
	image one one
	image two two
	[ "$(cman run --rm one cat /which)" = one ]
	[ "$(cman run --rm one cat /which)" = one ]
	cman tag two one
	[ "$(cman run --rm one cat /which)" = two ]
	[ "$(cman run --rm one cat /which)" = two ]
	cman rmi -f one two >/dev/null
	run --separate-stderr cman run --rm --pull never one cat /which
	assert_status 125
	assert_stderr "cman: default image: no such image: ubuntu-base
hint: cman images lists what there is, cman pull gets more"
	run --separate-stderr cman run --rm --image one --pull never cat /which
	assert_status 125
	assert_stderr "cman: no such image: one
hint: cman images lists what there is, cman pull gets more"
	[ -z "$(ls "$CMAN_ROOT/containers")" ]
}

@test "a word that has come to be the name of an image, and is none any more" {
	printf 'default_image = busybox\n' >"$CMAN_CONFIG"
	[ "$(cman run --rm echo once)" = once ]
	[ "$(cman run --rm echo once)" = once ]
	cman tag busybox echo
	run --separate-stderr cman run --rm echo echo twice
	assert_output twice
	run --separate-stderr cman run --rm echo echo twice
	assert_output twice
	cman rmi echo >/dev/null
	[ "$(cman run --rm echo once)" = once ]
	# and another default
	image other other
	printf 'default_image = other\n' >"$CMAN_CONFIG"
	[ "$(cman run --rm cat /which)" = other ]
}

@test "an image with a volume, whose place was covered the first time" {
	cman run --name maker busybox true
	cman commit -c 'VOLUME /data' maker vol >/dev/null
	cman run --rm --tmpfs /data vol true
	guessed --tmpfs /data vol true
	cman run --rm vol touch /data/file
	cman run --rm vol touch /data/file
	[ -z "$(cman volume ls -q)" ]
	cman tag busybox vol
	cman run --rm vol true
	refute cman run --rm vol ls /data 2>/dev/null
}

@test "a container that cannot be made says why, and takes its volumes back" {
	run --separate-stderr cman run --cidfile /nonexistent/cid -v /anon -v named:/n busybox true
	assert_status 125
	assert_stderr "cman: cannot write /nonexistent/cid: No such file or directory"
	[ -z "$(cman volume ls -q)" ]
	[ -z "$(cman ps -aq)" ]
	cman run --rm busybox true
	mount --bind "$CMAN_ROOT/containers" "$CMAN_ROOT/containers"
	mount -o remount,bind,ro "$CMAN_ROOT/containers"
	run --separate-stderr cman run --rm busybox true
	umount "$CMAN_ROOT/containers"
	assert_status 125
	assert_match "$stderr" '^cman: cannot create .*/containers/[0-9a-f]{64}: Read-only file system$'
}

@test "what was remembered is damaged, or cannot be kept" {
	local file
	cman run --rm busybox true
	for file in "$CMAN_ROOT"/run/choice-*; do
		head -c 100 "$file" >"$file.new"
		mv "$file.new" "$file"
	done
	refute guessed busybox true
	guessed busybox true
	for file in "$CMAN_ROOT"/run/choice-*; do
		head -c 3000000 /dev/urandom >"$file"
	done
	[ "$(cman run --rm busybox echo here)" = here ]
	rm "$CMAN_ROOT"/run/choice-*
	mkdir "$file"
	[ "$(cman run --rm busybox echo here)" = here ]
	rmdir "$file"
}

removed_by() {
	# shellcheck disable=SC2086
	cman $1 >/dev/null 2>&1 || true
	[ ! -e "$CMAN_ROOT/containers/$2" ]
}

@test "a start whose client and monitor are killed before its row: the next rm or prune removes it" {
	local command locked client monitor id
	for command in 'rm nosuch' 'prune -f' 'fsck --repair'; do
		coproc sqlite3 "$CMAN_ROOT/cman.db"
		locked=$COPROC_PID
		echo 'BEGIN IMMEDIATE; SELECT 1;' >&"${COPROC[1]}"
		read -r -u "${COPROC[0]}" _
		"$CMAN" run --name bird busybox sleep 1000 3>&- &
		client=$!
		eventually pgrep -P "$client" >/dev/null
		monitor=$(pgrep -P "$client")
		eventually pgrep -P "$monitor" >/dev/null
		id=$(ls "$CMAN_ROOT/containers")
		kill -9 "$client" "$monitor"
		wait "$client" || true
		kill "$locked"
		wait "$locked" || true
		[ -d "$CMAN_ROOT/containers/$id" ]
		[ -z "$(cman ps -aq)" ]
		# its first process ends when what it has mounted is on the disk
		eventually removed_by "$command" "$id"
		[ -z "$(find /sys/fs/cgroup -type d -name "$id")" ]
	done
}

@test "a start whose monitor is killed before its row is told, and leaves nothing" {
	local locked client monitor
	coproc sqlite3 "$CMAN_ROOT/cman.db"
	locked=$COPROC_PID
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&"${COPROC[1]}"
	read -r -u "${COPROC[0]}" _
	"$CMAN" run --name bird busybox sleep 1000 2>said 3>&- &
	client=$!
	eventually pgrep -P "$client" >/dev/null
	monitor=$(pgrep -P "$client")
	eventually pgrep -P "$monitor" >/dev/null
	kill "$locked"
	wait "$locked" || true
	kill -9 "$monitor"
	status=0
	wait "$client" || status=$?
	# it may just have been quick enough
	[ "$status" = 125 ] || [ "$status" = 137 ]
	cman rm -f bird >/dev/null 2>&1 || true
	[ -z "$(ls "$CMAN_ROOT/containers")" ]
}

# joined NAME COMMAND...: in the container that was joined by this name the last time.
joined() {
	cman --log-level debug exec "$@" 2>&1 >/dev/null | grep -q ': as the last time$'
}

@test "the second exec by a name goes by the first" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	refute joined bird true
	joined bird true
	joined bird no-such-program
	run --separate-stderr cman exec bird no-such-program
	assert_status 127
	assert_stderr 'cman: bird: there is no program "no-such-program" in the container'"'"'s PATH'
	[ "$(echo text | cman exec -i bird cat)" = text ]
	# of an ID nothing is known yet
	refute joined "$(cman ps -q)" true
	joined "$(cman ps -q)" true
}

@test "a name that has come to mean another container, or another run of it" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	cman exec bird true
	joined bird true
	cman rename bird cat
	cman run -d --name bird busybox sleep 1000 >/dev/null
	[ "$(echo text | cman exec -i bird tee /mark)" = text ]
	cman exec bird test -e /mark
	refute cman exec cat test -e /mark
	cman restart -t 0 bird >/dev/null
	refute joined bird true
	joined bird true
	# and both names at once
	cman rename bird third
	cman rename cat bird
	refute cman exec bird test -e /mark
	cman exec third test -e /mark
	eventually refute pgrep -f '^cman-exec$'
}

@test "exec in a container that ran the last time" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	cman exec bird true
	cman pause bird >/dev/null
	run --separate-stderr cman exec bird touch /mark
	assert_status 125
	assert_stderr 'cman: bird is paused
hint: let it go on first: cman unpause bird'
	cman unpause bird >/dev/null
	refute cman exec bird test -e /mark
	cman stop -t 0 bird >/dev/null
	run --separate-stderr cman exec bird true
	assert_status 125
	assert_match "$stderr" '^cman: bird is not running'
	cman rm bird >/dev/null
	run --separate-stderr cman exec bird true
	assert_status 125
	assert_match "$stderr" '^cman: no such container: bird'
	eventually refute pgrep -f '^cman-exec$'
}

@test "what exec kept is damaged, or of another" {
	local file
	cman run -d --name bird busybox sleep 1000 >/dev/null
	cman exec bird true
	file=$(echo "$CMAN_ROOT"/run/container-*)
	for damage in 'truncate -s 0' 'truncate -s 100' 'truncate -s 1000'; do
		$damage "$file"
		refute joined bird true
		joined bird true
	done
	# a process that is not the container's
	printf '\x01\x00\x00\x00' | dd of="$file" bs=1 seek=4 conv=notrunc status=none
	[ "$(cman exec bird cat /proc/1/comm)" = ctinit ]
	joined bird true
	rm "$file"
	mkdir "$file"
	refute joined bird true
	refute joined bird true
}

# slowly COMMAND...: its second read of the database takes 0.6 s, and there is one.
slowly() {
	local log=$BATS_TEST_TMPDIR/slowly
	strace -qq -o "$log" -e trace=pread64 -e inject=pread64:delay_enter=600000:when=2 "$CMAN" "$@"
	grep -q DELAYED "$log"
}

@test "a wrong guess makes nothing in the container that is not meant" {
	local first second terminal
	first=$(cman run -d --name bird busybox sleep 1000)
	second=$(cman run -d --name cat busybox sleep 1000)
	for terminal in '' -t; do
		cman exec bird true
		cman rename bird third
		cman rename cat bird
		cman rename third cat
		# its client is slow to read the database, so that the guess has all the time it wants
		# shellcheck disable=SC2086
		slowly exec $terminal -w "/made-$second" bird true
		refute cman exec "$first" test -e "/made-$second"
		cman exec "$second" test -e "/made-$second"
		read -r first second <<<"$second $first"
	done
	cman exec bird true
	cman rename bird third
	cman rename cat bird
	slowly exec bird touch /mark
	refute cman exec third test -e /mark
	cman exec bird test -e /mark
	eventually refute pgrep -f '^cman-exec$'
}

@test "what exec keeps of a spec is that of the container, whichever it is, and of the last state" {
	local file number
	for number in 1 2; do
		cman run -d --name bird -e "N=$number" -u "$number" -w "/$number" busybox sleep 1000 >/dev/null
		[ "$(cman exec bird sh -c 'echo $N $(id -u) $PWD')" = "$number $number /$number" ]
		# what is too young is not kept
		[ -z "$(find "$CMAN_ROOT" -name exec.cache)" ]
		sleep 1.1
		for _ in 1 2; do
			[ "$(cman exec bird sh -c 'echo $N $(id -u) $PWD')" = "$number $number /$number" ]
			file=$(echo "$CMAN_ROOT"/containers/*/exec.cache)
			[ -f "$file" ]
		done
		[ "$(cman exec -e N=9 -u 7 -w / bird sh -c 'echo $N $(id -u) $PWD')" = '9 7 /' ]
		printf x | dd of="$file" bs=1 seek=40 conv=notrunc status=none
		[ "$(cman exec bird sh -c 'echo $N $(id -u) $PWD')" = "$number $number /$number" ]
		rm "$file"
		mkdir "$file"
		[ "$(cman exec bird sh -c 'echo $N $(id -u) $PWD')" = "$number $number /$number" ]
		rmdir "$file"
		cman fsck >/dev/null
		cman rm -f bird >/dev/null
		[ -z "$(find "$CMAN_ROOT" -name exec.cache)" ]
	done
}

@test "a wrong guess takes no place in a group of the other container that has a limit" {
	local id group client
	id=$(cman run -d --name bird --pids-limit 10 busybox sleep 1000)
	cman exec bird true
	cman run -d --name cat busybox sleep 1000 >/dev/null
	cman rename bird third
	cman rename cat bird
	group=$(find /sys/fs/cgroup -type d -name "$id" -exec test -e {}/pids.max \; -print -quit)
	[ -n "$group" ]
	slowly exec bird true 3>&- &
	client=$!
	eventually pgrep -f '^cman-exec$' >/dev/null
	sleep 0.2
	[ "$(wc -l <"$group/cgroup.procs")" = 2 ]
	wait "$client"
	[ "$(cat "$group/pids.max")" = 10 ]
}

# in_directory ID CALL N WHAT COMMAND...: WHAT happens to whoever makes the Nth such call in the
# directory of that container.
in_directory() {
	timeout 60 strace -f -qq -o /dev/null -P "$CMAN_ROOT/containers/$1" \
		-e "trace=$2" -e "inject=$2:$4:when=$3" "$CMAN" "${@:5}"
}

@test "a kill while exec keeps what it needs of a spec leaves nothing" {
	local id before call n
	id=$(cman run -d --name bird busybox sleep 1000)
	sleep 1.1
	before=$(find "$CMAN_ROOT/containers/$id" -maxdepth 1 | sort)
	for call in openat write fchmod unlinkat renameat linkat; do
		for n in 1 2 3; do
			in_directory "$id" $call $n signal=KILL exec bird true 3>&- || true
			[ "$(find "$CMAN_ROOT/containers/$id" -maxdepth 1 ! -name exec.cache | sort)" = "$before" ]
			[ "$(cman exec bird echo still)" = still ]
			# what is there is of no use any more
			printf x | dd of="$CMAN_ROOT/containers/$id/exec.cache" bs=1 seek=40 conv=notrunc status=none
		done
	done
	[ "$(cman exec bird echo still)" = still ]
	run --separate-stderr cman fsck
	assert_status 0
	assert_stderr ''
}

@test "a container that is removed while exec keeps something in its directory is gone" {
	local removed call client
	# it has a file there that has no name yet
	begun() { pgrep -f '^cman-exec$' | sed 's:.*:/proc/&/fd:' | xargs -r -I{} find {} -lname "*/containers/$removed/#*" | grep -q .; }
	for call in unlinkat linkat; do
		removed=$(cman run -d --name bird busybox sleep 1000)
		sleep 1.1
		in_directory "$removed" $call 1 delay_enter=1500000 exec bird true 3>&- 2>/dev/null &
		client=$!
		eventually begun
		cman rm -f bird
		wait "$client" || true
		[ -z "$(find "$CMAN_ROOT/containers" "$CMAN_ROOT/tmp" -mindepth 1)" ]
	done
	run --separate-stderr cman fsck
	assert_status 0
	assert_stderr ''
}
