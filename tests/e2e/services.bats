#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real servers from Debian's packages, put into an image by commit, run as a person would run them.

load helpers
load fixtures

# The image takes seconds to load: once a run, then hard links, as with import_debian.
setup() {
	new_root
	local kept=$BATS_RUN_TMPDIR/services-root
	if [ ! -d "$kept" ]; then
		fixture_services "$BATS_RUN_TMPDIR/services.tar"
		CMAN_ROOT=$kept.new cman load -q -i "$BATS_RUN_TMPDIR/services.tar" >/dev/null
		mv "$kept.new" "$kept"
	fi
	cp -al "$kept" "$CMAN_ROOT"
	rm -f "$CMAN_ROOT"/cman.db*
	cp -a "$kept"/cman.db* "$CMAN_ROOT"
}

# retry SECONDS COMMAND...: until it succeeds.
retry() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "did not succeed in time: $*"
			"$@"
			return 1
		}
		sleep 0.1
	done
}

# A page of a server inside, by bash alone.
page() {
	cman exec "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3'
}

@test "nginx: a page from a volume, workers as another user, logs, reload, a graceful stop" {
	mkdir "$BATS_TEST_TMPDIR/www"
	echo 'hello from a volume' >"$BATS_TEST_TMPDIR/www/index.html"
	chmod 755 "$BATS_TEST_TMPDIR/www"
	cman run -d --name web --stop-signal QUIT -m 128m --pids-limit 64 --read-only \
		--tmpfs /run --tmpfs /var/lib/nginx --tmpfs /var/log/nginx \
		-v "$BATS_TEST_TMPDIR/www:/var/www/html:ro" services \
		nginx -g 'daemon off; error_log /dev/stderr; ' >/dev/null
	retry 20 page web
	run page web
	[[ $output == *'200 OK'*'hello from a volume'* ]]
	run cman exec web sh -c 'ps -o user= -C nginx | sort -u'
	assert_output 'root
www-data'
	cman kill -s HUP web
	retry 20 page web
	[ "$(cman ps --format '{{.Name}}')" = web ]
	cman stop web
	run cman inspect -f '{{.State.ExitCode}}' web
	assert_output 0
}

@test "redis: data in a named volume outlives the container; limits are seen; stop saves" {
	run_redis() {
		cman run -d --name cache -u redis -m 64m -v data:/var/lib/redis -w /var/lib/redis services \
			redis-server --save 3600 1 --dir /var/lib/redis >/dev/null
		retry 20 cman exec cache redis-cli ping
	}
	run_redis
	cman exec cache redis-cli set bird tit
	cman stop cache
	run cman inspect -f '{{.State.ExitCode}}' cache
	assert_output 0
	run cman logs cache
	[[ $output == *'DB saved on disk'* ]]
	cman rm cache >/dev/null
	run_redis
	run cman exec cache redis-cli get bird
	assert_output tit
	# a second one on the same volume sees it, too
	run cman run --rm -v data:/data:ro services ls /data
	assert_output dump.rdb
	run cman volume rm data
	assert_status 125
	[[ $output == *cache* ]]
	cman rm -f cache >/dev/null
	cman volume rm data
}

@test "redis: out of memory is told as such, and started again as the policy says" {
	cman run -d --name cache -m 32m --memory-swap 32m --restart on-failure:1 services \
		redis-server --save '' --enable-debug-command yes >/dev/null
	retry 20 cman exec cache redis-cli ping
	cman exec cache redis-cli debug populate 2000000 >/dev/null 2>&1 || true
	retry 30 sh -c "'$CMAN' inspect -f '{{.RestartCount}}' cache | grep -qx 1"
	retry 20 cman exec cache redis-cli ping
	cman exec cache redis-cli debug populate 2000000 >/dev/null 2>&1 || true
	[ "$(cman wait cache)" = 137 ]
	run cman why -n 0 cache
	assert_match "${lines[0]}" '^cache was killed because its memory was used up \(exit status 137\)'
	[[ $output == *'restarts  1 time started again; policy on-failure, at most 1 time'* ]]
}

@test "postgres: a volume filled from the image, a health check, killed and started again with its data" {
	cman run -d --name db -u postgres --shm-size 64m --restart always \
		--health-cmd 'pg_isready -h /var/run/postgresql' --health-interval 1s --health-retries 3 \
		-v pg:/var/lib/postgresql services \
		/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main \
		-c config_file=/etc/postgresql/15/main/postgresql.conf >/dev/null
	retry 30 sh -c "'$CMAN' ps --format '{{.Status}}' | grep -q '(healthy)'"
	cman exec -u postgres db psql -qc 'CREATE TABLE birds AS SELECT generate_series(1, 1000) AS n'
	run cman exec -u postgres db psql -Atc 'SELECT count(*), sum(n) FROM birds'
	assert_output '1000|500500'
	# as by a crash: recovery at the next start
	cman exec db sh -c 'kill -9 $(head -1 /var/lib/postgresql/15/main/postmaster.pid)'
	retry 30 sh -c "'$CMAN' inspect -f '{{.RestartCount}}' db | grep -qx 1"
	retry 30 cman exec -u postgres db psql -Atc 'SELECT 1'
	run cman exec -u postgres db psql -Atc 'SELECT count(*), sum(n) FROM birds'
	assert_output '1000|500500'
	retry 30 sh -c "'$CMAN' ps --format '{{.Status}}' | grep -q '(healthy)'"
	# a stop is no failure to be mended
	cman stop -t 30 db
	[ "$(cman ps -aq | wc -l)" = 1 ]
	[ -z "$(cman ps -q)" ]
	cman start db
	retry 30 cman exec -u postgres db psql -Atc 'SELECT 1'
	run cman exec -u postgres db psql -Atc 'SELECT count(*) FROM birds'
	assert_output 1000
	cman rm -f db >/dev/null
	cman volume rm pg
}
