# SPDX-License-Identifier: Apache-2.0
# Once before all end-to-end tests: two real root file systems and a real HTTPS server that
# publishes them in the layout of cdimage.ubuntu.com.
#
#   $FIXTURES/busybox.tar.gz    busybox only: the smallest system that is one
#   $FIXTURES/debian.tar.gz     Debian by mmdebstrap, with procps (kept between runs in $CMAN_TEST_CACHE)
#   $FIXTURES/ca.pem            the CA that signed the server's certificate
#   $SERVER                     https://127.0.0.1:PORT

# shellcheck source=tests/e2e/fixtures.bash
. "${BASH_SOURCE[0]%/*}/fixtures.bash"

setup_suite() {
	local repo
	repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export CMAN=${CMAN:-$repo/build/cman}
	export CTINIT=${CTINIT:-$repo/build/ctinit}
	export FIXTURES=$BATS_SUITE_TMPDIR/fixtures
	export REPO=$repo
	mkdir -p "$FIXTURES"
	fixture_busybox "$FIXTURES/busybox.tar.gz"
	fixture_debian "$FIXTURES/debian.tar.gz"
	fixture_ca "$FIXTURES"
	fixture_published "$FIXTURES/www"
	fixture_https_server "$FIXTURES"
}

teardown_suite() {
	if [ -s "$FIXTURES/nginx.pid" ]; then
		kill "$(cat "$FIXTURES/nginx.pid")"
	fi
}
