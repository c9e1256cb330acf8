#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where cman is used that is not as it should be: namespaces, /proc, and where its store lies.

load helpers

setup() {
	new_root
	import_busybox
}

state_of() {
	sqlite3 -cmd '.timeout 5000' "$CMAN_ROOT/cman.db" "SELECT state FROM container WHERE name = '$1'"
}

@test "a /proc of another PID namespace: refused, as its numbers mean other processes" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	cman create --name egg busybox true >/dev/null
	for command in 'run --rm busybox true' 'run -d busybox true' 'exec bird true' 'start egg' \
		'pause bird' 'stop -t 0 bird' 'rm -f bird' 'logs bird' 'cp bird:/etc/passwd -'; do
		# shellcheck disable=SC2086
		run --separate-stderr unshare --pid --fork timeout -k 1 20 "$CMAN" $command
		assert_status 125
		assert_output ''
		assert_match "$stderr" '^cman: (bird: |egg: )?/proc shows the processes of another PID namespace
hint: mount one of this: mount -t proc proc /proc, or unshare --mount-proc$'
	done
	run --separate-stderr cman exec bird echo alive
	assert_output alive
	# With its own all is well.
	run --separate-stderr unshare --pid --fork --mount-proc "$CMAN" run --rm busybox echo here
	assert_status 0
	assert_output here
}

@test "no /proc: said so, with what to do" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	# One may be below the other.
	without='while umount -l /proc 2>/dev/null; do :; done; exec "$CMAN" "$@"'
	run --separate-stderr unshare --mount sh -c "$without" sh run --rm busybox true
	assert_status 125
	assert_stderr 'cman: /proc is not a proc file system
hint: cman needs it: mount -t proc proc /proc'
	run --separate-stderr unshare --mount sh -c "$without" sh stop bird
	assert_status 125
	assert_stderr 'cman: bird: cannot read /proc/sys/kernel/random/boot_id: No such file or directory
hint: cman needs /proc to be mounted'
	[ "$(state_of bird)" = running ]
}

@test "another PID namespace: a container of this one is neither harmed nor taken for ended" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	run --separate-stderr unshare --pid --fork --mount-proc "$CMAN" rm -f bird
	assert_status 125
	assert_match "$stderr" '^cman: bird has ended, but its monitor \(process [0-9]+\) does not record it
hint: it is not seen from here: is it of another PID namespace\?$'
	[ "$(state_of bird)" = running ]
	run --separate-stderr cman exec bird echo alive
	assert_output alive
}

@test "a monitor that is stopped: the payload goes on, and who waits for its end is told" {
	cman run -d --name bird busybox sleep 1000 >/dev/null
	monitor=$(sqlite3 "$CMAN_ROOT/cman.db" "SELECT monitor_pid FROM container WHERE name = 'bird'")
	kill -STOP "$monitor"
	run --separate-stderr cman exec bird echo alive
	assert_output alive
	run --separate-stderr cman rm -f bird
	kill -CONT "$monitor"
	assert_status 125
	assert_stderr "cman: bird has ended, but its monitor (process $monitor) does not record it
hint: if it is stopped, let it go on: kill -CONT $monitor"
	eventually sh -c '[ "$("$CMAN" inspect -f "{{.State.ExitCode}}" bird)" = 137 ]'
}

@test "a store that others may write to is refused: they would have root's powers" {
	others_may_write() {
		assert_status 125
		assert_stderr "cman: others may write to $1, and so do all that cman may (mode $2)
hint: take another directory, or if nobody has: chmod go-w"
	}
	chmod 1777 "$CMAN_ROOT"
	run --separate-stderr cman ps
	others_may_write "$CMAN_ROOT" 1777
	run --separate-stderr cman run --rm busybox true
	others_may_write "$CMAN_ROOT" 1777
	chmod 770 "$CMAN_ROOT"
	chgrp 1000 "$CMAN_ROOT"
	run --separate-stderr cman images
	others_may_write "$CMAN_ROOT" 0770
	chgrp 0 "$CMAN_ROOT"
	run --separate-stderr cman images -q
	assert_status 0
	chmod 755 "$CMAN_ROOT"
	for below in containers layers tmp run; do
		chmod 777 "$CMAN_ROOT/$below"
		run --separate-stderr cman create busybox true
		others_may_write "$CMAN_ROOT/$below" 0777
		chmod 700 "$CMAN_ROOT/$below"
	done
	chown 1000 "$CMAN_ROOT"
	run --separate-stderr cman run --rm busybox true
	chown 0 "$CMAN_ROOT"
	assert_status 125
	assert_stderr "cman: $CMAN_ROOT belongs to user 1000, who could do all that cman may by what is there
hint: take another directory, or make it yours: chown 0:0"
	run --separate-stderr cman run --rm busybox echo here
	assert_output here
}

@test "a root directory whose path nobody could use is refused before it is made" {
	long=$BATS_TEST_TMPDIR/$(printf 'a%.0s' {1..200})/$(printf 'b%.0s' {1..180})
	run --separate-stderr cman --root "$long" pull -q --name busybox "$FIXTURES/busybox.tar.gz"
	assert_status 125
	assert_stderr "cman: the path of the root directory has ${#long} bytes, and may have 400
hint: mount it in another place, too: mount --bind"
	[ ! -e "${long%/*}" ]
	run --separate-stderr cman --root "$BATS_TEST_TMPDIR/"$'\xff' ps
	assert_status 125
	assert_stderr "cman: the path of the root directory is not UTF-8: $BATS_TEST_TMPDIR/\\xff"
	[ ! -e "$BATS_TEST_TMPDIR/"$'\xff' ]
	# One as long as it may be, with all that overlayfs, SQLite and shells make something of.
	odd=$BATS_TEST_TMPDIR/$'a:b,c\\d %s\n"?#=\''
	odd=$odd/${long##*/}
	odd=$odd/$(printf 'a%.0s' $(seq $((399 - ${#odd}))))
	[ ${#odd} = 400 ]
	export CMAN_ROOT=$odd
	import_busybox
	cman run -d --name bird -v nest:/nest busybox sh -c 'echo one >/nest/egg; echo two; exec sleep 1000' >/dev/null
	eventually has_said bird two
	run --separate-stderr cman exec bird cat /nest/egg
	assert_output one
	cman stop -t 0 bird
	cman commit bird second
	cman image mount second
	cman image unmount second
	cman rm bird
	run --separate-stderr cman fsck
	assert_status 0
}

@test "an option of run that could not be kept is named" {
	for option in --workdir --volume --user --env --hostname --mount --annotation; do
		run --separate-stderr cman run "$option" $'/\xff' busybox true
		assert_status 125
		assert_stderr "cman: $option: not UTF-8: /\\xff
hint: see 'cman run --help'"
	done
	[ -z "$(cman ps -aq)" ]
}

@test "an environment that is too long is told, with how long it may be" {
	{
		echo -n V=
		head -c 200000 /dev/zero | tr '\0' v
	} >"$BATS_TEST_TMPDIR/env"
	for option in --rm -d; do
		run --separate-stderr cman run $option --env-file "$BATS_TEST_TMPDIR/env" busybox true
		assert_status 125
		assert_output ''
		assert_stderr "cman: cannot execute ctinit: Argument list too long
hint: the kernel takes 128 KiB for one word or variable, and for all of them a quarter of the stack's limit"
	done
}

@test "a message that is too long is cut, but not what has happened" {
	cman create --name bird busybox true >/dev/null
	long=$(printf 'a%.0s' {1..2000})
	run --separate-stderr cman cp "/$long" bird:/
	assert_status 125
	assert_match "$stderr" '^cman: .*aaa\.\.\.aaa.*: Filename too long$'
}
