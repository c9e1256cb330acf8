# SPDX-License-Identifier: Apache-2.0
# What every end-to-end test loads: a root directory of its own, images in it, and the check that
# nothing is left behind.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

# cman on the root directory of this test.
cman() {
	"$CMAN" "$@"
}

setup() {
	new_root
}

teardown() {
	end_of_root
}

# A fresh root directory. Call it from a setup() of your own.
new_root() {
	export CMAN_ROOT=$BATS_TEST_TMPDIR/root
	# The machine's own configuration must not change what a test sees.
	export CMAN_CONFIG=$BATS_TEST_TMPDIR/cman.conf
	: >"$CMAN_CONFIG"
	unset CMAN_CATALOG SSL_CERT_FILE
	host_state | sort >"$BATS_TEST_TMPDIR/before"
}

# Remove all containers, then compare the host with what it was before the test.
end_of_root() {
	local ids
	if [ -n "${FAULTY_PID:-}" ]; then
		kill "$FAULTY_PID"
	fi
	ids=$(cman ps -aq --no-trunc)
	if [ -n "$ids" ]; then
		# shellcheck disable=SC2086
		cman rm -f $ids >/dev/null
	fi
	assert_nothing_left
}

# Everything of the host that a container could leave behind: mounts, cgroups, network devices and
# cman's processes.
host_state() {
	awk '{ print "mount", $5 }' /proc/self/mountinfo
	find /sys/fs/cgroup -type d -path '*/cman/*' 2>/dev/null | not_of_another_pid_namespace
	ip -o link | awk '{ print "link", $2 }'
	ps -eo args | awk '$1 ~ /^cman-/ || $1 ~ /^ctinit/ { print "process", $0 }'
}

# The tests run in a PID namespace of their own (tests/run): containers of this machine that are
# not theirs have only processes that are seen as 0 from here. There may be a thousand of them, and
# bash, which bats looks over the shoulder, would take seconds.
not_of_another_pid_namespace() {
	awk -v others="$(containers_of_other_runs)" 'BEGIN {
		split(others, list)
		for (i in list)
			of_other_run[list[i]]
	}
	{
		file = $0 "/cgroup.procs"
		processes = own = 0
		while ((getline pid < file) > 0) {
			processes++
			if (pid != 0)
				own++
		}
		close(file)
		id = $0
		sub(/.*\//, "", id)
		if (own || !processes && !(id in of_other_run))
			print "cgroup", $0
	}'
}

# tests/run makes several runs at the same time: a group without processes may be about to get or to
# lose one of theirs. Their containers have directories.
containers_of_other_runs() {
	local run
	for run in "${BATS_RUN_TMPDIR%/*}"/bats-run-*; do
		[ "$run" = "$BATS_RUN_TMPDIR" ] || ls "$run"/test/*/root/containers 2>/dev/null || true
	done
}

assert_nothing_left() {
	local try
	# A process that was just killed may need a moment to leave the process table.
	for try in $(seq 50); do
		host_state | sort >"$BATS_TEST_TMPDIR/after"
		comm -13 "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" >"$BATS_TEST_TMPDIR/left"
		if [ ! -s "$BATS_TEST_TMPDIR/left" ]; then
			break
		fi
		if [ "$try" = 50 ]; then
			echo "left behind:"
			cat "$BATS_TEST_TMPDIR/left"
			return 1
		fi
		sleep 0.1
	done
	if [ -d "$CMAN_ROOT" ]; then
		assert_empty_dir "$CMAN_ROOT/containers"
		# Drafts that were given up are removed by a process that nobody waits for.
		for try in $(seq 50); do
			[ -n "$(find "$CMAN_ROOT/tmp" -mindepth 1 ! -name 'partial-*' 2>/dev/null)" ] || return 0
			sleep 0.1
		done
		find "$CMAN_ROOT/tmp"
		return 1
	fi
}

assert_empty_dir() {
	local left
	left=$(ls -A "$1" 2>/dev/null)
	if [ -n "$left" ]; then
		echo "left in $1: $left"
		return 1
	fi
}

import_busybox() {
	cman pull --quiet --name "${1:-busybox}" "$FIXTURES/busybox.tar.gz" >/dev/null
}

# edited_layout IMAGE COMMAND...: writes an OCI layout of the image, whose configuration went through
# the command, and prints its directory: an image such as others might publish.
edited_layout() {
	local image=$1 dir manifest config
	shift
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/layout.XXXXXX")
	rmdir "$dir"
	cman save --format oci-dir -o "$dir" "$image"
	manifest=$(jq -r '.manifests[0].digest[7:]' "$dir/index.json")
	config=$(jq -r '.config.digest[7:]' "$dir/blobs/sha256/$manifest")
	"$@" <"$dir/blobs/sha256/$config" >"$dir/config"
	jq -c --arg digest "sha256:$(sha256sum <"$dir/config" | cut -c1-64)" \
		--argjson size "$(stat -c %s "$dir/config")" '.config.digest = $digest | .config.size = $size' \
		"$dir/blobs/sha256/$manifest" >"$dir/manifest"
	jq -c --arg digest "sha256:$(sha256sum <"$dir/manifest" | cut -c1-64)" \
		--argjson size "$(stat -c %s "$dir/manifest")" \
		'.manifests[0].digest = $digest | .manifests[0].size = $size' "$dir/index.json" >"$dir/index"
	mv "$dir/index" "$dir/index.json"
	for file in config manifest; do
		mv "$dir/$file" "$dir/blobs/sha256/$(sha256sum <"$dir/$file" | cut -c1-64)"
	done
	echo "$dir"
}

# The Debian image takes seconds to unpack: it is unpacked once, and each test gets a copy of that
# root directory whose layer files are hard links (layers are never written).
import_debian() {
	local kept=${CMAN_TEST_SHARED:-$BATS_RUN_TMPDIR}/debian-root
	(
		flock 9
		if [ ! -d "$kept" ]; then
			CMAN_ROOT=$kept.new cman pull --quiet --name "debian" "$FIXTURES/debian.tar.gz"
			mv "$kept.new" "$kept"
		fi
	) 9>"$kept.lock" >/dev/null
	rm -rf "$CMAN_ROOT"
	cp -al "$kept" "$CMAN_ROOT"
	# The database is written: it must be a copy of its own.
	rm -f "$CMAN_ROOT"/cman.db*
	cp -a "$kept"/cman.db* "$CMAN_ROOT"
}

# Starts the misbehaving server on this test's directory, with box.tar.gz in it; $FAULTY is its URL.
faulty_server() {
	ln -sf "$FIXTURES/busybox.tar.gz" "$BATS_TEST_TMPDIR/box.tar.gz"
	"$REPO/tests/e2e/faulty_server.py" "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/port" 2>/dev/null 3>&- &
	FAULTY_PID=$!
	eventually test -s "$BATS_TEST_TMPDIR/port"
	FAULTY=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")
	export FAULTY
}

# A catalog that names the server of this run instead of the publisher.
own_catalog() {
	sed "s#https://cdimage.ubuntu.com#$SERVER#" "$REPO/packaging/catalog.d/published.json" \
		>"$BATS_TEST_TMPDIR/catalog.json"
	export CMAN_CATALOG=$BATS_TEST_TMPDIR/catalog.json
}

# Wait until a command succeeds, at most 30 seconds. Its words are expanded once, before: what is to
# be looked at again each time goes into a function.
eventually() {
	local try
	for try in $(seq 300); do
		if "$@"; then
			return 0
		fi
		[ "$try" = 300 ] || sleep 0.1
	done
	echo "did not happen within 30 s: $*"
	return 1
}

# sleeps_in PID PATTERN: it waits in a function of the kernel that is called so. With `poll`, it has
# done all that it had to do, and waits for what comes; with `pipe`, nobody reads what it writes.
sleeps_in() {
	[[ $(cat "/proc/$1/wchan" 2>/dev/null) =~ $2 ]]
}

# has_said CONTAINER REGEX: a line of its log.
has_said() {
	cman logs "$1" 2>&1 | grep -qE "$2"
}

# What a process that is killed at any moment was about to lock, or to rename, stays for a minute, or
# a day, so that it is not taken from one that lives. Such a draft is empty.
forget_begun() {
	find "$CMAN_ROOT/tmp" -mindepth 1 -maxdepth 1 \( -name '.new-draft-*' -o -name '.new-blob-*' \) -empty -delete
	find "$CMAN_ROOT/tmp" -mindepth 1 -maxdepth 1 -type f -name '.new-[0-9a-f]*' ! -name '.new-blob-*' -delete
}

# After `run --separate-stderr`: exact comparisons that show both sides when they fail.
assert_status() {
	# shellcheck disable=SC2154
	if [ "$status" != "$1" ]; then
		printf 'exit status: expected %s, got %s\n--- stdout\n%s\n--- stderr\n%s\n' \
			"$1" "$status" "$output" "${stderr:-}"
		return 1
	fi
}

assert_output() {
	if [ "$output" != "$1" ]; then
		printf 'stdout: expected\n%s\n--- got\n%s\n--- stderr\n%s\n' "$1" "$output" "${stderr:-}"
		return 1
	fi
}

assert_stderr() {
	# shellcheck disable=SC2154
	if [ "$stderr" != "$1" ]; then
		printf 'stderr: expected\n%s\n--- got\n%s\n' "$1" "$stderr"
		return 1
	fi
}

# A pattern as in [[ =~ ]].
assert_match() {
	if ! [[ $1 =~ $2 ]]; then
		printf 'expected a match of\n%s\n--- in\n%s\n' "$2" "$1"
		return 1
	fi
}

refute_match() {
	if [[ $1 =~ $2 ]]; then
		printf 'expected no match of\n%s\n--- in\n%s\n' "$2" "$1"
		return 1
	fi
}

# refute COMMAND...: fails when it succeeds (a plain "!" does not fail a test).
refute() {
	if "$@"; then
		echo "expected to fail: $*"
		return 1
	fi
}
