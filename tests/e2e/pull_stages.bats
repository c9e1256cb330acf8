#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The three stages of a pull: what they may do, what survives them, and what becomes of an archive's entries.

load helpers

# stage_of PID NAME: the process ID of a pull's stage.
stage_of() {
	local child children
	read -ra children <"/proc/$1/task/$1/children"
	for child in "${children[@]}"; do
		if [ "$(tr -d '\0' <"/proc/$child/cmdline")" = "$2" ]; then
			echo "$child"
			return
		fi
	done
	return 1
}

# status_of PID FIELD
status_of() {
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$1/status"
}

partial() {
	find "$CMAN_ROOT/tmp" -name 'partial-*' ! -name '*.validator' -size +100k
}

has_partial() {
	[ -n "$(partial)" ]
}

@test "the stages have given up what they do not need, and die with their parent" {
	faulty_server
	"$CMAN" pull --name box "$FAULTY/stall/box.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually has_partial
	fetch=$(stage_of "$pid" cman-fetch)
	inflate=$(stage_of "$pid" cman-inflate)
	unpack=$(stage_of "$pid" cman-unpack)
	for stage in "$fetch" "$inflate" "$unpack"; do
		[ "$(status_of "$stage" NoNewPrivs)" = 1 ]
		[ "$(status_of "$stage" CapInh)" = 0000000000000000 ]
		[ "$(tr -d '\0' <"/proc/$stage/environ")" = '' ]
	done
	for stage in "$fetch" "$inflate"; do
		[ "$(status_of "$stage" CapPrm)" = 0000000000000000 ]
		[ "$(status_of "$stage" CapBnd)" = 0000000000000000 ]
		[ "$(status_of "$stage" Uid)" = '65534 65534 65534 65534' ]
		[ "$(status_of "$stage" Groups)" = '' ]
	done
	# chown, dac_override, fowner, fsetid, mknod, setfcap
	[ "$(status_of "$unpack" CapPrm)" = 000000008800001b ]
	[ "$(status_of "$unpack" CapBnd)" = 000000008800001b ]
	# nothing but the draft is mounted, and no network is there
	[ "$(wc -l <"/proc/$unpack/mountinfo")" = 1 ]
	assert_match "$(cat "/proc/$unpack/mountinfo")" '/tmp/draft-[0-9a-f]* / rw,nosuid,nodev,noexec'
	[ "$(readlink "/proc/$unpack/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	kill -9 "$pid"
	wait "$pid" || true
	eventually_gone "$fetch"
	eventually_gone "$inflate"
	eventually_gone "$unpack"
	# the next pull sweeps the draft
	run --separate-stderr cman pull --name box "$FIXTURES/busybox.tar.gz"
	assert_status 0
}

eventually_gone() {
	eventually not_there "/proc/$1"
}

not_there() {
	[ ! -e "$1" ]
}

@test "all stages run under seccomp" {
	case $(file -L "$CMAN") in
	*statically*) ;;
	*) skip "a build with sanitizers has no filter" ;;
	esac
	faulty_server
	env --default-signal=INT "$CMAN" pull --name box "$FAULTY/stall/box.tar.gz" >/dev/null 2>&1 &
	pid=$!
	eventually has_partial
	for stage in cman-fetch cman-inflate cman-unpack; do
		[ "$(status_of "$(stage_of "$pid" "$stage")" Seccomp)" = 2 ]
	done
	kill -INT "$pid"
	wait "$pid" || true
}

@test "kept bytes that were spoilt are thrown away, and the download begins anew" {
	sum=$(sha256sum <"$FIXTURES/busybox.tar.gz" | cut -d' ' -f1)
	faulty_server
	env --default-signal=INT "$CMAN" pull --name box --sha256 "$sum" "$FAULTY/drop/400000/box.tar.gz" --retries 0 \
		>/dev/null 2>&1 || true
	has_partial
	printf 'spoilt' | dd of="$(partial)" bs=1 seek=200000 conv=notrunc status=none
	run --separate-stderr cman pull --name box --sha256 "$sum" "$FAULTY/drop/400000/box.tar.gz"
	assert_status 0
	assert_match "$stderr" 'of no use: starting over'
	run --separate-stderr cman run --rm box echo fine
	assert_output fine
}

@test "a server that has nothing from there on is read from the start" {
	faulty_server
	"$CMAN" pull --name box --retries 0 "$FAULTY/drop/400000/box.tar.gz" >/dev/null 2>&1 || true
	has_partial
	# all bytes of the file: this server then sends a range that makes no sense
	cat "$FIXTURES/busybox.tar.gz" >"$(partial)"
	run --separate-stderr cman pull --name box --retries 0 "$FAULTY/drop/400000/box.tar.gz"
	assert_status 0
	run --separate-stderr cman run --rm box echo fine
	assert_output fine
}

@test "modes, owners, links, devices and attributes arrive; what would fool overlayfs does not" {
	cd "$BATS_TEST_TMPDIR"
	python3 - <<-'END'
		import io, tarfile
		with tarfile.open("kinds.tar", "w", format=tarfile.PAX_FORMAT) as out:
		    def add(name, kind=tarfile.REGTYPE, mode=0o644, link="", uid=0, gid=0, pax=None, dev=(0, 0)):
		        entry = tarfile.TarInfo(name)
		        entry.type, entry.mode, entry.linkname = kind, mode, link
		        entry.uid, entry.gid, entry.mtime = uid, gid, 1234567890
		        entry.devmajor, entry.devminor = dev
		        entry.pax_headers = pax or {}
		        entry.size = 4 if kind == tarfile.REGTYPE else 0
		        out.addfile(entry, io.BytesIO(b"data"))
		    add("usr/lib", tarfile.DIRTYPE, 0o2755, gid=50)
		    add("lib", tarfile.SYMTYPE, link="usr/lib")
		    add("lib/through", mode=0o4755, uid=7, gid=8)
		    add("hard", tarfile.LNKTYPE, link="lib/through")
		    add("null", tarfile.CHRTYPE, 0o666, dev=(1, 3))
		    add("dir", tarfile.DIRTYPE, 0o755, pax={"SCHILY.xattr.trusted.overlay.opaque": "y"})
		    add("file", pax={"SCHILY.xattr.user.kept": "yes", "SCHILY.xattr.user.overlay.redirect": "/"})
	END
	run --separate-stderr cman pull ./kinds.tar
	assert_status 0
	assert_match "$stderr" 'left out: 2 extended attributes'
	layer=$(echo "$CMAN_ROOT"/layers/*)
	[ "$(stat -c '%a %u %g %Y' "$layer/usr/lib")" = '2755 0 50 1234567890' ]
	[ "$(stat -c '%a %u %g %Y' "$layer/usr/lib/through")" = '4755 7 8 1234567890' ]
	[ "$layer/hard" -ef "$layer/usr/lib/through" ]
	[ "$(stat -c '%F %t:%T' "$layer/null")" = 'character special file 1:3' ]
	python3 -c 'import os, sys; assert os.listxattr(sys.argv[1]) == []' "$layer/dir"
	python3 -c 'import os, sys; assert os.listxattr(sys.argv[1]) == ["user.kept"]' "$layer/file"
}

@test "a stage that cannot begin says why: somebody without rights learns what is missing" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/home"
	cp "$FIXTURES/busybox.tar.gz" "$BATS_TEST_TMPDIR/home/"
	chown -R 65534:65534 "$BATS_TEST_TMPDIR/home"
	cp "$CMAN" "$BATS_TEST_TMPDIR/cman"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/cman"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/cman" --root "$BATS_TEST_TMPDIR/home/root" \
		import "$BATS_TEST_TMPDIR/home/busybox.tar.gz" box
	assert_status 125
	assert_match "$stderr" 'cman: .*busybox\.tar\.gz: cannot clone the mount of the target directory: Operation not permitted'
	assert_match "$stderr" 'hint: run as root'
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/home/root/tmp")" ]
}
