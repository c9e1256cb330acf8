#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run and create: entrypoint, labels, files with IDs, which streams are attached; and inspect shows it.

load helpers

setup() {
	new_root
	import_busybox
}

@test "--entrypoint: a word, an array, none" {
	run --separate-stderr cman run --entrypoint /bin/echo busybox hi there
	assert_output 'hi there'
	run --separate-stderr cman run --entrypoint '["sh", "-c", "echo $0 $1", "zero"]' busybox one
	assert_output 'zero one'
	run --separate-stderr cman run --entrypoint '' busybox echo plain
	assert_output plain
	run --separate-stderr cman run --entrypoint '["sh", 1]' busybox
	assert_status 125
	assert_stderr "cman: --entrypoint: not a JSON array of words: [\"sh\", 1]
hint: see 'cman run --help'"
}

@test "--entrypoint replaces that of the image, and its Cmd" {
	cman run --name base busybox true
	cman commit -c 'ENTRYPOINT ["/bin/echo", "entry"]' -c 'CMD ["cmd"]' base talking >/dev/null
	run --separate-stderr cman run talking
	assert_output 'entry cmd'
	run --separate-stderr cman run --image talking word
	assert_output 'entry word'
	run --separate-stderr cman run --entrypoint /bin/echo talking
	assert_output ''
	run --separate-stderr cman run --entrypoint '' talking echo bare
	assert_output bare
	run --separate-stderr cman run --entrypoint '' talking
	assert_status 125
	assert_stderr 'cman: no command: none was given and the image has none
hint: name one after the image: cman run IMAGE COMMAND'
}

@test "labels: the image's, those of files, those of the command line" {
	cman run --name base busybox true
	cman commit -c 'LABEL of=image' -c 'LABEL both=image' base labelled >/dev/null
	printf '# a comment\n\nof-file=x=y\nboth=file\ncli=file\n' >"$BATS_TEST_TMPDIR/labels"
	cman create --name bird -l cli=here -l alone --label-file "$BATS_TEST_TMPDIR/labels" labelled true >/dev/null
	cman inspect bird | jq -S -c '.[0].Config.Labels' >"$BATS_TEST_TMPDIR/got"
	[ "$(cat "$BATS_TEST_TMPDIR/got")" = '{"alone":"","both":"file","cli":"here","of":"image","of-file":"x=y"}' ]
	[ "$(cman inspect -f '{{json .Config.Labels}}' base)" = '{}' ]
	run --separate-stderr cman create -l =x busybox true
	assert_status 125
	assert_stderr "cman: --label: not KEY=VALUE: =x
hint: see 'cman create --help'"
	run --separate-stderr cman create --label-file "$BATS_TEST_TMPDIR/missing" busybox true
	assert_status 125
	assert_match "$stderr" "^cman: --label-file: .*missing: No such file or directory"
}

@test "--cidfile: there as a whole, or not at all; never written over" {
	cd "$BATS_TEST_TMPDIR"
	id=$(cman run -d --cidfile cid busybox sleep 100)
	[ "$(cat cid)" = "$id" ]
	run --separate-stderr cman run --name second --cidfile cid busybox true
	assert_status 125
	assert_stderr 'cman: --cidfile: cid exists already
hint: it names a container; remove the file when that is not needed'
	[ "$(cat cid)" = "$id" ]
	refute cman inspect second 2>/dev/null
	id=$(cman create --cidfile other busybox true)
	[ "$(cat other)" = "$id" ]
	run --separate-stderr cman create --name third --cidfile /proc/nowhere/cid busybox true
	assert_status 125
	assert_match "$stderr" '^cman: .*/proc/nowhere/cid: No such file or directory'
	refute cman inspect third 2>/dev/null
	[ "$(find . -name 'cid*' -o -name 'other*' | wc -l)" = 2 ]
}

@test "--pidfile: process 1, as the host sees it" {
	cman run -d --name bird --pidfile "$BATS_TEST_TMPDIR/pid" busybox sleep 100 >/dev/null
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$(cman inspect -f '{{.State.Pid}}' bird)" ]
	cman run -d --name other --pidfile "$BATS_TEST_TMPDIR/pid" busybox sleep 100 >/dev/null
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$(cman inspect -f '{{.State.Pid}}' other)" ]
}

@test "--attach: only some of the streams; the log has all" {
	run --separate-stderr cman run --name bird -a stderr busybox sh -c 'echo out; echo err >&2; exit 3'
	assert_status 3
	assert_output ''
	assert_stderr err
	[ "$(cman logs bird 2>&1 | sort)" = 'err
out' ]
	run --separate-stderr cman run -i -a STDIN -a stdout busybox sh -c 'cat; echo err >&2' <<<in
	assert_output in
	assert_stderr ''
	run --separate-stderr cman run -a nowhere busybox true
	assert_status 125
	assert_stderr "cman: --attach: not stdin, stdout or stderr: nowhere
hint: see 'cman run --help'"
	run --separate-stderr cman run -d -a stdout busybox true
	assert_status 125
	assert_stderr "cman: --attach does not go with --detach
hint: see 'cman run --help'"
	run --separate-stderr cman run -a stdin busybox true
	assert_status 125
	assert_stderr "cman: --attach stdin is nothing without --interactive
hint: see 'cman run --help'"
}

@test "--sig-proxy=false: a signal ends the client, and the container goes on" {
	"$CMAN" run --sig-proxy=false --name bird busybox sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done' \
		>"$BATS_TEST_TMPDIR/out" 3>&- &
	client=$!
	eventually grep -q up "$BATS_TEST_TMPDIR/out"
	kill -TERM "$client"
	code=0
	wait "$client" || code=$?
	[ "$code" = 143 ]
	[ "$(cman inspect -f '{{.State.Status}}' bird)" = running ]
	run --separate-stderr cman run -d --sig-proxy=false busybox true
	assert_status 125
	assert_output ''
	assert_stderr "cman: --sig-proxy does not go with --detach: nobody stays with the container
hint: whoever does later says so: cman attach --sig-proxy ... (see 'cman run --help')"
	run --separate-stderr cman run -dit --detach-keys a,b busybox true
	assert_status 125
	assert_stderr "cman: --detach-keys does not go with --detach: nobody stays with the container
hint: whoever does later says so: cman attach --detach-keys ... (see 'cman run --help')"
	run --separate-stderr cman exec -d --detach-keys a,b bird true
	assert_status 125
	assert_stderr "cman: --detach-keys does not go with --detach: nobody stays with the program
hint: see 'cman exec --help'"
	[ "$(cman ps -a --format '{{.Name}}')" = bird ]
	run --separate-stderr cman run --sig-proxy=perhaps busybox true
	assert_status 125
	assert_stderr "cman: --sig-proxy: not true or false: perhaps
hint: see 'cman run --help'"
}

@test "inspect has it in Docker's shape" {
	cman create --name bird -t -w /tmp -h nest -m 64m --restart on-failure:3 --stop-signal USR1 busybox sleep 9 >/dev/null
	cman inspect bird >"$BATS_TEST_TMPDIR/bird"
	jq -e '.[0].Config | .Hostname == "nest" and .Cmd == ["sleep", "9"] and .Tty and .WorkingDir == "/tmp" and
		.StopSignal == "SIGUSR1" and (.Env | index("TERM=xterm"))' "$BATS_TEST_TMPDIR/bird"
	jq -e '.[0].HostConfig | .Memory == 67108864 and .RestartPolicy.MaximumRetryCount == 3 and
		.AutoRemove == false and .ReadonlyRootfs == false' "$BATS_TEST_TMPDIR/bird"
	[ "$(cman inspect -f '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' bird)" = 'created on-failure' ]
}

# of NAME: what is to be the same whether it runs or not
lasting() {
	cman inspect "$1" | jq -S '.[0] | del(.State, .MonitorPid, .NetworkSettings.SandboxKey)'
}

@test "inspect: what it is run with, the same before it runs and while it does" {
	mkdir "$BATS_TEST_TMPDIR/nest"
	cman create --name bird -i -u 7:8 --cap-add SYS_ADMIN --cap-drop MKNOD --cap-drop CHOWN -v "$BATS_TEST_TMPDIR/nest:/nest:ro" \
		-v seeds:/seeds --tmpfs /x --cpus 0.5 --ulimit nofile=100:200 --ulimit core=-1 --security-opt seccomp=unconfined \
		--sysctl net.ipv4.ip_forward=1 --shm-size 1m --pid host --domainname wood --health-cmd true --device /dev/zero:/dev/seed:r \
		--log-opt max-size=1m --group-add 9 --dns 192.0.2.1 busybox sleep 100 >/dev/null
	lasting bird >"$BATS_TEST_TMPDIR/created"
	has() { jq -e "$1" "$BATS_TEST_TMPDIR/created" >/dev/null; }
	has '.Path == "sleep" and .Args == ["100"] and .Driver == "overlay" and (.GraphDriver.Data.UpperDir | endswith("/upper"))'
	has '.ResolvConfPath == .Directory + "/resolv.conf" and .HostsPath == .Directory + "/hosts" and
		.HostnamePath == .Directory + "/hostname" and .LogPath == .Directory + "/log.db"'
	has '.Config | .User == "7:8" and .OpenStdin and .Domainname == "wood" and .Healthcheck.Test == ["CMD-SHELL", "true"]'
	has '.HostConfig | .NetworkMode == "none" and .PidMode == "host" and .IpcMode == "shareable" and .UTSMode == "" and
		.CgroupnsMode == "private" and .Privileged == false and .Init'
	has '.HostConfig | .CapAdd == ["CAP_SYS_ADMIN"] and .CapDrop == ["CAP_CHOWN", "CAP_MKNOD"] and
		.SecurityOpt == ["seccomp=unconfined"] and .GroupAdd == ["9"]'
	has '.HostConfig | .NanoCpus == 500000000 and .CpuPeriod == 100000 and .CpuQuota == 50000 and .Memory == null and
		.ShmSize == 1048576 and .Sysctls == {"net.ipv4.ip_forward": "1"} and .LogConfig.Config["max-size"] == "1048576"'
	has '.HostConfig.Ulimits | sort_by(.Name) == [{"Name": "core", "Soft": -1, "Hard": -1}, {"Name": "nofile", "Soft": 100, "Hard": 200}]'
	has '.HostConfig.Devices == [{"PathOnHost": "/dev/zero", "PathInContainer": "/dev/seed", "CgroupPermissions": "r"}]'
	has ".HostConfig.Binds == [\"$BATS_TEST_TMPDIR/nest:/nest:ro\", \"seeds:/seeds\"]"
	has '.NetworkSettings | (.Networks | keys) == ["none"] and .Ports == {} and .IPAddress == ""'
	[ "$(cman inspect -f '{{.NetworkSettings.SandboxKey}}' bird)" = '' ]
	cman start bird
	lasting bird | diff "$BATS_TEST_TMPDIR/created" -
	[ "$(readlink "$(cman inspect -f '{{.NetworkSettings.SandboxKey}}' bird)")" = "$(readlink "/proc/$(cman inspect -f '{{.State.Pid}}' bird)/ns/net")" ]
	cman kill bird >/dev/null
	cman wait bird >/dev/null
	lasting bird | diff "$BATS_TEST_TMPDIR/created" -
	# the host's network, and another one's; all that is allowed
	cman create --name owl --network host --privileged --uts host --ipc private busybox true >/dev/null
	[ "$(cman inspect -f '{{range $name, $n := .NetworkSettings.Networks}}{{$name}}{{end}} {{.HostConfig.NetworkMode}} {{.HostConfig.Privileged}}' owl)" = \
		'host host true' ]
	[ "$(cman inspect -f '{{.HostConfig.UTSMode}} {{.HostConfig.IpcMode}}' owl)" = 'host private' ]
	cman run -d --name wren busybox sleep 100 >/dev/null
	cman create --name tit --network container:wren busybox true >/dev/null
	[ "$(cman inspect -f '{{.HostConfig.NetworkMode}} {{len .NetworkSettings.Networks}}' tit)" = "container:$(cman inspect -f '{{.Id}}' wren) 0" ]
	# an image says what it does not say
	[ "$(cman inspect -f '{{json .Config.Entrypoint}}{{.Config.Labels.nosuch}}{{range .Config.Volumes}}x{{end}}' busybox)" = null ]
}
