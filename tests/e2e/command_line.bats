#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Help, man pages, completions and the binaries themselves.

load helpers

commands() {
	cman help | awk '/^  [a-z]/ { print $1 }' | grep -v '^help$'
}

@test "both programs are static and stand alone" {
	for program in "$CMAN" "$CTINIT"; do
		run file -L "$program"
		assert_match "$output" 'statically linked'
		run ldd "$program"
		assert_match "$output" 'not a dynamic executable|statically linked'
	done
}

@test "help: every command, by help NAME and NAME --help alike" {
	[ "$(commands | wc -l)" -ge 13 ]
	for command in $(commands); do
		run --separate-stderr cman help "$command"
		assert_status 0
		assert_match "${lines[0]}" "[Uu]sage: +cman $command"
		by_help=$output
		run --separate-stderr cman "$command" --help
		assert_output "$by_help"
	done
}

@test "every option of the help is in the man page and in each completion, and the other way round" {
	for command in $(commands); do
		page=$REPO/packaging/man/cman-$command.1
		[ -e "$page" ]
		cman help "$command" | grep -oE '^ +(-[a-zA-Z], )?--[a-z0-9-]+' | grep -oE '[-]-[a-z0-9-]+' | sort -u >"$BATS_TEST_TMPDIR/help"
		grep -oE '^\.It.* Fl -[a-z0-9-]+' "$page" | grep -oE 'Fl -[a-z0-9-]+' | sed 's/Fl -/--/' | sort -u >"$BATS_TEST_TMPDIR/man"
		# create's are described where run's are
		if [ "$command" = create ]; then
			[ -z "$(comm -23 <(grep -vx -- --help "$BATS_TEST_TMPDIR/help") "$BATS_TEST_TMPDIR/man.run")" ]
			continue
		fi
		[ "$command" != run ] || cp "$BATS_TEST_TMPDIR/man" "$BATS_TEST_TMPDIR/man.run"
		diff <(grep -vx -- --help "$BATS_TEST_TMPDIR/help") <(grep -vx -- --help "$BATS_TEST_TMPDIR/man")
	done
}

@test "unknown commands and options name themselves and the nearest known one" {
	run --separate-stderr cman rnu
	assert_status 125
	assert_match "$stderr" "^cman: .*rnu.*"
	assert_match "$stderr" "run"
	run --separate-stderr cman ps --al
	assert_status 125
	assert_match "$stderr" "--al"
	assert_match "$stderr" "cman ps --help|cman help ps"
}

@test "cman alone, version, --version" {
	run --separate-stderr cman version
	assert_status 0
	assert_match "$output" 'SQLite'
	run --separate-stderr cman --version
	assert_match "${lines[0]}" '^cman '
}

@test "output that cannot be written is an error" {
	run --separate-stderr bash -c '"$CMAN" help >/dev/full'
	assert_status 125
	assert_match "$stderr" 'No space left'
}

@test "somebody without rights is told what to do" {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" || true
	import_busybox
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$CMAN" ps
	assert_status 125
	assert_match "$stderr" '^cman: .*(Permission denied|not permitted)'
	assert_match "$stderr" 'hint: .*root'
}

@test "a database that is none, and one of the future, are refused by name" {
	mkdir -m 700 "$CMAN_ROOT"
	head -c 20000 /dev/urandom >"$CMAN_ROOT/cman.db"
	run --separate-stderr cman ps
	assert_status 125
	assert_match "$stderr" '^cman: .*cman\.db'
	rm -rf "$CMAN_ROOT"
	cman ps
	sqlite3 "$CMAN_ROOT/cman.db" 'PRAGMA user_version = 999'
	run --separate-stderr cman ps
	assert_status 125
	assert_match "$stderr" '^cman: .*999'
	rm -rf "$CMAN_ROOT"
}

@test "make install with DESTDIR and PREFIX" {
	run make -C "$REPO" -s install DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/opt/cman
	[ "$status" = 0 ]
	[ -x "$BATS_TEST_TMPDIR/dest/opt/cman/bin/cman" ]
	[ -x "$BATS_TEST_TMPDIR/dest/opt/cman/bin/ctinit" ] || [ -x "$BATS_TEST_TMPDIR/dest/opt/cman/sbin/ctinit" ]
	[ -e "$BATS_TEST_TMPDIR/dest/opt/cman/share/man/man1/cman.1" ]
	"$BATS_TEST_TMPDIR/dest/opt/cman/bin/cman" version
	run make -C "$REPO" -s uninstall DESTDIR="$BATS_TEST_TMPDIR/dest" PREFIX=/opt/cman
	[ -z "$(find "$BATS_TEST_TMPDIR/dest" -type f)" ]
}

@test "the database is SQLite with views that anybody may read" {
	import_busybox
	cman run --name bird busybox true
	run sqlite3 "$CMAN_ROOT/cman.db" 'SELECT name, state, exit_code FROM containers'
	assert_output 'bird|exited|0'
	run sqlite3 "$CMAN_ROOT/cman.db" 'SELECT count(*) FROM images'
	assert_output 1
}
