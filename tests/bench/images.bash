# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A registry with images of realistic size for the .bench files that pull. Source it after bench.bash.
#
#   $BENCH_REGISTRY          HOST:PORT of Debian's docker-registry, files in $BENCH_DIR/registry
#   bench/debian:gzip :zstd  Debian with procps and curl: one layer, about 190 MB, 9,900 files
#   bench/large:gzip         Debian with compilers and git: 8 layers, about 640 MB, 18,700 files
#   $BENCH_LAYER             URL of the gzip layer of bench/debian

BENCH_CACHE=${CMAN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cman-tests}

# debian_tar NAME PACKAGES: prints the path; kept between runs for as long as a month.
debian_tar() {
	local kept=$BENCH_CACHE/bench-$1.tar
	if [[ -z $(find "$kept" -mtime -30 2>/dev/null) ]]; then
		mkdir -p "$BENCH_CACHE"
		mmdebstrap --quiet --variant=minbase --include="$2" \
			"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$kept.$$.tar" >&2
		mv "$kept.$$.tar" "$kept"
	fi
	echo "$kept"
}

# layout DIR COUNT TAR: an OCI layout whose image has the archive's content in COUNT layers.
layout() {
	mkdir -p "$1"
	python3 "$(dirname "${BASH_SOURCE[0]}")/layout.py" "$@"
}

start_bench_registry() {
	local dir=$BENCH_DIR/registry port tar program
	# What pulls, what it is compared with, and what makes the images.
	for program in docker-registry skopeo mmdebstrap python3 curl; do
		has "$program" || {
			missing "$program"
			return 1
		}
	done
	mkdir -p "$dir"
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	BENCH_REGISTRY=127.0.0.1:$port
	printf '%s\n' 'version: 0.1' 'log: {level: error, accesslog: {disabled: true}}' \
		"storage: {filesystem: {rootdirectory: $dir}}" "http: {addr: '$BENCH_REGISTRY'}" >"$dir.yml"
	docker-registry serve "$dir.yml" >"$dir.log" 2>&1 &
	BENCH_REGISTRY_PID=$!
	until (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		kill -0 "$BENCH_REGISTRY_PID"
		sleep 0.05
	done
	if [[ ! -d $BENCH_DIR/layouts ]]; then
		tar=$(debian_tar debian procps,curl,ca-certificates)
		layout "$BENCH_DIR/layouts/debian" 1 "$tar"
		tar=$(debian_tar large gcc,g++,git,perl,python3,vim,gdb,procps,curl,ca-certificates)
		layout "$BENCH_DIR/layouts/large" 8 "$tar"
	fi
	put_image debian debian:gzip gzip
	put_image debian debian:zstd zstd
	put_image large large:gzip gzip
	# shellcheck disable=SC2034 # for the .bench files
	BENCH_LAYER=http://$BENCH_REGISTRY/v2/bench/debian/blobs/$(skopeo inspect --raw \
		--tls-verify=false "docker://$BENCH_REGISTRY/bench/debian:gzip" | jq -r '.layers[0].digest')
}

stop_bench_registry() { [[ -z ${BENCH_REGISTRY_PID-} ]] || kill "$BENCH_REGISTRY_PID"; }

# put_image LAYOUT NAME COMPRESSION
put_image() {
	skopeo copy -q --dest-compress --dest-compress-format "$3" "oci:$BENCH_DIR/layouts/$1:image" \
		"dir:$BENCH_DIR/layouts/packed"
	skopeo copy -q --preserve-digests --dest-tls-verify=false "dir:$BENCH_DIR/layouts/packed" \
		"docker://$BENCH_REGISTRY/bench/$2"
	rm -r "$BENCH_DIR/layouts/packed"
}
