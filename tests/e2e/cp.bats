# SPDX-License-Identifier: Apache-2.0
# cman cp: files into and out of containers.
# shellcheck shell=bash disable=SC2154

load helpers

# sh_in NAME COMMAND: in a running container.
sh_in() {
	cman exec "$1" sh -c "$2"
}

setup() {
	new_root
	import_busybox
	cd "$BATS_TEST_TMPDIR" || exit
	mkdir host
	cd host || exit
}

start() {
	cman run -d --name "$1" "${@:2}" busybox sleep 10000 >/dev/null
}

@test "cp: where to, by Docker's rules, both ways" {
	start one
	mkdir -p dir/sub
	echo file >file
	echo deep >dir/sub/deep
	cman cp file one:/tmp
	cman cp file one:tmp/new
	cman cp dir one:/made
	cman cp dir one:/tmp/
	cman cp dir/. one:/home
	[ "$(sh_in one 'cat /tmp/file /tmp/new /made/sub/deep /tmp/dir/sub/deep /home/sub/deep')" = \
		$'file\nfile\ndeep\ndeep\ndeep' ]
	# existing directories become one, files are replaced
	echo newer >dir/sub/deep
	cman cp dir one:/tmp
	[ "$(sh_in one 'cat /tmp/dir/sub/deep')" = newer ]

	cman cp one:/tmp/dir .
	[ "$(cat dir/sub/deep)" = newer ]
	cman cp one:/tmp/dir out
	[ "$(cat out/sub/deep)" = newer ]
	cman cp one:/tmp/file out
	cman cp one:tmp/file out/renamed
	cman cp one:/home/. .
	[ "$(cat out/file out/renamed sub/deep)" = $'file\nfile\ndeep' ]
	# from one into another, and within one
	start two
	cman cp one:/made two:/tmp
	cman cp two:/tmp/made two:/again
	[ "$(sh_in two 'cat /again/sub/deep')" = deep ]
}

@test "cp: what cannot be is said, and names its end" {
	start one
	mkdir dir
	echo file >file
	refuse() {
		local text=$1
		shift
		run --separate-stderr cman cp "$@"
		assert_status 125
		assert_stderr "$text"
	}
	refuse "cman: one:/none: cannot copy it: No such file or directory" one:/none .
	refuse "cman: nofile: cannot copy it: No such file or directory" nofile one:/
	refuse "cman: one:/no/such: cannot open /no: No such file or directory" file one:/no/such
	refuse "cman: no/such: cannot open no: No such file or directory" one:/etc/passwd no/such
	refuse "cman: one:/tmp/new/: there is no such directory" file one:/tmp/new/
	refuse "cman: one:/etc/passwd: a directory cannot be copied to what is none" dir one:/etc/passwd
	refuse "cman: file/: it ends in a slash: Not a directory" file/ one:/
	mkdir -p into/passwd
	refuse "cman: into: passwd: there is a directory, which is not replaced" one:/etc/passwd into
	mkdir -p tree/passwd
	refuse "cman: one:/etc: passwd/: there is something that is no directory, which is not replaced" \
		tree/. one:/etc
	refuse "cman: no such container: two" two:/etc .
	refuse $'cman: one:/proc: these are no files, but what the kernel shows as such
hint: read them inside: cman exec with cat' one:/proc .
	refuse $'cman: one:/proc/uptime: these are no files, but what the kernel shows as such
hint: read them inside: cman exec with cat' one:/proc/uptime .
	refuse "cman: one:/home/in: it is within what is to be copied" one:/ one:/home/in
	refuse $'cman: cp: neither file nor dir is in a container
hint: CONTAINER:PATH is; cp(1) copies what is not (see '\''cman cp --help'\'')' file dir
	refuse $'cman: cp: not CONTAINER:PATH: one:\nhint: see \'cman cp --help\'' file one:
	run --separate-stderr cman cp - one:/etc/passwd </dev/null
	assert_stderr "cman: one:/etc/passwd: an archive can only be put into a directory that is there"
}

@test "cp: owners and power stay behind, and with -a they come along" {
	start one
	sh_in one 'mkdir /d; echo x >/d/f; chown -R 1000:3000 /d; chmod 6755 /d/f; chmod 2775 /d
		mknod /d/null c 1 3; mkfifo /d/fifo; touch -d @1000000000 /d/f /d'
	run --separate-stderr cman cp one:/d plain
	assert_status 0
	assert_stderr "cman: warning: 1 device left out"
	[ "$(stat -c '%n %u:%g %a %Y' plain plain/f)" = $'plain 0:0 775 1000000000\nplain/f 0:0 755 1000000000' ]
	[ -p plain/fifo ]
	[ ! -e plain/null ]
	run --separate-stderr cman cp -a one:/d kept
	assert_status 0
	assert_stderr ""
	[ "$(stat -c '%n %u:%g %a %Y' kept kept/f)" = $'kept 1000:3000 2775 1000000000\nkept/f 1000:3000 6755 1000000000' ]
	[ -c kept/null ]

	cman cp -q kept one:/plain
	cman cp -a kept one:/kept
	[ "$(sh_in one 'stat -c "%n %u:%g %a" /plain/f /kept/f /kept')" = \
		$'/plain/f 0:0 755\n/kept/f 1000:3000 6755\n/kept 1000:3000 2775' ]
	# a directory that was there stays what it is, unless -a
	sh_in one 'mkdir -m 700 /x /x/kept; chown 5:6 /x/kept'
	cman cp -q kept one:/x
	[ "$(sh_in one 'stat -c "%u:%g %a" /x/kept')" = '5:6 700' ]
	cman cp -aq kept one:/x
	[ "$(sh_in one 'stat -c "%u:%g %a" /x/kept')" = '1000:3000 2775' ]
}

@test "cp: hard links, holes, attributes and symlinks arrive as what they are" {
	start one
	sh_in one 'mkdir /d; echo x >/d/a; ln /d/a /d/b; ln -s /etc/passwd /d/link
		truncate -s 1G /d/hole; echo end >>/d/hole'
	cman cp one:/d .
	[ "$(stat -c %i d/a)" = "$(stat -c %i d/b)" ]
	[ "$(readlink d/link)" = /etc/passwd ]
	[ "$(stat -c %s d/hole)" = 1073741828 ]
	[ "$(du -k d/hole | cut -f1)" -lt 100 ]
	cman cp one:/d/link .
	[ -L link ]
	cman cp -L one:/d/link followed
	grep -q bird followed
	setfattr -n user.kind -v sparrow d/a || skip "no user attributes here"
	cman cp d one:/e
	cman cp one:/e/a back
	[ "$(getfattr --only-values -n user.kind back)" = sparrow ]
}

@test "cp: archives on standard input and output" {
	start one
	mkdir dir
	echo text >dir/file
	chown 1000:1000 dir/file
	tar c dir | cman cp - one:/tmp
	tar cz -C dir . | cman cp - one:/home
	[ "$(sh_in one 'stat -c "%u %n" /tmp/dir/file /home/file')" = $'1000 /tmp/dir/file\n1000 /home/file' ]
	cman cp one:/tmp/dir - | tar tv >list
	grep -q 'dir/file' list
	[ "$(cman cp one:/tmp/dir/. - | tar t)" = $'./\nfile' ]
	[ "$(cman cp one:/etc/passwd - | tar xO passwd)" = "$(sh_in one 'cat /etc/passwd')" ]
	run --separate-stderr bash -c "head -c 700 <(tar c dir) | '$CMAN' cp - one:/tmp"
	assert_status 125
	assert_match "$stderr" '^cman: one:/tmp: .*(corrupt|truncated|ends)'
	run --separate-stderr cman cp one:/etc /dev/full/x
	assert_status 125
}

@test "cp: into and out of one that does not run, with its volumes" {
	mkdir volume
	echo before >volume/old
	cman run --name one -v "$PWD/volume:/data" -v "$PWD/volume:/ro:ro" busybox touch /made
	echo new >new
	cman cp new one:/root
	cman cp new one:/data
	[ "$(cat volume/new)" = new ]
	cman cp one:/data/old .
	cman cp one:/made .
	[ "$(cat old)" = before ]
	cman cp one:/root/new again
	[ "$(cat again)" = new ]
	run --separate-stderr cman cp new one:/ro
	assert_status 125
	assert_stderr "cman: one:/ro: new: cannot create: Read-only file system"
	cman diff one | grep -qx 'A /root/new'
}

@test "cp: a tmpfs and volumes of one that runs; a root that is read-only" {
	mkdir volume
	start one --read-only --tmpfs /scratch -v "$PWD/volume:/data"
	echo new >new
	cman cp new one:/scratch
	cman cp new one:/data
	[ "$(sh_in one 'cat /scratch/new /data/new')" = $'new\nnew' ]
	cman cp one:/scratch/new back
	run --separate-stderr cman cp new one:/root
	assert_status 125
	assert_stderr "cman: one:/root: new: cannot create: Read-only file system"
	# what is mounted on a file is written into
	echo '127.0.0.1 me' >hosts
	run --separate-stderr cman cp hosts one:/etc/hosts
	assert_status 125
	start two
	cman cp hosts two:/etc/hosts
	[ "$(sh_in two 'cat /etc/hosts')" = '127.0.0.1 me' ]
}

@test "cp: a container's symlinks lead to the host neither when read nor when written" {
	start one
	echo secret >"$BATS_TEST_TMPDIR/secret"
	mkdir "$BATS_TEST_TMPDIR/target"
	sh_in one "ln -s $BATS_TEST_TMPDIR /out; ln -s ../../../../..$BATS_TEST_TMPDIR /up
		ln -s $BATS_TEST_TMPDIR/secret /secret; ln -s /proc/1/root /self"
	run --separate-stderr cman cp -L one:/secret .
	assert_status 125
	assert_match "$stderr" '^cman: one:/secret: cannot open .*: No such file or directory$'
	run --separate-stderr cman cp one:/out/secret .
	assert_status 125
	run --separate-stderr cman cp one:/up/secret .
	assert_status 125
	echo new >new
	run --separate-stderr cman cp new one:/out/target
	assert_status 125
	run --separate-stderr cman cp new one:/self/etc
	assert_status 125
	[ -z "$(ls "$BATS_TEST_TMPDIR/target")" ]
	# an archive that goes through such a link stays inside
	mkdir out
	echo through >out/file
	tar cf through.tar out/file
	sh_in one "mkdir -p $BATS_TEST_TMPDIR"
	cman cp - one:/ <through.tar
	[ "$(sh_in one "cat $BATS_TEST_TMPDIR/file")" = through ]
	[ ! -e "$BATS_TEST_TMPDIR/file" ]
}

@test "cp: a directory that becomes a symlink all the time" {
	start one
	mkdir -p "$BATS_TEST_TMPDIR/trap" tree/d
	echo evil >tree/d/evil
	cman exec -d one sh -c "mkdir -p /w/d $BATS_TEST_TMPDIR/trap; cd /w
		while :; do mv d x; ln -s $BATS_TEST_TMPDIR/trap d; rm d; mv x d; done"
	local i
	for i in $(seq 15); do
		cman cp -q tree/. one:/w >/dev/null 2>&1 || true
		cman cp -q one:/w/d "out$i" >/dev/null 2>&1 || true
	done
	[ -z "$(ls "$BATS_TEST_TMPDIR/trap")" ]
}

# stage_of PID NAME
stage_is_there() {
	stage=$(pgrep -P "$1" -f "^$2")
}

@test "cp: each stage has its tree for a root, and little power" {
	start one
	mkfifo fifo
	exec 8<>fifo
	"$CMAN" cp - one:/tmp <fifo 3>&- 8>&- &
	local pid=$! stage
	eventually stage_is_there "$pid" cman-unpack
	eventually grep -q '^NoNewPrivs:.1' "/proc/$stage/status"
	# chown, dac_override, fowner, fsetid, mknod, setfcap
	[ "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$stage/status")" = 000000008800001b ]
	[ "$(awk '$1 == "Seccomp:" { print $2 }' "/proc/$stage/status")" = 2 ]
	[ "$(ls "/proc/$stage/root/home")" = bird ]
	exec 8>&-
	wait "$pid" || true
}
