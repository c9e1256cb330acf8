# SPDX-License-Identifier: Apache-2.0
# Makers of what the tests run on. Sourced by setup_suite.bash.
# shellcheck shell=bash

# fixture_busybox FILE: a root file system of one static busybox and its links.
fixture_busybox() {
	local tree
	tree=$(mktemp -d)
	mkdir -p "$tree"/{bin,sbin,usr/bin,usr/sbin,etc,tmp,root,home/bird,proc,sys,dev,var/tmp}
	chmod 1777 "$tree/tmp"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	chroot "$tree" /bin/busybox --install -s /bin
	cat >"$tree/etc/passwd" <<-'END'
		root:x:0:0:root:/root:/bin/sh
		bird:x:1000:1000:A bird:/home/bird:/bin/sh
		nobody:x:65534:65534:nobody:/:/bin/false
	END
	cat >"$tree/etc/group" <<-'END'
		root:x:0:
		tty:x:5:
		flock:x:3000:bird
		bird:x:1000:
		nogroup:x:65534:
	END
	tar -C "$tree" --numeric-owner --owner=0 --group=0 -czf "$1" .
	rm -rf "$tree"
}

# fixture_debian FILE: Debian with procps, from the distribution's own bootstrap tool. It takes most
# of a minute, so it is kept between runs for as long as a week.
fixture_debian() {
	local cache=${CMAN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cman-tests}
	local kept=$cache/debian-procps.tar.gz new lock
	mkdir -p "$cache"
	exec {lock}>"$cache/lock"
	flock "$lock"
	if [ -z "$(find "$kept" -mtime -7 2>/dev/null)" ]; then
		new=$(mktemp --suffix=.tar.gz "$kept.XXXXXX")
		mmdebstrap --quiet --variant=minbase --include=procps,libcap2-bin \
			--dpkgopt='path-exclude=/usr/share/man/*' \
			--dpkgopt='path-exclude=/usr/share/doc/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$new"
		mv "$new" "$kept"
	fi
	exec {lock}>&-
	ln -s "$kept" "$1"
}

# fixture_ca DIR: a CA and a certificate for 127.0.0.1 and localhost.
fixture_ca() {
	(
		cd "$1" || exit
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=cman test CA' \
			-keyout ca.key -out ca.pem
		openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' \
			-keyout server.key -out server.csr
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
			-extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1') -out server.pem
	) 2>/dev/null
}

# fixture_published DIR: releases/VERSION/release/ as on cdimage.ubuntu.com, SHA256SUMS beside.
fixture_published() {
	local version arch dir
	arch=$(dpkg --print-architecture)
	for version in 22.04 24.04 26.04; do
		dir=$1/ubuntu-base/releases/$version/release
		mkdir -p "$dir"
		ln -s "$FIXTURES/debian.tar.gz" "$dir/ubuntu-base-$version-base-$arch.tar.gz"
		(cd "$dir" && sha256sum -b ./*.tar.gz | sed 's:\*\./:*:' >SHA256SUMS)
	done
	ln -s "$FIXTURES/busybox.tar.gz" "$1/busybox.tar.gz"
}

# A port of loopback that nobody listens on at this moment.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# fixture_https_server DIR: nginx serves DIR/www on a free port of loopback, over TLS.
fixture_https_server() {
	local port
	port=$(free_port)
	mkdir -p "$1/nginx"
	chmod 755 "$1"
	cat >"$1/nginx.conf" <<-END
		worker_processes 1;
		user root;
		pid $1/nginx.pid;
		error_log $1/nginx/error.log;
		events { worker_connections 64; }
		http {
			access_log $1/nginx/access.log;
			client_body_temp_path $1/nginx; proxy_temp_path $1/nginx;
			fastcgi_temp_path $1/nginx; uwsgi_temp_path $1/nginx; scgi_temp_path $1/nginx;
			server {
				listen 127.0.0.1:$port ssl;
				ssl_certificate $1/server.pem;
				ssl_certificate_key $1/server.key;
				root $1/www;
			}
		}
	END
	nginx -c "$1/nginx.conf" -e "$1/nginx/error.log" 3>&- 4>&-
	export SERVER=https://127.0.0.1:$port
}

# fixture_services FILE: an image of real servers, made as a person would: Debian, packages installed
# in a container, committed. An OCI archive, kept between runs as the one above.
fixture_services() {
	local cache=${CMAN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cman-tests}
	local kept=$cache/debian-services.tar work
	if [ -z "$(find "$kept" -mtime -7 2>/dev/null)" ]; then
		work=$(mktemp -d -p "$BATS_RUN_TMPDIR")
		CMAN_ROOT=$work "$CMAN" pull -q --name debian "$cache/debian-procps.tar.gz"
		CMAN_ROOT=$work "$CMAN" run --name apt --network host --pull never \
			-v /etc/resolv.conf:/etc/resolv.conf:ro -e DEBIAN_FRONTEND=noninteractive debian sh -ec '
			apt-get update
			apt-get install -y --no-install-recommends nginx-light redis-server postgresql
			apt-get clean
			rm -rf /var/lib/apt/lists/*' </dev/null
		CMAN_ROOT=$work "$CMAN" commit apt services
		CMAN_ROOT=$work "$CMAN" save -o "$kept.$$" services
		mv "$kept.$$" "$kept"
		rm -rf "$work"
	fi
	ln -s "$kept" "$1"
}
