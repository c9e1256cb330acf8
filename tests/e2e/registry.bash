# SPDX-License-Identifier: Apache-2.0
# Registries for the tests, all on loopback, all ended when the test is. `load registry` brings
# helpers.bash along, and setup() and teardown() that know of the servers.
#
#   start_registry [OPTION...]        Debian's docker-registry: $REGISTRY is its HOST:PORT
#       --tls                         with the certificate of $FIXTURES (--cacert $FIXTURES/ca.pem)
#       --user USER:PASSWORD          Basic authentication (htpasswd)
#       --token                       Bearer tokens of the realm that start_token_realm started
#       --ipv6                        on [::1]
#       --read-only                   pushes are refused
#       --name NAME                   its files are in $BATS_TEST_TMPDIR/NAME (registry): one that is
#                                     started with the same name has what the other has
#   start_token_realm [OPTION...]     see token_realm.py; $TOKEN_REALM, $TOKEN_LOG
#   start_nginx_in_front [OPTION...]  nginx before $REGISTRY: $FRONT is its HOST:PORT
#       --tls, --client-ca FILE       the latter: only clients with a certificate of that CA
#       --rate BYTES                  blobs go out no faster than so many bytes a second
#       --redirect-blobs              GET of a blob is answered by a redirect to $BLOB_HOST, which
#                                     serves the registry's files, and refuses Authorization
#     $FRONT_LOG has a line for each request: PORT METHOD URI STATUS BYTES range=… auth=…
#   cut_connections                   that nginx drops every connection it has, and goes on
#   start_faulty_registry             see faulty_registry.py; $FAULTY is its HOST:PORT
#   image_layout IMAGE                prints the OCI layout that has it under the tag `image`; for the
#                                     images see make_image: made when first asked for, once a run
#   seed IMAGE NAME[:TAG]             puts it into $REGISTRY as it is
#   seed_docker IMAGE NAME[:TAG]      in Docker's formats: schema 2 manifest, or list for an index
#   digest_of NAME[:TAG]              of the manifest that $REGISTRY has
#   podman_apart ARG...               podman with storage of this test's own
#   tree_by_umoci IMAGE, tree_by_podman NAME, tree_by_cman IMAGE
#                                     list its tree (tree_list.py), for assert_same_tree
# shellcheck shell=bash
# shellcheck disable=SC2034 # variables for the tests

load helpers
# shellcheck source=tests/e2e/fixtures.bash
. "${BASH_SOURCE[0]%/*}/fixtures.bash"

setup() {
	new_root
	new_servers
}

teardown() {
	local status=0
	podman_gone
	end_of_root || status=1
	end_servers
	return "$status"
}

# Call it from a setup() of your own, after new_root.
new_servers() {
	SERVER_PIDS=()
	# Nobody's credentials and no proxy of this machine may help or hinder.
	export DOCKER_CONFIG=$BATS_TEST_TMPDIR/docker
	mkdir -p "$DOCKER_CONFIG"
	echo "{}" >"$DOCKER_CONFIG/config.json"
	export CMAN_REGISTRIES=$BATS_TEST_TMPDIR/registries.json
	echo '{}' >"$CMAN_REGISTRIES"
	unset CMAN_AUTH_FILE REGISTRY_AUTH_FILE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
	REGISTRY='' REGISTRY_USER=''
}

end_servers() {
	local pid
	for pid in "${SERVER_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	# Without a server it would wait for all there is: bats' own watchdog, too.
	[ ${#SERVER_PIDS[@]} -eq 0 ] || wait "${SERVER_PIDS[@]}" 2>/dev/null || true
	SERVER_PIDS=()
}

# in_background LOG COMMAND...: a server of this test.
in_background() {
	"${@:2}" >"$1" 2>&1 </dev/null 3>&- 4>&- &
	SERVER_PIDS+=("$!")
}

listens() {
	(: </dev/tcp/"$1"/"$2") 2>/dev/null
}

start_registry() {
	local name=registry host=127.0.0.1 port tls='' auth='' read_only=false dir
	REGISTRY_USER=''
	while [ $# -gt 0 ]; do
		case $1 in
		--tls) tls="tls: {certificate: $FIXTURES/server.pem, key: $FIXTURES/server.key}" ;;
		--ipv6) host='::1' ;;
		--read-only) read_only=true ;;
		--name) name=$2 && shift ;;
		--user) REGISTRY_USER=$2 && shift ;;
		--token)
			auth="token: {realm: '$TOKEN_REALM', service: cman-test, issuer: cman-test-realm,
			        rootcertbundle: $TOKEN_DIR/realm.pem}"
			;;
		*) echo "start_registry: $1?" && return 2 ;;
		esac
		shift
	done
	dir=$BATS_TEST_TMPDIR/$name
	mkdir -p "$dir"
	if [ -n "$REGISTRY_USER" ]; then
		htpasswd -Bbn -C 4 "${REGISTRY_USER%%:*}" "${REGISTRY_USER#*:}" >"$dir.htpasswd"
		auth="htpasswd: {realm: cman-test, path: $dir.htpasswd}"
	fi
	port=$(free_port)
	cat >"$dir.yml" <<-END
		version: 0.1
		log: {level: warn, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: $dir}
		  delete: {enabled: true}
		  maintenance: {readonly: {enabled: $read_only}}
		http:
		  addr: '$([ "$host" = ::1 ] && echo "[::1]" || echo "$host"):$port'
		  secret: known-to-all
		  $tls
		${auth:+auth: {$auth\}}
	END
	in_background "$dir.log" env OTEL_TRACES_EXPORTER=none docker-registry serve "$dir.yml"
	eventually listens "$host" "$port"
	if [ "$host" = ::1 ]; then host='[::1]'; fi
	REGISTRY=$host:$port
	REGISTRY_DIR=$dir
}

start_token_realm() {
	TOKEN_DIR=$BATS_TEST_TMPDIR/token
	TOKEN_LOG=$TOKEN_DIR/requests
	mkdir -p "$TOKEN_DIR"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=cman-test-realm' \
		-keyout "$TOKEN_DIR/realm.key" -out "$TOKEN_DIR/realm.pem" 2>/dev/null
	: >"$TOKEN_LOG"
	in_background "$TOKEN_DIR/log" "$REPO/tests/e2e/token_realm.py" "$TOKEN_DIR" "$@"
	eventually test -s "$TOKEN_DIR/port"
	TOKEN_REALM=http://127.0.0.1:$(cat "$TOKEN_DIR/port")/token
}

start_nginx_in_front() {
	local dir=$BATS_TEST_TMPDIR/front port blob_port scheme=http tls='' verify='' rate=0 redirect=''
	while [ $# -gt 0 ]; do
		case $1 in
		--tls) tls=ssl scheme=https ;;
		--client-ca) verify="ssl_client_certificate $2; ssl_verify_client on;" && shift ;;
		--rate) rate=$2 && shift ;;
		--redirect-blobs) redirect=yes ;;
		*) echo "start_nginx_in_front: $1?" && return 2 ;;
		esac
		shift
	done
	port=$(free_port)
	until blob_port=$(free_port) && [ "$blob_port" != "$port" ]; do :; done
	mkdir -p "$dir"
	chmod 755 "$BATS_TEST_TMPDIR" "$dir"
	FRONT=127.0.0.1:$port
	# Another host, as far as names go: what was meant for FRONT is not meant for it.
	BLOB_HOST=localhost:$blob_port
	FRONT_LOG=$dir/access.log
	if [ -n "$redirect" ]; then
		redirect="if (\$request_method = GET) { return 307 $scheme://$BLOB_HOST\$uri?signature=secret; }"
	fi
	cat >"$dir.conf" <<-END
		worker_processes 1;
		daemon off;
		user root;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 256; }
		http {
			log_format seen '\$server_port \$request_method \$request_uri \$status \$body_bytes_sent '
				'range=\$http_range auth=\$http_authorization';
			access_log $FRONT_LOG seen;
			client_body_temp_path $dir; proxy_temp_path $dir;
			fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
			client_max_body_size 0;
			${tls:+ssl_certificate $FIXTURES/server.pem;}
			${tls:+ssl_certificate_key $FIXTURES/server.key;}
			proxy_set_header Host \$http_host;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_http_version 1.1;
			proxy_request_buffering off;
			proxy_buffering off;
			server {
				listen 127.0.0.1:$port $tls;
				$verify
				location / { proxy_pass http://$REGISTRY; }
				location ~ ^/v2/.*/blobs/sha256: {
					$redirect
					limit_rate $rate;
					proxy_buffering on;
					proxy_max_temp_file_size 0;
					proxy_pass http://$REGISTRY;
				}
			}
			server {
				listen 127.0.0.1:$blob_port $tls;
				listen [::1]:$blob_port $tls;
				root $REGISTRY_DIR/docker/registry/v2/blobs;
				limit_rate $rate;
				# As object stores do: a signed URL and an Authorization together are an error.
				if (\$http_authorization) { return 400; }
				rewrite ^/v2/.*/blobs/sha256:((..).*)\$ /sha256/\$2/\$1/data break;
			}
		}
	END
	in_background "$dir/log" nginx -c "$dir.conf" -e "$dir/error.log"
	FRONT_PID=${SERVER_PIDS[-1]}
	eventually listens 127.0.0.1 "$port"
}

# Its worker is killed and another one comes: to the clients the same as a router that forgets them.
cut_connections() {
	local worker
	worker=$(cat "/proc/$FRONT_PID/task/$FRONT_PID/children")
	# shellcheck disable=SC2086 # several, or none
	kill -KILL $worker
}

start_faulty_registry() {
	local dir=$BATS_TEST_TMPDIR/faulty
	mkdir -p "$dir"
	FAULTY_LOG=$dir/requests
	: >"$FAULTY_LOG"
	in_background "$dir/log" "$REPO/tests/e2e/faulty_registry.py" "$dir" "$(image_layout box)" "$@"
	eventually test -s "$dir/port"
	FAULTY=127.0.0.1:$(cat "$dir/port")
}

image_layout() {
	local images=${CMAN_TEST_SHARED:-$BATS_RUN_TMPDIR}/images
	mkdir -p "$images"
	case $1 in
	*-zstd | *-plain) image_layout "${1%-*}" >/dev/null ;;
	esac
	(
		flock 9
		[ -d "$images/$1" ] || IMAGES=$images "$REPO/tests/e2e/make_image" "$1" "$images/$1"
	) 9>"$images/$1.lock" >"$images/$1.log" 2>&1 3>&- 4>&- || {
		cat "$images/$1.log" >&2
		return 1
	}
	echo "$images/$1"
}

# skopeo_copy SOURCE TARGET OPTION...: to or from $REGISTRY, as its user.
skopeo_copy() {
	local creds=()
	if [ -n "$REGISTRY_USER" ]; then creds=(--src-creds "$REGISTRY_USER" --dest-creds "$REGISTRY_USER"); fi
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "${creds[@]}" "${@:3}" "$1" "$2"
}

seed() {
	skopeo_copy "oci:$(image_layout "$1"):image" "docker://$REGISTRY/$2" --all --preserve-digests
}

seed_docker() {
	skopeo_copy "oci:$(image_layout "$1"):image" "docker://$REGISTRY/$2" --all --format v2s2
}

digest_of() {
	local creds=()
	if [ -n "$REGISTRY_USER" ]; then creds=(--creds "$REGISTRY_USER"); fi
	skopeo inspect --raw --tls-verify=false "${creds[@]}" "docker://$REGISTRY/$1" |
		sha256sum | sed 's/^/sha256:/; s/ .*//'
}

podman_apart() {
	local dir=$BATS_TEST_TMPDIR/podman
	if [ ! -d "$dir" ]; then
		mkdir -p "$dir"
		printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
			"$dir/storage" "$dir/run" >"$dir/storage.conf"
		# Nothing of it outside: no cgroup, no lock in /dev/shm.
		printf '[engine]\nlock_type = "file"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "%s"\n' \
			"$dir/tmp" >"$dir/containers.conf"
	fi
	CONTAINERS_STORAGE_CONF=$dir/storage.conf CONTAINERS_CONF=$dir/containers.conf podman "$@"
}

# Its mounts: those of images, then the one that makes its storage private.
podman_gone() {
	local dir=$BATS_TEST_TMPDIR/podman
	[ -d "$dir" ] || return 0
	awk -v dir="$dir/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		xargs -r umount -l
}

list_tree() {
	"$REPO/tests/e2e/tree_list.py" --merged "$1"
}

tree_by_umoci() {
	local dir
	dir=$(mktemp -d -p "$BATS_TEST_TMPDIR")
	umoci raw unpack --image "$(image_layout "$1"):image" "$dir/tree" >&2
	list_tree "$dir/tree"
	rm -rf "$dir"
}

tree_by_podman() {
	local id
	id=$(podman_apart pull -q --tls-verify=false "$1")
	list_tree "$(podman_apart image mount "$id")"
	podman_apart image unmount "$id" >&2
}

tree_by_cman() {
	list_tree "$(cman image mount "$1")"
	cman image unmount "$1" >&2
}

# assert_same_tree EXPECTED GOT [PATTERN]: lists, but for lines that match PATTERN.
assert_same_tree() {
	if ! diff <(grep -vE "${3:-^$}" "$1") <(grep -vE "${3:-^$}" "$2"); then
		echo "$2 (>) is not as $1 (<)"
		return 1
	fi
	# A list of nothing is like every other.
	[ "$(wc -l <"$1")" -gt 3 ]
}
