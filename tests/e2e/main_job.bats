#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The five commands as the user asked for them, in this order, on a fresh root directory.

load helpers

@test "pull, run, ps, logs, exec: on a Debian root file system with procps" {
	own_catalog
	export SSL_CERT_FILE=$FIXTURES/ca.pem

	run --separate-stderr cman pull ubuntu-base
	assert_status 0

	run --separate-stderr cman run --name bird -d top
	assert_status 0
	assert_match "$output" '^[0-9a-f]{64}$'
	id=$output

	run --separate-stderr cman ps
	assert_status 0
	assert_match "${lines[0]}" '^CONTAINER ID +NAME +IMAGE +PID +STATUS +COMMAND +CREATED'
	assert_match "${lines[1]}" "^${id:0:12} +bird +ubuntu-base.* +[0-9]+ +Up .*top"

	eventually logs_match bird '^Tasks: '
	logs_match bird 'PID USER .* COMMAND'

	run --separate-stderr cman exec bird sh -c 'cat /proc/1/comm; echo $PPID'
	assert_status 0
	assert_match "${lines[0]}" ctinit

	# still there after its first refresh, and not burning a processor
	eventually logs_count bird '^Tasks: ' 2
	[ "$(cman ps -q)" = "${id:0:12}" ]
	used=$(cman exec bird cat /proc/2/stat | awk '{ print $14 + $15 }')
	[ "$used" -lt 100 ]
}

logs_match() {
	cman logs "$1" | grep -qE "$2"
}

# logs_count NAME REGEX N: lines like that, or more.
logs_count() {
	[ "$(cman logs "$1" | grep -cE "$2")" -ge "$3" ]
}

@test "pull, run, ps, logs, exec: with busybox only, by its own name" {
	import_busybox
	run --separate-stderr cman run --name bird -d busybox top
	assert_status 0
	id=$output
	eventually logs_match bird 'Mem: '
	run --separate-stderr cman exec bird sh -c 'echo hello from $(hostname)'
	assert_status 0
	assert_output "hello from ${id:0:12}"
	eventually logs_count bird 'Mem: ' 2
	run --separate-stderr cman stop bird
	assert_status 0
	assert_output bird
	run --separate-stderr cman ps -a --format '{{.Status}}'
	assert_match "$output" '^Exited \(143\)|^Exited \(0\)'
}

@test "the default image is the configured one" {
	import_busybox birdhouse
	echo 'default_image = birdhouse' >"$CMAN_CONFIG"
	run --separate-stderr cman run --rm echo hello
	assert_status 0
	assert_output hello
}

# In a mount namespace of its own, whose mounts are shared among themselves and with nobody else's.
@test "where all mounts are shared, as systemd has them, the same, and none shows" {
	unshare --mount --propagation private sh -eu -c '
		mount --make-rshared /
		grep -q " / / .* shared:" /proc/self/mountinfo
		wc -l </proc/self/mountinfo >"$0/mounts-before"
		"$CMAN" pull -q --name busybox "$FIXTURES/busybox.tar.gz"
		"$CMAN" run --name bird -d busybox sleep 10000
		"$CMAN" exec bird sh -c "echo hello >/new"
		"$CMAN" commit bird other
		"$CMAN" run --rm other cat /new
		wc -l </proc/self/mountinfo >"$0/mounts-after"
		"$CMAN" rm -f bird' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/out"
	[ "$(sed -n 4p "$BATS_TEST_TMPDIR/out")" = hello ]
	cmp "$BATS_TEST_TMPDIR/mounts-before" "$BATS_TEST_TMPDIR/mounts-after"
}
