#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line itself: what is said on which stream with which exit status, whatever descriptors
# and environment cman is started with.

load helpers

setup() {
	new_root
}

@test "help: on stdout, status 0, in every way it can be asked for" {
	run --separate-stderr cman
	assert_status 0
	assert_match "$output" '^Usage: cman \[OPTIONS\] COMMAND'
	assert_stderr ''
	overview=$output
	for words in help --help -h 'help help' 'help --help' '--log-level debug --help'; do
		# shellcheck disable=SC2086
		run --separate-stderr cman $words
		assert_status 0
		assert_match "$output" '^Usage: cman '
		assert_stderr ''
	done
	run --separate-stderr cman help
	assert_output "$overview"
	for command in run exec ps top logs stop kill pause unpause wait rename rm commit cp diff export inspect pull images rmi tag \
		history import load save image push copy login logout df prune fsck info version; do
		assert_match "$overview" "
  $command +[a-z]"
		run --separate-stderr cman "$command" --help
		assert_status 0
		assert_match "$output" "^Usage: cman $command"
		asked=$output
		run --separate-stderr cman help "$command"
		assert_output "$asked"
	done
	# nothing was made for any of that
	[ ! -e "$CMAN_ROOT" ]
}

@test "usage errors: status 125, the word that is wrong, and where to read on" {
	run --separate-stderr cman rnu
	assert_status 125
	assert_output ''
	assert_stderr "cman: unknown command: rnu
hint: did you mean run? (see 'cman --help')"
	# two letters of three wrong are another word
	run --separate-stderr cman foo
	assert_stderr "cman: unknown command: foo
hint: see 'cman --help'"
	run --separate-stderr cman network ls
	assert_stderr "cman: unknown command: network
hint: run chooses it: --network host, none, container:NAME or ns:PATH (see 'cman --help')"
	run --separate-stderr cman port bird
	assert_stderr "cman: unknown command: port
hint: no port is published yet: with run --network host they are the host's (see 'cman --help')"
	run --separate-stderr cman frobnicate
	assert_status 125
	assert_stderr "cman: unknown command: frobnicate
hint: see 'cman --help'"
	run --separate-stderr cman help frobnicate
	assert_status 125
	assert_match "$stderr" '^cman: unknown command: frobnicate'
	run --separate-stderr cman --nosuch ps
	assert_status 125
	assert_stderr "cman: unknown option: --nosuch
hint: see 'cman --help'"
	run --separate-stderr cman ps --al
	assert_status 125
	assert_stderr "cman: unknown option: --al
hint: did you mean --all? (see 'cman ps --help')"
	run --separate-stderr cman --log-level loud ps
	assert_status 125
	assert_match "$stderr" '^cman: --log-level: not a level: loud'
	run --separate-stderr cman --root
	assert_status 125
	assert_match "$stderr" '^cman: --root needs a value: DIR'
	run --separate-stderr cman run -m 10x busybox
	assert_stderr "cman: --memory: not a size: 10x
hint: such as 512m or 1.5g: k, m, g and t are powers of 1024 (see 'cman run --help')"
	run --separate-stderr cman run --cpus two busybox
	assert_stderr "cman: --cpus: not a number of processors: two
hint: such as 2 or 0.5 (see 'cman run --help')"
	run --separate-stderr cman run --health-cmd true --health-interval 1x busybox
	assert_stderr "cman: --health-interval: not a span of time: 1x
hint: such as 30s, 1m30s or 500ms (see 'cman run --help')"
	run --separate-stderr cman run --security-opt foo busybox
	assert_stderr "cman: --security-opt: not an option of confinement: foo
hint: one of seccomp=FILE|unconfined, no-new-privileges[=BOOL], mask=PATH, unmask=PATH|ALL (see 'cman run --help')"
	run --separate-stderr cman run -dp 8080:80 busybox
	assert_status 125
	assert_stderr "cman: run: there is no -p: a container cannot have a network of its own to the outside yet
hint: with --network host it listens at ports of the host"
	run --separate-stderr cman create --gpus=all busybox
	assert_status 125
	assert_stderr "cman: create: there is no --gpus: no driver's libraries are brought into a container
hint: give it the devices: --device /dev/dri, or --device /dev/nvidia0"
	run --separate-stderr cman create -dit busybox
	assert_stderr "cman: create: there is no -d: nothing is started
hint: to start it at once: cman run --detach"
	run --separate-stderr cman run --userns host busybox
	assert_match "$stderr" '^cman: run: there is no --userns: there are no user namespaces yet'
	run --separate-stderr cman ps --gpus all
	assert_match "$stderr" '^cman: unknown option: --gpus'
	for command in stop kill rm wait inspect; do
		run --separate-stderr cman "$command"
		assert_status 125
		assert_stderr "cman: $command: too few operands
hint: see 'cman $command --help'"
	done
	run --separate-stderr cman ps bird
	assert_status 125
	assert_match "$stderr" '^cman: ps: one operand too many: bird'
	run --separate-stderr cman stop -t soon bird
	assert_status 125
	assert_match "$stderr" '^cman: --time: not a number: soon'
	run --separate-stderr cman version --format '{{.Version'
	assert_status 125
	assert_match "$stderr" '^cman: --format: '
	[ ! -e "$CMAN_ROOT" ]
}

@test "what somebody typed reaches the terminal as text" {
	run --separate-stderr cman $'\e[31mred\xc2\x9b'
	assert_status 125
	assert_match "$stderr" '^cman: unknown command: \\x1b\[31mred\\xc2\\x9b'
	run --separate-stderr cman inspect $'\e]0;title\a'
	assert_status 125
	refute_match "$stderr" $'\e'
}

@test "output that cannot be written is an error" {
	for words in 'ps -a' help 'version --format json' --version 'help ps'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c '"$CMAN" "$@" >/dev/full' - $words
		assert_status 125
		assert_stderr 'cman: cannot write the output: No space left on device'
	done
	# A reader that has seen enough is no error, also where SIGPIPE was ignored before.
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'trap "" PIPE; exec 3> >(exec true); wait $!; "$CMAN" help run >&3'
	assert_status 141
	assert_stderr ''
}

@test "closed descriptors 0, 1 and 2 are not taken by its own files" {
	for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
		run --separate-stderr bash -c "exec $closed; \"\$CMAN\" ps -a"
		case $closed in
		'<&-' | '2>&-') [ "$status" = 0 ] ;;
		*) [ "$status" = 125 ] ;;
		esac
		case $closed in
		'>&-' | '<&- >&-') assert_stderr 'cman: cannot write the output: Bad file descriptor' ;;
		*) assert_stderr '' ;;
		esac
		run bash -c "exec $closed; \"\$CMAN\" nosuch"
		[ "$status" = 125 ]
	done
	run --separate-stderr cman ps -a
	assert_status 0
}

@test "the configuration file: its line is named" {
	printf '# nest\n\ndefault-image = x\n' >"$CMAN_CONFIG"
	run --separate-stderr cman run true
	assert_status 125
	assert_match "$stderr" "^cman: $CMAN_CONFIG:3: unknown key: default-image"
	assert_match "$stderr" 'hint: known keys: default_image'
	echo 'default_image = ubuntu-base:1.0' >"$CMAN_CONFIG"
	run --separate-stderr cman run true
	assert_status 125
	assert_stderr "cman: default image: ubuntu-base: the catalog has no version '1.0'
hint: it has: 26.04, 24.04, 22.04, 20.04; more can be put into /etc/cman/catalog.d"
	rm "$CMAN_CONFIG"
	run --separate-stderr cman run true
	assert_status 125
	assert_match "$stderr" "$CMAN_CONFIG"
	# others do not need it
	run --separate-stderr cman ps
	assert_status 0
}

@test "--root and CMAN_ROOT; the option wins" {
	one=$BATS_TEST_TMPDIR/one two=$BATS_TEST_TMPDIR/two
	CMAN_ROOT=$one cman ps
	[ -e "$one/cman.db" ]
	CMAN_ROOT=$one cman --root "$two" ps
	[ -e "$two/cman.db" ]
	CMAN_ROOT=$one cman --root="$two" ps
	CMAN_ROOT='' run --separate-stderr cman --root '' ps
	assert_status 125
	assert_stderr "cman: --root: empty
hint: see 'cman --help'"
	# it is not an option of commands, and what to type instead is said
	run --separate-stderr cman ps --root "$two"
	assert_status 125
	assert_stderr "cman: unknown option: --root
hint: it goes before the command: cman --root ... ps (see 'cman ps --help')"
}

@test "a relative root directory is the same one for all of cman's processes" {
	cd "$BATS_TEST_TMPDIR"
	rm -rf "$CMAN_ROOT"
	export CMAN_ROOT=root
	import_busybox
	run --separate-stderr cman run --name one busybox echo hi
	assert_status 0
	assert_output hi
	run --separate-stderr cman run -d --name two busybox sleep 100
	assert_status 0
	run --separate-stderr cman --root ./root exec two echo there
	assert_output there
	export CMAN_ROOT=$BATS_TEST_TMPDIR/root
	run --separate-stderr cman ps -a --format '{{.Name}} {{.State}}'
	assert_output 'two running
one exited'
	[ ! -e /root/cman.db ]
}

@test "a root directory that cannot be one is named" {
	run --separate-stderr cman --root /dev/null ps
	assert_status 125
	assert_stderr 'cman: cannot open directory /dev/null: Not a directory'
	mkdir "$BATS_TEST_TMPDIR/ro"
	mount -t tmpfs -o ro,mode=0755 tmpfs "$BATS_TEST_TMPDIR/ro"
	run --separate-stderr cman --root "$BATS_TEST_TMPDIR/ro" ps
	umount "$BATS_TEST_TMPDIR/ro"
	assert_status 125
	assert_stderr "cman: $BATS_TEST_TMPDIR/ro: cannot create directory run: Read-only file system"
}

@test "version: in words, as JSON, and in short" {
	run --separate-stderr cman --version
	assert_status 0
	assert_match "$output" '^cman [0-9]+\.[0-9]+\.[0-9]+'
	short=$output
	run --separate-stderr cman version
	[ "$(awk '$1 == "cman" { print $2 }' <<<"$output")" = "${short#cman }" ]
	[ "$(awk '$1 == "kernel" { print $2 }' <<<"$output")" = "$(uname -r)" ]
	run --separate-stderr cman version --format json
	[ "$(jq -r .Version <<<"$output")" = "${short#cman }" ]
	jq -e '.Libraries.SQLite and .Kernel' <<<"$output"
}

@test "bash completion: commands, options, containers, and files where nothing is known" {
	import_busybox
	cman run --name bird busybox true
	cman run --name bear busybox true
	complete_line() {
		# shellcheck disable=SC2016
		bash --norc -c 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; PATH=${CMAN%/*}:$PATH
			_cman 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' - \
			"$REPO/packaging/completions/cman.bash" "$1"
	}
	[ "$(complete_line 'cman insp')" = inspect ]
	[ "$(complete_line 'cman ps --no-')" = --no-trunc ]
	[ "$(complete_line 'cman rm b' | sort | paste -sd ' ')" = 'bear bird' ]
	[ "$(complete_line 'cman rm bird --f')" = "$(printf '%s\n' --filter --force)" ]
	[ "$(complete_line 'cman rmi busy')" = busybox:latest ]
	[ "$(complete_line 'cman cp bi')" = bird: ]
	[ "$(complete_line 'cman cp bird:/')" = '' ]
	[ "$(complete_line 'cman run --network container:bi')" = bird ]
	[ "$(complete_line 'cman run --pid=container:be')" = bear ]
	[ "$(complete_line 'cman run --ipc s')" = shareable ]
	# of those that it can do something with
	cman run -d --name bat busybox sleep 600
	[ "$(complete_line 'cman stop b')" = bat ]
	[ "$(complete_line 'cman start b' | sort | paste -sd ' ')" = 'bear bird' ]
	[ "$(complete_line 'cman pause b')" = bat ]
	cman pause bat
	[ "$(complete_line 'cman exec b')" = '' ]
	[ "$(complete_line 'cman pause b')" = '' ]
	[ "$(complete_line 'cman unpause b')" = bat ]
	[ "$(complete_line 'cman stop b')" = bat ]
	cman unpause bat
	[ "$(complete_line 'cman exec b')" = bat ]
	[ "$(complete_line 'cman kill -s S' | sort | paste -sd ' ')" = 'SEGV STKFLT STOP SYS' ]
	[ "$(complete_line 'cman wait --condition next')" = next-exit ]
	[ "$(complete_line 'cman kill --filter vol')" = volume= ]
	[ "$(complete_line 'cman rmi busybox:')" = latest ]
	[ "$(complete_line 'cman ps --filter st')" = status= ]
	[ "$(complete_line 'cman ps --sort cr')" = created ]
	[ "$(complete_line 'cman logs --since yes')" = yesterday ]
	[ "$(complete_line 'cman diff bird be')" = bear ]
	[ "$(complete_line 'cman pull ubuntu-b')" = ubuntu-base ]
	[ "$(complete_line 'cman run busybox ls /')" = '' ]
	[ "$(complete_line 'cman --root /nonexistent/x rm ')" = '' ]
	[ ! -e /nonexistent ]
}

@test "several operands: each error is told, the others are served" {
	import_busybox
	cman run --name a busybox true
	cman run --name b busybox sh -c 'exit 4' || true
	run --separate-stderr cman wait a nosuch b
	assert_status 125
	assert_output '0
4'
	assert_match "$stderr" '^cman: .*nosuch'
	[ "$(grep -c '^cman: ' <<<"$stderr")" = 1 ]
	run --separate-stderr cman inspect -f '{{.Name}} {{.State.ExitCode}}' a nosuch b
	assert_status 125
	assert_output 'a 0
b 4'
	run --separate-stderr cman stop a nosuch b
	assert_status 125
	assert_output 'a
b'
	run --separate-stderr cman inspect -f '{{.Nome}}' a
	assert_status 125
	assert_match "$stderr" 'there is no field \.Nome'
	assert_stderr 'cman: --format: there is no field .Nome
hint: did you mean .Name?'
	run --separate-stderr cman inspect -f '{{.state.Pid}}' a
	assert_stderr 'cman: --format: there is no field .state
hint: did you mean .State?'
	run --separate-stderr cman inspect -f '{{.Feathers}}' a
	assert_match "$stderr" '
hint: fields there: \.Id \.Name .* …$'
	# of several, which one it is about is said, and the others are printed
	cman volume create nest >/dev/null
	run --separate-stderr cman inspect -f '{{.State.Status}}' a nest b
	assert_status 125
	assert_output 'exited
exited'
	assert_stderr 'cman: nest: --format: there is no field .State
hint: fields there: .Name .Driver .Mountpoint .CreatedAt .Scope .Labels .Options .Anonymous .Containers'
	run --separate-stderr cman inspect --type image a
	assert_status 125
	run --separate-stderr cman inspect --type moon a
	assert_status 125
	assert_match "$stderr" '^cman: --type: not container, image or volume: moon'
}

@test "ps fits the terminal" {
	import_busybox
	cman run --name "$(printf 'a%.0s' {1..60})" busybox sh -c ': a long command line that does not fit' >/dev/null
	for columns in 40 80 120; do
		COLUMNS=$columns run --separate-stderr cman ps -a
		assert_status 0
		for line in "${lines[@]}"; do
			[ "${#line}" -le "$columns" ]
		done
	done
	COLUMNS=80 run --separate-stderr cman ps -a --no-trunc
	assert_match "$output" 'a{60}'
	assert_match "$output" 'that does not fit'
	run --separate-stderr cman ps -a
	assert_match "$output" 'a{60}'
	assert_match "$output" 'sh -c .*…'
	# a terminal says its width itself
	script -qec 'stty cols 60; "$CMAN" ps -a' /dev/null </dev/null >"$BATS_TEST_TMPDIR/typescript"
	grep -q 'CONTAINER ID' "$BATS_TEST_TMPDIR/typescript"
	tr -d '\r' <"$BATS_TEST_TMPDIR/typescript" | awk 'length > 60 { exit 1 }'
}

@test "templates: what people write for docker and podman" {
	import_busybox
	mkdir "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	cman run -d --name bird --label com.example/song=trill --label sex=f -e NEST=hedge \
		-v "$BATS_TEST_TMPDIR/a:/srv/a" -v "$BATS_TEST_TMPDIR/b:/srv/b:ro" -v seeds:/srv/c busybox sleep 100 >/dev/null
	cman create --name owl busybox true >/dev/null
	inspect() { cman inspect -f "$1" bird; }
	[ "$(inspect '{{range .Mounts}}{{.Destination}}{{if not .RW}} (ro){{end}}{{with .Name}} {{.}}{{end}};{{end}}')" = \
		'/srv/a;/srv/b (ro);/srv/c seeds;' ]
	[ "$(inspect '{{if .State.Running}}up{{else}}down{{end}} {{.State.Status | upper}}')" = 'up RUNNING' ]
	[ "$(inspect '{{index .Config.Labels "com.example/song"}}{{.Config.Labels.nosuch}}')" = trill ]
	[ "$(inspect '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}')" = 'com.example/song=trill sex=f ' ]
	[ "$(inspect '{{join .Config.Cmd " "}}')" = 'sleep 100' ]
	inspect '{{range .Config.Env}}{{println .}}{{end}}' | grep -qx NEST=hedge
	[ "$(inspect '{{range .Config.Env}}{{if eq (index (split . "=") 0) "NEST"}}{{.}}{{end}}{{end}}')" = NEST=hedge ]
	[ "$(inspect '{{printf "%-6s|%05d" .Name .StopTimeout}}')" = 'bird  |00010' ]
	[ "$(inspect '{{json .Config.Cmd}} {{len .Mounts}}')" = '["sleep","100"] 3' ]
	run cman ps -a --format '{{.Names}}{{if eq .State "running"}} up{{end}} {{.Label "com.example/song"}}'
	assert_output 'owl 
bird up trill'
	run cman ps -a --format 'table {{.Names | upper}}\t{{.State | printf "<%s>"}}\t{{.Label "sex"}}'
	assert_output 'NAME  <STATE>    SEX
OWL   <created>
BIRD  <running>  f'
	run --separate-stderr cman inspect -f '{{range .Mounts}}{{.Destination}}' bird
	assert_status 125
	assert_stderr "cman: --format: {{end}} is missing for this (character 1: {{range .Mounts}}{{.Dest)
hint: see 'cman inspect --help'"
	run --separate-stderr cman ps --format '{{.Names | loud}}'
	assert_status 125
	assert_stderr "cman: --format: there is no function loud (character 12: loud}})
hint: functions: and or not eq ne lt le gt ge len index slice print println printf json join split lower upper title truncate pad (see 'cman ps --help')"
	run --separate-stderr cman ps -a --format '{{upper .ExitCode}}{{eq .Names 1}}'
	assert_status 125
	assert_stderr "cman: --format: eq: text and a number are not compared (character 22: eq .Names 1}})
hint: see 'cman ps --help'"
}

@test "a stack that is too small is told, and no segmentation fault" {
	for size in 20480 65536 262143; do
		run --separate-stderr prlimit --stack="$size:$size" "$CMAN" ps
		assert_status 125
		assert_stderr "cman: cman needs a stack of 262144 bytes, and the limit is $size
hint: raise it: ulimit -s 8192"
	done
	run --separate-stderr prlimit --stack=262144:262144 "$CMAN" pull -q --name busybox "$FIXTURES/busybox.tar.gz"
	assert_status 0
	run --separate-stderr prlimit --stack=262144:262144 "$CMAN" run --rm busybox sh -c 'ulimit -s'
	assert_status 0
	assert_output 256
}

@test "who reads no more ends it quietly, though the caller has the signal ignored or blocked" {
	for how in 'signal.signal(signal.SIGPIPE, signal.SIG_IGN)' \
		'signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())'; do
		{
			code=0
			timeout -k 1 20 python3 -c "import os, signal; $how; os.execv('$CMAN', ['cman', 'stats'])" \
				2>"$BATS_TEST_TMPDIR/err" || code=$?
			echo "$code" >"$BATS_TEST_TMPDIR/status"
		} 3>&- | true
		[ "$(cat "$BATS_TEST_TMPDIR/status")" = 141 ]
		[ ! -s "$BATS_TEST_TMPDIR/err" ]
	done
}
