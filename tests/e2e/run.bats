#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman run: which image, what the payload gets, and what comes back.

load helpers

setup() {
	new_root
	import_busybox
}

@test "the exit status is the payload's" {
	for code in 0 1 2 42 124 255; do
		run --separate-stderr cman run --rm busybox sh -c "exit $code"
		assert_status "$code"
		assert_output ''
		assert_stderr ''
	done
}

@test "death by a signal is 128 plus its number" {
	run --separate-stderr cman run --rm busybox sh -c 'kill -9 $$'
	assert_status 137
	run --separate-stderr cman run --rm busybox sh -c 'kill -TERM $$'
	assert_status 143
}

@test "stdout and stderr stay apart and unchanged" {
	run --separate-stderr cman run --rm busybox sh -c 'printf "a\0b\r\n" | cat -v; echo oops >&2'
	assert_status 0
	assert_output 'a^@b^M'
	assert_stderr oops
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	cman run --rm -i busybox cat <"$BATS_TEST_TMPDIR/bytes" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/back"
}

@test "output of a foreground run is in the log as well" {
	cman run --name bird busybox sh -c 'echo one; echo two >&2'
	run --separate-stderr cman logs bird
	assert_output one
	assert_stderr two
}

@test "the first word is the image if it names a local one" {
	run --separate-stderr cman run --rm busybox echo image
	assert_output image
}

@test "--image: all words are the command" {
	run --separate-stderr cman run --rm --image busybox busybox echo hi
	assert_status 0
	assert_output hi
}

@test "a word that is neither image nor program says both" {
	echo 'default_image = busybox' >"$CMAN_CONFIG"
	run --separate-stderr cman run --name bird nosuchword
	assert_status 127
	assert_match "$stderr" '^cman: .*nosuchword.*neither.*image.*program'
	assert_match "$stderr" 'hint: .*cman (pull|run)'
	run --separate-stderr cman ps -a --format '{{.Name}} {{.Status}}'
	assert_match "$output" '^bird Exited \(127\)'
}

@test "a word written as a reference that is not there is not guessed" {
	run --separate-stderr cman run --rm nowhere/nothing:1.0 true
	assert_status 125
	assert_match "$stderr" 'nowhere/nothing:1.0'
}

@test "a program that is not there: 127, one that is not executable: 126, on this terminal" {
	run --separate-stderr cman run --name nope -d busybox /no/such/program
	assert_status 127
	assert_output ''
	assert_match "$stderr" '^cman: .*/no/such/program.*(not found|No such file)'
	run --separate-stderr cman run --name noexec -d busybox /etc/passwd
	assert_status 126
	assert_output ''
	assert_match "$stderr" '^cman: .*/etc/passwd.*(not executable|Permission denied)'
	run --separate-stderr cman inspect nope
	assert_match "$output" '/no/such/program'
	run --separate-stderr cman run --name nope2 --no-init busybox /no/such/program
	assert_status 127
	cman rm nope noexec nope2
}

@test "-e, --env-file, -w, -u, -h" {
	printf '# comment\nFROM_FILE=a b\nHOST_VALUE\n' >"$BATS_TEST_TMPDIR/env"
	HOST_VALUE=host run --separate-stderr cman run --rm -e GIVEN=x=y -e HOST_VALUE \
		--env-file "$BATS_TEST_TMPDIR/env" -w /tmp -u bird -h nest busybox \
		sh -c 'echo "$GIVEN|$FROM_FILE|$HOST_VALUE|$HOME|$PWD|$HOSTNAME"; hostname; id'
	assert_status 0
	assert_output 'x=y|a b|host|/home/bird|/tmp|nest
nest
uid=1000(bird) gid=1000(bird) groups=3000(flock)'
}

@test "thousands of variables, and of each the one that was given last" {
	{
		seq -f 'VAR%.0f=of the file' 10000
		echo VAR5000=again
	} >"$BATS_TEST_TMPDIR/env"
	run --separate-stderr cman run -d --name bird --env-file "$BATS_TEST_TMPDIR/env" -e VAR1=x -e VAR1=given \
		busybox sleep 600
	assert_status 0
	show='env >/tmp/env; for i in 1 2 5000 10000; do grep "^VAR$i=" /tmp/env; done; grep -c ^VAR /tmp/env'
	run --separate-stderr cman exec bird sh -c "$show"
	assert_status 0
	assert_output $'VAR1=given\nVAR2=of the file\nVAR5000=again\nVAR10000=of the file\n10000'
	run --separate-stderr cman exec --env-file "$BATS_TEST_TMPDIR/env" -e VAR2=x -e VAR2=here bird sh -c "$show"
	assert_status 0
	assert_output $'VAR1=of the file\nVAR2=here\nVAR5000=again\nVAR10000=of the file\n10000'
}

@test "-u with numbers and groups" {
	run --separate-stderr cman run --rm -u 77:88 busybox id
	assert_output 'uid=77 gid=88'
	run --separate-stderr cman run --rm -u bird:flock busybox sh -c 'id -u; id -g'
	assert_output '1000
3000'
	run --separate-stderr cman run --rm -u nobird busybox id
	assert_status 125
	assert_match "$stderr" 'nobird.*/etc/passwd'
}

@test "a missing working directory is made, inside only" {
	run --separate-stderr cman run --rm -w /new/dir busybox pwd
	assert_output /new/dir
	run --separate-stderr cman run --rm -w relative busybox pwd
	assert_status 125
	assert_match "$stderr" 'relative'
}

@test "-v: read-write, read-only, a file, and what is not there" {
	mkdir "$BATS_TEST_TMPDIR/vol"
	echo inside >"$BATS_TEST_TMPDIR/vol/file"
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/vol:/mnt/vol" busybox \
		sh -c 'cat /mnt/vol/file; echo new >/mnt/vol/new'
	assert_output inside
	[ "$(cat "$BATS_TEST_TMPDIR/vol/new")" = new ]
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/vol:/mnt/vol:ro" busybox \
		sh -c 'echo no >/mnt/vol/no'
	assert_status 1
	assert_match "$stderr" 'Read-only file system'
	[ ! -e "$BATS_TEST_TMPDIR/vol/no" ]
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/vol/file:/etc/file" busybox cat /etc/file
	assert_output inside
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/missing:/mnt" busybox true
	assert_status 125
	assert_match "$stderr" "missing.*No such file or directory"
	[ ! -e "$BATS_TEST_TMPDIR/missing" ]
}

@test "volumes within volumes, in any order; none is hidden, none twice in one place" {
	mkdir -p "$BATS_TEST_TMPDIR"/{outer,inner}
	touch "$BATS_TEST_TMPDIR"/{outer/nest,inner/egg}
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/inner:/a/b/c" -v "$BATS_TEST_TMPDIR/outer:/a" \
		--tmpfs /a/b busybox sh -c 'find /a | sort'
	assert_status 0
	assert_output '/a
/a/b
/a/b/c
/a/b/c/egg
/a/nest'
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR/outer:/a" --tmpfs //a/ busybox true
	assert_status 125
	assert_stderr "cman: --tmpfs: two things cannot be mounted on /a: //a/
hint: see 'cman run --help'"
}

@test "-v /:/host: the host's root, without what the container is made of" {
	echo seed >"$BATS_TEST_TMPDIR/seed"
	run --separate-stderr cman run --rm -v /:/host:ro busybox cat "/host$BATS_TEST_TMPDIR/seed"
	assert_status 0
	assert_output seed
	assert_stderr ''
	run --separate-stderr cman run --rm -v /:/host:ro busybox awk '$5 == "/host"' /proc/self/mountinfo
	[ "${#lines[@]}" = 1 ]
}

@test "--read-only and --tmpfs" {
	run --separate-stderr cman run --rm --read-only --tmpfs /scratch busybox \
		sh -c 'echo x >/scratch/x && cat /scratch/x; echo no >/no'
	assert_status 1
	assert_output x
	assert_match "$stderr" 'Read-only file system'
}

@test "writes of one container are not seen by another, nor by the image" {
	cman run --name one busybox sh -c 'echo changed >/etc/hello; rm /etc/group'
	run --separate-stderr cman run --rm busybox sh -c 'ls /etc/hello; ls /etc/group'
	assert_match "$output" '/etc/group'
	assert_match "$stderr" '/etc/hello'
}

@test "-m, --pids-limit, --cpus, --cpu-shares, --cpuset-cpus are in force" {
	run --separate-stderr cman run --rm -m 32m busybox \
		sh -c 'dd if=/dev/zero of=/dev/null bs=100M count=1'
	assert_status 137
	run --separate-stderr cman run --rm --pids-limit 5 busybox \
		sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	assert_match "$stderr" "can't fork"
	run --separate-stderr cman run --rm --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status
	assert_match "$output" '0$'
	run --separate-stderr cman run --rm --cpus 0.5 --cpu-shares 512 busybox true
	assert_status 0
}

@test "bad values of options are named" {
	local -A bad=([--memory]=12q [--cpus]=many [--pids-limit]=x [--cpu-shares]=-1
		[--stop-signal]=SIGBIRD [--stop-timeout]=soon [--network]=moon [--name]='a/b'
		[--volume]=nocolon [--env-file]=/no/such/file [--cpuset-cpus]=99-x)
	for option in "${!bad[@]}"; do
		run --separate-stderr cman run --rm "$option" "${bad[$option]}" busybox true
		assert_status 125
		assert_match "$stderr" "^cman: .*${option#--}"
	done
	run --separate-stderr cman run --nosuch busybox true
	assert_status 125
	assert_match "$stderr" "^cman: .*--nosuch"
	for name in '' -x 'a b' é "$(printf '%0129d' 0)"; do
		run --separate-stderr cman run --name "$name" busybox true
		assert_status 125
		assert_stderr "cman: --name: not a name: $name
hint: up to 128 letters, digits, '_', '.' and '-', a letter or digit first (see 'cman run --help')"
	done
	run --separate-stderr cman run --rm -h "$(printf '%064d' 1)" busybox true
	assert_status 0
	run --separate-stderr cman run --rm -h "$(printf '%065d' 1)" busybox true
	assert_status 125
	assert_stderr "cman: --hostname: not a host name: $(printf '%065d' 1)
hint: up to 64 letters, digits, '_', '.' and '-', a letter or digit first (see 'cman run --help')"
}

@test "why it could not be started is told every time" {
	for try in $(seq 40); do
		run --separate-stderr cman run --rm -u "nobody$try" busybox true
		assert_status 125
		assert_stderr "cman: no user nobody$try in the image's /etc/passwd"
	done
}

@test "--network none has a loopback that is up and nothing else; host has the host's" {
	run --separate-stderr cman run --rm busybox sh -c 'ls /sys/class/net; ping -c 1 -W 2 127.0.0.1 >/dev/null && echo up'
	assert_output 'lo
up'
	run --separate-stderr cman run --rm --network host busybox cat /proc/self/net/dev
	[ "$(echo "$output" | wc -l)" = "$(wc -l </proc/net/dev)" ]
}

@test "--rm leaves no record, without it there is one" {
	cman run --rm --name gone busybox true
	run --separate-stderr cman ps -aq
	assert_output ''
	cman run --name kept busybox true
	run --separate-stderr cman ps -a --format '{{.Name}} {{.Status}}'
	assert_match "$output" '^kept Exited \(0\) '
}

@test "a name in use" {
	cman run --name bird -d busybox sleep 60
	run --separate-stderr cman run --name bird -d busybox sleep 60
	assert_status 125
	assert_output ''
	assert_match "$stderr" '^cman: .*bird.*(in use|taken)'
	assert_match "$stderr" 'hint: '
}

# names: of all containers, in one line.
names() {
	cman ps -a --format '{{.Name}}' | sort | xargs
}

@test "--replace: what has the name goes, and not before the new one is made" {
	run --separate-stderr cman run -d --replace --name bird --rm -v /data busybox sh -c 'echo kept >/data/x; exec sleep 100'
	assert_status 0
	old=$output
	eventually cman exec bird test -s /data/x
	# What cannot be made costs nobody his place.
	run --separate-stderr cman run -d --replace --name bird -v /nonexistent/dir:/x busybox true
	assert_status 125
	run --separate-stderr cman create --replace --name bird --cidfile /nonexistent/dir/id busybox true
	assert_status 125
	run --separate-stderr cman create --replace --name bird --network container:bird --cidfile "$BATS_TEST_TMPDIR/id" busybox true
	assert_status 125
	assert_stderr "cman: --replace: --network container:bird is to share with the one that is replaced
hint: give the new one another --name (see 'cman create --help')"
	[ ! -e "$BATS_TEST_TMPDIR/id" ]
	run --separate-stderr cman run --replace busybox true
	assert_status 125
	assert_stderr "cman: --replace is nothing without --name
hint: see 'cman run --help'"
	[ "$(names)" = bird ]
	[ "$(cman ps -q --no-trunc)" = "$old" ]
	# It runs, and its volume goes over to the new one.
	run --separate-stderr cman run -d --replace --name bird --cidfile "$BATS_TEST_TMPDIR/id" --volumes-from bird busybox sleep 100
	assert_status 0
	assert_stderr ''
	[ "$(cat "$BATS_TEST_TMPDIR/id")" = "$output" ]
	[ "$(cman ps -aq --no-trunc)" = "$output" ]
	[ "$(names)" = bird ]
	[ "$(cman exec bird cat /data/x)" = kept ]
	# It has ended; the program of the new one is not there, which is found out by its start.
	cman kill bird
	run -127 --separate-stderr cman run --replace --name bird busybox nosuch
	[ "$(names)" = bird ]
	run --separate-stderr cman run --replace --name bird busybox hostname
	assert_status 0
	assert_output "$(cman ps -aq)"
}

@test "--replace by many at once: one is left in the end, under its name" {
	local n pids=
	cman run -d --name bird busybox sleep 100
	for n in 1 2 3 4 5 6; do
		"$CMAN" run -d --replace --name bird busybox sleep 100 >"$BATS_TEST_TMPDIR/$n" 2>&1 3>&- &
		pids="$pids $!"
	done
	for n in $pids; do
		wait "$n" || true
	done
	cat "$BATS_TEST_TMPDIR"/[1-6]
	[ "$(names)" = bird ]
	grep -qx "$(cman ps -q --no-trunc)" "$BATS_TEST_TMPDIR"/[1-6]
	[ "$(pgrep -fc '^sleep 100')" = 1 ]
}

@test "--replace that is killed at any time: the old one or the new one is there, and all can be removed" {
	local ms
	for ms in 0 2 4 6 8 10 12 15; do
		cman create --replace --name bird busybox true >/dev/null
		"$CMAN" create --replace --name bird busybox true >/dev/null 2>&1 3>&- &
		sleep "0.0$(printf %02d "$ms")"
		kill -9 $! 2>/dev/null || true
		wait $! || true
		cman ps -a --format '{{.Name}} {{.State}}'
		assert_match "$(names)" '^bird(-[0-9a-f]{12})?( |$)'
		cman ps -aq | xargs "$CMAN" rm -f >/dev/null
	done
}

@test "two at once under one name: exactly one wins" {
	for _ in 1 2 3 4 5; do
		cman run --name race -d busybox sleep 60 >"$BATS_TEST_TMPDIR/a" 2>&1 &
		a=$!
		cman run --name race -d busybox sleep 60 >"$BATS_TEST_TMPDIR/b" 2>&1 &
		b=$!
		won=0
		wait "$a" && won=$((won + 1))
		wait "$b" && won=$((won + 1))
		[ "$won" = 1 ]
		cman rm -f race
	done
}

@test "stdin: only end-of-file without -i, the caller's with it" {
	run --separate-stderr bash -c 'echo given | "$CMAN" run --rm busybox cat'
	assert_status 0
	assert_output ''
	run --separate-stderr bash -c 'echo given | "$CMAN" run --rm -i busybox cat'
	assert_output given
	for shell in sh cat; do
		run --separate-stderr timeout 10 "$CMAN" run --rm busybox $shell
		assert_status 0
		assert_output ''
		assert_stderr ''
	done
	# nothing that a program could take for a terminal, or wait for
	run --separate-stderr timeout 10 "$CMAN" run --name bird busybox sh -c 'readlink /proc/self/fd/0; read -r -n 1 x || echo over'
	assert_status 0
	assert_output '/dev/null
over'
	run --separate-stderr timeout 10 "$CMAN" start -a bird
	assert_output '/dev/null
over'
}

@test "signals are forwarded to the payload" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	# not the function: $! would be a shell around it
	"$CMAN" run --rm busybox sh -c 'trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 0.1; done' \
		>"$BATS_TEST_TMPDIR/out" &
	pid=$!
	exec 9<"$BATS_TEST_TMPDIR/out"
	read -r line <&9
	[ "$line" = ready ]
	kill -TERM "$pid"
	read -r line <&9
	[ "$line" = 'got it' ]
	code=0
	wait "$pid" || code=$?
	[ "$code" = 7 ]
}

@test "a broken stdout ends the payload as it would end a plain program" {
	run --separate-stderr timeout 20 bash -c '"$CMAN" run --rm busybox yes | head -1'
	assert_status 0
	assert_output y
}

@test "kill -9 of the client: the container goes on" {
	"$CMAN" run --name bird busybox sleep 60 &
	client=$!
	eventually running bird
	kill -9 "$client"
	wait "$client" || true
	running bird
	cman stop -t 1 bird
}

running() {
	[ "$(cman ps --filter "name=$1" --format '{{.Name}}')" = "$1" ]
}

@test "ctinit is PID 1 by default, --no-init makes it the payload" {
	run --separate-stderr cman run --rm busybox cat /proc/1/comm
	assert_output ctinit
	run --separate-stderr cman run --rm --no-init busybox sh -c 'echo $$'
	assert_output 1
}

@test "image config applies: Env, Cmd, WorkingDir, User, Entrypoint" {
	run --separate-stderr cman run --rm busybox env
	assert_match "$output" 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
	# no command: the image's Cmd, a shell that reads end-of-file
	run --separate-stderr cman run --rm busybox
	assert_status 0
}

@test "64 descriptors are enough" {
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'ulimit -n 64
		"$CMAN" run --rm busybox sh -c "ulimit -n; echo fore" &&
			"$CMAN" run -d --name bird busybox sleep 100 >/dev/null &&
			"$CMAN" exec bird echo inside'
	assert_status 0
	assert_output '64
fore
inside'
	assert_stderr ''
}

@test "in the background stdin can be asked as a terminal, is at its end, and blocks nobody who writes to it" {
	# more than a terminal holds
	cman run -d --name bird busybox sh -c 'stty -g >/dev/null && echo asked; cat; head -c 100000 /dev/zero >&0 || echo refused' >/dev/null
	[ "$(timeout 20 "$CMAN" wait bird)" = 0 ]
	assert_match "$(cman logs bird)" 'refused$'
	assert_match "$(cman logs bird)" asked
}

@test "a closed stdout, stdin and stderr do no harm" {
	run cman run --rm busybox true <&- >&- 2>&-
	[ "$status" = 0 ]
}
