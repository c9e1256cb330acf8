# SPDX-License-Identifier: Apache-2.0
# cman inside of a container of cman's, as on a machine that builds for others.
# shellcheck shell=bash disable=SC2154

load helpers

setup() {
	new_root
	import_busybox
	mkdir "$BATS_TEST_TMPDIR/bring"
	cp "$CMAN" "$FIXTURES/busybox.tar.gz" "$BATS_TEST_TMPDIR/bring/"
	bring=(-v "$BATS_TEST_TMPDIR/bring:/bring:ro" -e PATH=/bring:/bin -w /bring)
}

@test "in a privileged container, on a volume" {
	run --separate-stderr cman run --rm --privileged "${bring[@]}" -v kept:/var/lib/cman busybox sh -ec '
		cman import -q busybox.tar.gz in >/dev/null
		cman run --rm in echo once
		cman run -d --name bird in sh -c "echo said; exec sleep 1000" >/dev/null
		cman exec bird cat /proc/1/comm
		cman pause bird
		cman unpause bird
		cman stop -t 0 bird
		cman logs bird
		cman rm bird'
	assert_status 0
	assert_stderr ''
	assert_output 'once
ctinit
bird
bird
bird
said
bird'
}

@test "on the container's own root, which is an overlay" {
	run --separate-stderr cman run --rm --privileged "${bring[@]}" busybox sh -ec '
		cman import -q busybox.tar.gz in >/dev/null
		cman run --rm in true'
	assert_status 125
	assert_match "$stderr" '^cman: cannot mount overlay: upperdir /var/lib/cman/containers/[0-9a-f]+/upper \(overlay: .* not supported as upperdir\): Invalid argument
hint: this file system cannot hold what containers change: set CMAN_ROOT to a directory of another one \(in a container: of a volume\)$'
}

@test "in a container that may not make others" {
	cman run --rm --privileged "${bring[@]}" -v kept:/var/lib/cman busybox \
		cman import -q busybox.tar.gz in >/dev/null
	run --separate-stderr cman run --rm "${bring[@]}" -v kept:/var/lib/cman busybox cman run --rm in true
	assert_status 125
	assert_match "$stderr" 'cman: cannot make a process in new namespaces: Function not implemented
hint: root has no CAP_SYS_ADMIN here: a container in which others are to run takes --privileged$'
	run --separate-stderr cman run --rm "${bring[@]}" -v kept:/var/lib/cman busybox \
		cman import -q busybox.tar.gz more
	assert_status 125
	assert_match "$stderr" 'hint: root has no CAP_SYS_ADMIN here: '
	run --separate-stderr cman run --rm "${bring[@]}" -v kept:/var/lib/cman busybox cman image mount in
	assert_status 125
	assert_match "$stderr" 'hint: root has no CAP_SYS_ADMIN here: '
}

@test "in a chroot whose / is no mount point: what is to be done is said, and does" {
	local private='cannot make mounts private: / is not a mount point
hint: before chroot DIR, make it one: mount --bind DIR DIR'
	in_jail() {
		run --separate-stderr cman run --rm --privileged "${bring[@]}" -v kept:/vol \
			-v "$BATS_TEST_TMPDIR/jail.sh:/jail.sh:ro" busybox sh /jail.sh "$@"
	}
	cat >"$BATS_TEST_TMPDIR/jail.sh" <<-'END'
		mkdir -p /vol/jail/bin /vol/jail/dev /vol/jail/proc /vol/jail/sys
		cp /bring/* /bin/busybox /vol/jail/bin/
		[ "$1" = plain ] || mount --bind /vol/jail /vol/jail
		mount -t proc proc /vol/jail/proc
		mount --bind /dev /vol/jail/dev
		mount --rbind /sys /vol/jail/sys
		shift
		exec chroot /vol/jail /bin/busybox env PATH=/bin CMAN_ROOT=/root cman "$@"
	END
	in_jail plain import -q /bin/busybox.tar.gz in
	assert_status 125
	assert_stderr "cman: /bin/busybox.tar.gz: $private"
	in_jail mounted import -q /bin/busybox.tar.gz in
	assert_status 0
	in_jail plain run --rm in true
	assert_status 125
	assert_stderr "cman: $private"
	in_jail plain create --name bird in true
	assert_status 0
	in_jail plain cp bird:/etc/passwd -
	assert_status 125
	assert_stderr "cman: bird: $private"
	in_jail mounted start -a bird
	assert_status 0
	assert_stderr ''
}

# A cgroup2 that is mounted with nsdelegate lets nobody move across the root of a cgroup namespace.
# Here it may be mounted without: what the kernel says then is put in its mouth.
@test "in a cgroup namespace that sees the host's cgroups: what is to be done is said" {
	local outside="cannot make a process in its cgroup: it is outside of the cgroup namespace that cman runs in
hint: mount cgroup2 anew in there, over the host's: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
	crossing() { strace -f -qq -o /dev/null -e trace=clone3 -e inject=clone3:error=ENOENT:when=1 "$CMAN" "$@"; }
	cman run -d --name bird busybox sleep 1000 >/dev/null
	run --separate-stderr crossing run --rm busybox true
	assert_status 125
	assert_stderr "cman: $outside"
	run --separate-stderr crossing exec bird true
	assert_status 125
	assert_stderr "cman: bird: $outside"
}
