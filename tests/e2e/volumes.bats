#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Volumes as people use them: made, filled from the image, shared, kept, removed.

load helpers

setup() {
	new_root
	import_busybox
}

teardown() {
	end_of_root
	cman volume prune -af >/dev/null
	assert_empty_dir "$CMAN_ROOT/volumes"
	cman fsck >/dev/null
}

# An image `stuff` with things in /data, and a volume of its own at /declared.
make_stuff() {
	cman run --name maker busybox sh -ec '
		mkdir -p /data/sub /declared
		echo content >/data/file
		ln /data/file /data/hard
		ln -s file /data/link
		mkfifo /data/fifo
		chmod 4711 /data/sub
		echo declared >/declared/file
		touch -d "2001-02-03 04:05:06" /data/file
		chown -R 33:44 /data
		chmod 0750 /data
		touch -d "2002-02-03 04:05:06" /data' >/dev/null
	cman commit --change 'VOLUME /declared' maker stuff >/dev/null
	cman rm maker >/dev/null
}

@test "a volume comes to be when it is named, and outlives its containers" {
	cman run --rm -v bird:/nest busybox sh -c 'echo egg >/nest/egg'
	run --separate-stderr cman run --rm -v bird:/elsewhere:ro busybox cat /elsewhere/egg
	assert_status 0
	assert_output egg
	run --separate-stderr cman run --rm -v bird:/nest:ro busybox touch /nest/more
	assert_status 1
	assert_stderr 'touch: /nest/more: Read-only file system'
	run --separate-stderr cman volume ls --format '{{.Name}} {{.Anonymous}} {{.Containers}}'
	assert_output 'bird false 0'
	run --separate-stderr cman volume rm bird bird
	assert_status 125
	assert_output bird
	assert_stderr 'cman: no such volume: bird'
	run --separate-stderr cman volume rm -f bird
	assert_status 0
}

@test "a new volume is filled with what the image has there, once" {
	make_stuff
	cman run --rm -v filled:/data stuff stat -c '%n %a %u:%g %h' /data /data/sub /data/file /data/link \
		/data/fifo >"$BATS_TEST_TMPDIR/seen"
	run cat "$BATS_TEST_TMPDIR/seen"
	assert_output '/data 750 33:44 3
/data/sub 4711 33:44 2
/data/file 644 33:44 2
/data/link 777 33:44 1
/data/fifo 644 33:44 1'
	data=$CMAN_ROOT/volumes/filled/_data
	run stat -c '%Y' "$data/file" "$data"
	assert_output "$(date -ud '2001-02-03 04:05:06' +%s)
$(date -ud '2002-02-03 04:05:06' +%s)"
	run cat "$data/link"
	assert_output content
	# emptied by hand, it stays empty
	cman run --rm -v filled:/data stuff sh -c 'rm -rf /data/*'
	run --separate-stderr cman run --rm -v filled:/data stuff ls /data
	assert_output ''
	# another image's stuff does not come into one that has something
	cman run --rm -v used:/x busybox touch /x/mine
	run --separate-stderr cman run --rm -v used:/data stuff ls /data
	assert_output mine
	run --separate-stderr cman run --rm -v not:/data:nocopy stuff ls /data
	assert_output ''
	# but into one that was merely mounted where an image has nothing
	cman run --rm -v later:/nothing busybox true
	run --separate-stderr cman run --rm -v later:/data stuff cat /data/file
	assert_output content
}

@test "anonymous volumes: of -v and of the image; gone with --rm and rm -v" {
	make_stuff
	run --separate-stderr cman run --rm -v /extra stuff sh -c 'cat /declared/file; touch /extra/x'
	assert_status 0
	assert_output declared
	run --separate-stderr cman volume ls -q
	assert_output ''
	cman run --name one -v /extra stuff true
	run --separate-stderr cman volume ls --format '{{.Anonymous}} {{.Containers}}'
	assert_output 'true 1
true 1'
	run --separate-stderr cman inspect -f '{{json .Mounts}}' one
	assert_match "$output" '"Destination":"/declared","Driver":"local"'
	cman rm -v one
	run --separate-stderr cman volume ls -q
	assert_output ''
	cman run --name two stuff true
	cman rm two
	run --separate-stderr cman volume ls --filter dangling=true --format '{{.Anonymous}}'
	assert_output true
	run --separate-stderr cman volume prune -f
	assert_match "$output" '^Deleted: [0-9a-f]{64}
reclaimed: 9 B \(9 bytes\)$'
	# what is mounted there keeps the image's volume away
	cman run --name three --tmpfs /declared stuff true
	run --separate-stderr cman volume ls -q
	assert_output ''
}

@test "a container's volume is not removed; who has it is named" {
	cman run --name one -v bird:/nest busybox true
	cman run --name two -v bird:/nest -v bird:/again busybox true
	run --separate-stderr cman volume rm bird
	assert_status 125
	assert_stderr 'cman: volume bird is in use by containers one, two
hint: remove these containers first: cman rm one'
	cman rm two
	run --separate-stderr cman volume rm bird
	assert_stderr 'cman: volume bird is in use by container one
hint: remove the container first: cman rm one'
	run --separate-stderr cman volume prune -af
	assert_output 'reclaimed: 0 B (0 bytes)'
	cman rm -v one
	# a name was given to it: it stays
	run --separate-stderr cman volume ls -q
	assert_output bird
}

@test "volumes-from: the same mounts at the same places" {
	mkdir "$BATS_TEST_TMPDIR/host"
	cman run --name one -v bird:/nest -v "$BATS_TEST_TMPDIR/host:/host" --tmpfs /mem busybox \
		sh -c 'echo egg >/nest/egg; echo seed >/host/seed'
	run --separate-stderr cman run --rm --volumes-from one busybox sh -c 'cat /nest/egg /host/seed; ls /mem'
	assert_match "$output" '^egg
seed'
	assert_match "$stderr" 'ls: /mem: No such file or directory'
	run --separate-stderr cman run --rm --volumes-from one:ro busybox touch /nest/x /host/x
	assert_stderr 'touch: /nest/x: Read-only file system
touch: /host/x: Read-only file system'
	run --separate-stderr cman run --rm --volumes-from one -v /nest busybox ls /nest
	assert_output ''
	run --separate-stderr cman run --rm --volumes-from nobody busybox true
	assert_status 125
	assert_stderr 'cman: --volumes-from: no such container: nobody'
}

@test "--mount: volumes with labels, a subpath, a directory of the host as a volume" {
	run --separate-stderr cman run --rm --mount src=bird,dst=/nest,volume-label=team=birds busybox \
		sh -c 'mkdir -p /nest/a/b; echo egg >/nest/a/b/egg; ln -s / /nest/root; ln -s a /nest/alias'
	assert_status 0
	run --separate-stderr cman volume ls -q --filter label=team=birds
	assert_output bird
	run --separate-stderr cman volume ls -q --filter 'label!=team'
	assert_output ''
	run --separate-stderr cman run --rm --mount src=bird,dst=/x,volume-subpath=alias/b,ro busybox ls /x
	assert_output egg
	run --separate-stderr cman run --rm --mount src=bird,dst=/x,volume-subpath=root/etc busybox ls /x
	assert_status 125
	assert_stderr "cman: root/etc leads out of $CMAN_ROOT/volumes/bird/_data"
	run --separate-stderr cman run --rm --mount src=bird,dst=/x,volume-subpath=../.. busybox ls /x
	assert_status 125
	assert_stderr "cman: ../.. leads out of $CMAN_ROOT/volumes/bird/_data"
	mkdir "$BATS_TEST_TMPDIR/host"
	echo seed >"$BATS_TEST_TMPDIR/host/seed"
	cman volume create -o type=none -o o=bind -o "device=$BATS_TEST_TMPDIR/host" seeds
	run --separate-stderr cman run --rm -v seeds:/x busybox cat /x/seed
	assert_output seed
	run --separate-stderr cman volume inspect -f '{{.Mountpoint}}' seeds
	assert_output "$BATS_TEST_TMPDIR/host"
	cman volume rm seeds
	[ -f "$BATS_TEST_TMPDIR/host/seed" ]
}

@test "--mount and -v: what is below the source, and what is made of it" {
	mkdir -p "$BATS_TEST_TMPDIR/src/below"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/src/below"
	src=$BATS_TEST_TMPDIR/src
	run --separate-stderr cman run --rm -v "$src:/x:ro" busybox touch /x/below/a
	assert_stderr 'touch: /x/below/a: Read-only file system'
	run --separate-stderr cman run --rm --mount "type=bind,src=$src,dst=/x,ro,bind-recursive=writable" \
		busybox sh -c 'touch /x/below/a; touch /x/b'
	assert_stderr 'touch: /x/b: Read-only file system'
	run --separate-stderr cman run --rm --mount "type=bind,src=$src,dst=/x,bind-recursive=disabled" \
		busybox ls /x/below
	assert_output ''
	run --separate-stderr cman run --rm -v "$src:/x:noexec" busybox \
		sh -c 'cp /bin/busybox /x/cp; /x/cp true'
	assert_stderr 'sh: /x/cp: Permission denied'
	umount "$src/below"
	run --separate-stderr cman run --rm \
		--mount "type=bind,src=$src/new/one,dst=/x,bind-create-src" busybox touch /x/made
	assert_status 0
	[ -f "$src/new/one/made" ]
	run --separate-stderr cman run --rm --mount type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=0700 busybox \
		sh -c 'stat -c %a /m; dd if=/dev/zero of=/m/x bs=64k 2>/dev/null; stat -c %s /m/x'
	assert_output '700
1048576'
}

# What the host has confined: a mount below the source, and a source that is read-only itself.
@test "a mount of the host keeps its attributes unless it is asked for others" {
	src=$BATS_TEST_TMPDIR/src closed=$BATS_TEST_TMPDIR/closed
	mkdir -p "$src/below" "$closed"
	mount -t tmpfs tmpfs "$src/below"
	mount -o remount,bind,ro,nosuid,nodev,noexec "$src/below"
	mount --bind "$closed" "$closed"
	mount -o remount,bind,ro,nosuid,nodev,noexec "$closed"
	attributes='NR > 0 && $5 ~ "^/(x|y)" { print $5, $6 }'
	kept='/x/below ro,nosuid,nodev,noexec,relatime
/y ro,nosuid,nodev,noexec,relatime'
	for mounts in "-v $src:/x -v $closed:/y" "-v $src:/x:rw -v $closed:/y:rw" \
		"--mount type=bind,src=$src,dst=/x --mount type=bind,src=$closed,dst=/y,ro=false"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr cman run --rm $mounts busybox sh -c 'touch /x/below/a; touch /y/a; touch /x/a'
		assert_status 0
		assert_stderr 'touch: /x/below/a: Read-only file system
touch: /y/a: Read-only file system'
		# shellcheck disable=SC2086
		run --separate-stderr cman run --rm $mounts busybox awk "$attributes" /proc/self/mountinfo
		[ "$(grep -v '^/x ' <<<"$output")" = "$kept" ]
	done
	# the words that were typed are for the source's own mount
	run --separate-stderr cman run --rm -v "$src:/x:exec,suid,dev" -v "$closed:/y:exec,suid" busybox \
		awk "$attributes" /proc/self/mountinfo
	[ "$(grep -v '^/x ' <<<"$output")" = '/x/below ro,nosuid,nodev,noexec,relatime
/y ro,nodev,relatime' ]
	# and a stricter one is for all below
	mount -o remount,bind,rw,suid,dev,exec "$src/below"
	run --separate-stderr cman run --rm -v "$src:/x:ro,noexec" busybox awk "$attributes" /proc/self/mountinfo
	assert_match "$output" '/x/below ro,noexec,relatime'
	cman create --name one -v "$src:/x" -v "$closed:/y:rw" -v "$src:/z:ro" busybox true
	run jq -r '.[0].Mounts[] | "\(.Destination) \(.RW) \(.Mode)"' <(cman inspect one)
	assert_output '/x true 
/y true 
/z false ro'
	# a configuration of an older cman, which always wrote rw
	mount -o remount,bind,ro,noexec "$src/below"
	id=$(cman create --name old -v "$src:/x" -v "$closed:/y" busybox touch /x/below/a /y/a)
	sed -i 's/"rbind","rprivate",/"rbind","rprivate","rw",/g' "$CMAN_ROOT/containers/$id/spec.json"
	[ "$(grep -o '"rprivate","rw"' "$CMAN_ROOT/containers/$id/spec.json" | wc -l)" = 2 ]
	run --separate-stderr cman start -a old
	assert_status 1
	assert_stderr 'touch: /x/below/a: Read-only file system
touch: /y/a: Read-only file system'
	umount "$src/below"
	umount "$closed"
}

@test "propagation: mounts that come later show on the other side, if they can" {
	mkdir "$BATS_TEST_TMPDIR/peer"
	peer=$BATS_TEST_TMPDIR/peer
	run --separate-stderr cman run --rm -v "$peer:/x:rshared" busybox true
	if [ "$status" = 125 ]; then
		assert_stderr "cman: $peer is not on a shared mount, so that nothing that is mounted there can be shared
hint: make it one on the host: mount --bind ${peer:0:60} ${peer:0:60} && mount --make-shared ${peer:0:60}"
	fi
	mount --bind "$peer" "$peer"
	mount --make-shared "$peer"
	mkdir "$peer/later"
	cman run -d --name one -v "$peer:/slave:rslave" -v "$peer:/private" busybox sleep 1000
	mount -t tmpfs -o size=64k tmpfs "$peer/later"
	run --separate-stderr cman exec one awk '$5 ~ "/later$" { print $5 }' /proc/self/mountinfo
	assert_output /slave/later
	umount "$peer/later"
	run --separate-stderr cman inspect -f '{{json .Mounts}}' one
	assert_match "$output" '"Destination":"/slave",.*"RW":true,"Propagation":"rslave"'
	cman rm -f one
	umount "$peer"
}

@test "read-only-tmpfs: what programs write to is in memory" {
	run --separate-stderr cman run --rm --read-only --read-only-tmpfs busybox \
		sh -c 'touch /run/a /tmp/a /var/tmp/a && touch /b'
	assert_stderr 'touch: /b: Read-only file system'
}

@test "an image's symlinks lead nowhere but into the image when a volume is filled" {
	echo secret >"$BATS_TEST_TMPDIR/secret"
	cman run --name maker busybox sh -ec "
		mkdir -p /real/inner
		echo inside >/real/inner/file
		ln -s /real /through
		ln -s ../../../../../../../.. /up
		ln -s $BATS_TEST_TMPDIR /out
		ln -s $BATS_TEST_TMPDIR/secret /real/inner/leak"
	cman commit maker hostile >/dev/null
	cman rm maker
	run --separate-stderr cman run --rm -v a:/through/inner hostile ls -l /through/inner
	assert_match "$output" 'leak -> '
	run cat "$CMAN_ROOT/volumes/a/_data/file"
	assert_output inside
	[ -L "$CMAN_ROOT/volumes/a/_data/leak" ]
	# with the container's own root as /, these are places that it has not
	run --separate-stderr cman run --rm -v b:/out hostile ls -A /out
	assert_output ''
	run --separate-stderr cman run --rm -v "c:/up$BATS_TEST_TMPDIR" hostile ls -A "$BATS_TEST_TMPDIR"
	assert_output ''
}

@test "several containers at once fill a volume once" {
	make_stuff
	local pids=()
	for i in 1 2 3 4 5 6; do
		cman run --rm -v shared:/data stuff sh -c 'cat /data/file; ls /data | wc -l' \
			>"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	run sort -u "$BATS_TEST_TMPDIR"/out.*
	assert_output '5
content'
}

@test "no volume where every container has its own: refused, and left out where the image wants it" {
	run --separate-stderr cman run -v /dev busybox true
	assert_status 125
	assert_stderr "cman: /dev: every container has its own; no volume can be mounted on it
hint: see 'cman run --help'"
	run --separate-stderr cman create --tmpfs //proc//sys busybox true
	assert_status 125
	assert_stderr "cman: /proc/sys: every container has its own; no tmpfs can be mounted on it
hint: see 'cman create --help'"
	for option in '-v bird:/x/../proc/.' '--mount dst=/./proc' '--tmpfs /proc/./'; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr cman create $option busybox true
		assert_status 125
		assert_match "$stderr" '^cman: /proc: every container has its own; no (volume|tmpfs) can be mounted on it
'
	done
	run --separate-stderr cman run --rm -v "$BATS_TEST_TMPDIR:/dev" busybox true
	assert_status 125
	assert_match "$stderr" 'cman: cannot mask /proc/[a-z_]+: cannot open /dev/null in the container: No such file or directory
hint: whatever is mounted on /dev has to have it$'
	[ -z "$(cman volume ls -q)" ]
	run --separate-stderr cman run --rm -v /dev:/dev -v /dev/shm busybox ls /dev/null
	assert_status 0
	cman run --name maker busybox true
	cman commit -c 'VOLUME /dev /proc/ /sys / /kept' maker greedy >/dev/null
	run --separate-stderr cman run --name bird greedy sh -c 'ls /dev/null /proc/self/exe; mount | grep -c " on /kept "'
	assert_status 0
	assert_output '/dev/null
/proc/self/exe
1'
	[ "$(sort <<<"$stderr")" = 'cman: warning: the image wants a volume at /, where every container has its own: none is made
cman: warning: the image wants a volume at /dev, where every container has its own: none is made
cman: warning: the image wants a volume at /proc/, where every container has its own: none is made
cman: warning: the image wants a volume at /sys, where every container has its own: none is made' ]
	[ "$(cman volume ls -q | wc -l)" = 1 ]
}

@test "an image's volumes lie over /proc, /sys and /dev by no spelling and by no symlink" {
	cman load -q --name sly "$(edited_layout busybox jq -c '.config.Volumes = {"/./proc": {},
		"/x/../proc/self/../": {}, "/proc/../dev": {}, "/./sys/.": {}, "/x/..": {}, "/kept/./": {}}')" >/dev/null
	run --separate-stderr cman run --name bird sly sh -c \
		'awk "\$5 ~ \"^/(proc|dev|sys)\$\" { sub(\".* - \", \"\"); print \$1 }" /proc/self/mountinfo | sort | tr "\n" " "
		ls /proc/self/exe /dev/null; cat /proc/keys'
	assert_status 0
	assert_output 'proc sysfs tmpfs /dev/null
/proc/self/exe'
	[ "$(sort <<<"$stderr")" = "$(printf 'cman: warning: the image wants a volume at %s, where every container has its own: none is made\n' \
		/./proc /./sys/. /proc/../dev /x/.. /x/../proc/self/../ | sort)" ]
	run jq -r '.[0].Mounts[].Destination' <(cman inspect bird)
	assert_output /kept
	cman run --name maker busybox sh -c 'ln -s proc toproc; ln -s /dev todev; ln -s sys/kernel tosys; ln -s dev/pts topts'
	cman commit maker links >/dev/null
	for place in proc:/proc dev:/dev sys:/sys pts:/dev/pts; do
		run --separate-stderr cman run --rm -v "kept:/to${place%:*}" links true
		assert_status 125
		assert_stderr "cman: cannot mount $CMAN_ROOT/volumes/kept/_data on /to${place%:*}: /to${place%:*} leads to ${place#*:}, where every container has its own"
	done
	# by its own name it is the user's own business
	run --separate-stderr cman run --rm -v /proc:/proc -v kept:/dev/shm links ls /toproc/self/exe
	assert_status 0
}

# with_host_systems DIR COMMAND...: DIR/sys and DIR/proc are mounted for the command alone.
with_host_systems() {
	unshare --mount sh -c 'mount -t sysfs sysfs "$0/sys" && mount -t proc proc "$0/proc" && exec "$@"' "$@"
}

@test "with the host's network and processes, a mount in the host's own /sys and /proc is no mistake" {
	host=$BATS_TEST_TMPDIR/host
	mkdir -p "$host/sys" "$host/proc" "$BATS_TEST_TMPDIR/data"
	touch "$BATS_TEST_TMPDIR/data/here"
	cman run --name maker busybox sh -c 'ln -s sys/kernel tosys; ln -s proc/sys toproc'
	cman commit maker links >/dev/null
	run --separate-stderr with_host_systems "$host" "$CMAN" run --rm --network host --pid host -v "$host:/host" \
		-v "$BATS_TEST_TMPDIR/data:/host/sys/kernel" -v "$BATS_TEST_TMPDIR/data:/host/proc/sys" links \
		sh -c 'ls /host/sys/kernel /host/proc/sys; ls /sys/kernel /proc/sys | grep -c "^here$"'
	assert_status 1
	assert_output '/host/proc/sys:
here

/host/sys/kernel:
here
0'
	# What a symlink leads there is as before.
	for place in sys:/sys proc:/proc; do
		run --separate-stderr cman run --rm --network host --pid host -v "kept:/to${place%:*}" links true
		assert_status 125
		assert_stderr "cman: cannot mount $CMAN_ROOT/volumes/kept/_data on /to${place%:*}: /to${place%:*} leads to ${place#*:}, where every container has its own"
	done
}

# What exec opens itself, the null device and the master of terminals, somebody may have put there.
@test "exec: what stands where /dev/null and /dev/pts/ptmx should be is not opened" {
	dev=$BATS_TEST_TMPDIR/dev
	mkdir -p "$dev/pts"
	mknod -m 666 "$dev/null" c 1 3
	cman run -d --name bird -v "$dev:/dev" busybox sleep 600
	rm "$dev/null"
	local readers=()
	for node in null pts/ptmx; do
		mkfifo "$dev/$node"
		cat "$dev/$node" >"$BATS_TEST_TMPDIR/${node##*/}" 3>&- &
		readers+=($!)
	done
	run --separate-stderr cman exec bird cat
	assert_status 0
	assert_output ''
	run --separate-stderr cman exec -t bird true
	assert_status 125
	assert_stderr 'cman: bird: a terminal needs a devpts file system on /dev/pts'
	# the readers have met nobody yet
	for node in null pts/ptmx; do
		echo first >"$dev/$node"
	done
	wait "${readers[@]}"
	[ "$(cat "$BATS_TEST_TMPDIR/null" "$BATS_TEST_TMPDIR/ptmx")" = 'first
first' ]
	cman rm -f bird
}

@test "what is wrong is said" {
	run --separate-stderr cman run --rm -v bird:/x:z busybox true
	assert_status 125
	assert_stderr "cman: --volume: z: files are not labelled for SELinux
hint: leave it out; where SELinux confines containers, chcon -Rt container_file_t labels them (see 'cman run --help')"
	run --separate-stderr cman run --rm --mount dst=/x,reedonly busybox true
	assert_stderr "cman: --mount: unknown key: reedonly
hint: did you mean readonly? (see 'cman run --help')"
	run --separate-stderr cman volume create a/b
	assert_stderr "cman: volume create: not a name: a/b
hint: up to 128 letters, digits, '_', '.' and '-', a letter or digit first (see 'cman volume create --help')"
	cman volume create --label a=b bird
	run --separate-stderr cman volume create --label a=c bird
	assert_status 125
	assert_stderr 'cman: volume bird is there, with other labels or options
hint: see them: cman volume inspect bird'
	run --separate-stderr cman volume create bird
	assert_output bird
	run --separate-stderr cman volume ls --filter dangeling=true
	assert_stderr "cman: --filter: unknown key: dangeling
hint: did you mean dangling? (see 'cman volume ls --help')"
	run --separate-stderr cman volume prune
	assert_stderr 'cman: volume prune: there is nobody to ask: no terminal
hint: -f removes without asking'
}

@test "fsck: a volume without its directory, and a directory that nothing names" {
	cman volume create bird
	cman run --rm -v lost:/x busybox sh -c 'echo treasure >/x/chest'
	rm -rf "$CMAN_ROOT/volumes/bird"
	sqlite3 "$CMAN_ROOT/cman.db" "DELETE FROM volume WHERE name = 'lost'"
	mkdir -p "$CMAN_ROOT/volumes/unfinished/_data" "$CMAN_ROOT/volumes/.gone-0123456789abcdef-away/_data"
	run --separate-stderr cman fsck --quick
	assert_status 1
	assert_output "volume bird: its directory is missing: cman fsck --repair makes it anew, empty
volumes/lost: nothing in the database names it: cman fsck --repair makes a volume of it again
checked 1 image, 1 layer, 3 blobs, 0 containers, 1 volume: 2 faults, 0 repaired"
	run --separate-stderr cman fsck --quick --repair
	assert_status 0
	assert_output "volume bird: its directory is missing: repaired: made anew, empty
volumes/lost: nothing in the database names it: repaired: it is a volume again
checked 1 image, 1 layer, 3 blobs, 0 containers, 1 volume: 2 faults, 2 repaired"
	run --separate-stderr cman fsck --quick
	assert_output 'checked 1 image, 1 layer, 3 blobs, 0 containers, 2 volumes: no faults'
	run --separate-stderr cman run --rm -v lost:/x busybox cat /x/chest
	assert_output treasure
	run ls -A "$CMAN_ROOT/volumes"
	assert_output 'bird
lost'
}
