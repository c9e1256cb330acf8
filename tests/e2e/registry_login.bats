#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cman login and logout with a person at the terminal, and with words that cannot be.

load registry

assert_error() {
	assert_match "$(grep '^cman: ' <<<"$stderr")" "$1"
}

kept_user() {
	jq -r --arg registry "$REGISTRY" '.auths[$registry].auth // empty | @base64d' \
		"$DOCKER_CONFIG/config.json"
}

on_terminal() {
	python3 "$REPO/tests/e2e/on_terminal.py" "$@"
}

@test "login asks at the terminal, and shows no password" {
	start_registry --user bird:s3cr3t
	# corrected by backspace; on_terminal.py itself fails if what it expects does not come
	on_terminal "$CMAN" login "$REGISTRY" <<-'END'
		expect User name: 
		send bird\r
		expect Password: 
		send s3cr3x\x7ft\r
		expect logged in to .* as bird
		exits 0
	END
	[ "$(kept_user)" = bird:s3cr3t ]
	# what is known is offered; a clear of the line; a wrong one changes nothing
	on_terminal "$CMAN" login "$REGISTRY" <<-'END'
		expect User name \(bird\): 
		send \r
		expect Password: 
		send s3cr3t\x15wrong\r
		expect does not take this user name and password
		exits 125
	END
	[ "$(kept_user)" = bird:s3cr3t ]
	run on_terminal "$CMAN" login -u bird "$REGISTRY" <<-'END'
		expect Password: 
		send s3cr3t\r
		expect s3cr3t
	END
	[ "$status" = 1 ]
}

@test "login: Ctrl-C at the password leaves the terminal as it was" {
	start_registry --user bird:s3cr3t
	on_terminal sh -c "'$CMAN' login -u bird '$REGISTRY'; echo status=\$?; stty -a | grep -o ' -*echo '" <<-'END'
		expect Password: 
		send s3c\x03
		expect status=130
		expect  echo 
		exits 0
	END
	[ -z "$(kept_user)" ]
}

@test "login: a password on the command line works, with a warning" {
	start_registry --user bird:s3cr3t
	run --separate-stderr cman login -u bird -p s3cr3t "https://$REGISTRY/v1/"
	assert_status 0
	assert_output "logged in to $REGISTRY as bird"
	assert_match "$stderr" 'cman: warning: a password on the command line can be seen by everybody'
	assert_match "$stderr" "cman: warning: the password is kept in $DOCKER_CONFIG/config.json, not encrypted"
	refute_match "$stderr" s3cr3t
}

@test "login: what cannot be" {
	start_registry
	run --separate-stderr cman login -u bird --password-stdin "$REGISTRY/t/box" <<<x
	assert_status 125
	assert_error 'is no registry'
	run --separate-stderr cman login --password-stdin "$REGISTRY" <<<x
	assert_status 125
	assert_error '--password-stdin needs --username'
	run --separate-stderr cman login -u bird -p x --password-stdin "$REGISTRY" <<<x
	assert_status 125
	assert_error 'exclude each other'
	run --separate-stderr cman login -u a:b -p x "$REGISTRY"
	assert_status 125
	assert_error 'no colon'
	run --separate-stderr cman login -u bird --password-stdin "$REGISTRY" </dev/null
	assert_status 125
	assert_error 'standard input holds no password'
	run --separate-stderr setsid -w "$CMAN" login -u bird "$REGISTRY" </dev/null
	assert_status 125
	assert_error 'no password is given, and no terminal to ask at'
	assert_match "$stderr" 'hint: .*--password-stdin'
	run --separate-stderr setsid -w "$CMAN" login "$REGISTRY" </dev/null
	assert_status 125
	assert_error 'no user name is given, and no terminal to ask at'
	assert_match "$stderr" 'hint: -u USER --password-stdin'
	run --separate-stderr cman login -u bird --password-stdin 127.0.0.1:9 <<<x
	assert_status 125
	assert_error '127\.0\.0\.1:9'
}

@test "logout: of nobody, of all, and with others' files" {
	start_registry --user bird:s3cr3t
	run --separate-stderr cman logout "$REGISTRY"
	assert_status 125
	assert_error "^cman: not logged in to $REGISTRY"
	cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t 2>/dev/null
	export REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/auth.json
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$REGISTRY" "$(printf bird:s3cr3t | base64)" >"$REGISTRY_AUTH_FILE"
	run --separate-stderr cman logout "$REGISTRY"
	assert_status 0
	assert_match "$stderr" "warning: $REGISTRY_AUTH_FILE has credentials for $REGISTRY"
	unset REGISTRY_AUTH_FILE
	cman login -u bird --password-stdin "$REGISTRY" <<<s3cr3t 2>/dev/null
	run --separate-stderr cman logout --all
	assert_status 0
	assert_output 'logged out of 1 registry'
	[ -z "$(kept_user)" ]
}
