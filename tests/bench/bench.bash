# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the .bench files share: tables, and what it takes to make each peer run. Source it.
set -euo pipefail

has() { command -v "$1" >/dev/null; }

# title TEXT
title() { printf '%s\n%s\n' "$1" "${1//?/-}"; }

# measure [-n ROUNDS] [-p PAUSE_MS] NAME COMMAND ARG... [::: NAME COMMAND ARG...]...
# One table; the first command is what the others are compared with. A command that fails is said
# to, and makes the exit status of the file 1 in the end.
measure() {
	local status=0 base name median low high ratio
	"$BENCH_BIN/timer" "$@" >"$BENCH_DIR/times" || status=$?
	base=$(head -1 "$BENCH_DIR/times" | cut -f1)
	printf '  %-32s %10s %17s %9s\n' '' 'median ms' 'quartiles' "x $base"
	while IFS=$'\t' read -r name median low high ratio; do
		printf '  %-32s %10s %8s %8s %9s\n' "$name" "$median" "$low" "$high" "$ratio"
	done <"$BENCH_DIR/times"
	[[ $status -eq 0 ]] || bench_status=1
}
# shellcheck disable=SC2034 # the .bench files end with it
bench_status=0

# missing PROGRAM...: say which peers could not be measured.
missing() {
	local program
	for program; do
		has "$program" || printf '  %-32s %10s\n' "$program" 'not installed'
	done
}

# ---- the second floor -------------------------------------------------------------------------

# What confined.c wants behind its four directories is CONFINED_END. The filter is cman's own, which
# stands behind the head of 32 bytes in the file that keeps it (manager/runtime/seccomp.c).
confined_prepare() {
	local parent
	parent=$(findmnt -rno TARGET -t cgroup2 | head -1) || true
	if [[ -z $parent ]] || ! mkdir "$parent/cman-bench-$$"; then
		printf '  %-32s %10s\n' 'all of the default confinement' 'no cgroup2'
		return 1
	fi
	CONFINED_CGROUP=$parent/cman-bench-$$
	"$CMAN" run --rm bench /bin/true
	tail -c +33 "$(find "$CMAN_ROOT/run" -name 'seccomp-*')" >"$BENCH_DIR/filter"
	# shellcheck disable=SC2034 # for the .bench files
	CONFINED_END=("$CONFINED_CGROUP" "$BENCH_DIR/filter" "$CTINIT" /bin/true)
}

confined_release() { [[ -z ${CONFINED_CGROUP-} ]] || rmdir "$CONFINED_CGROUP"; }

# ---- peers ------------------------------------------------------------------------------------

# Their records of containers are kept in our directory as well.
# shellcheck disable=SC2034 # for the .bench files
RUNC=(runc --root "$BENCH_DIR/runc-state") CRUN=(crun --root "$BENCH_DIR/crun-state")

# bundle RUNTIME DIR PROGRAM: an OCI bundle with RUNTIME's own default configuration. Of it only
# what must be changed is: no terminal, and no limits that this machine may not let it set.
bundle() {
	mkdir -p "$2"
	rm -f "$2/config.json"
	(cd "$2" && "$1" spec)
	jq --arg root "$BENCH_ROOTFS" --arg program "$3" '.process.terminal = false
		| .process.args = [$program] | .process.rlimits = [] | .root.path = $root
		| if $ARGS.named.crun == "yes" then .linux.resources = {} else . end' \
		--arg crun "$([[ $1 == crun ]] && echo yes)" "$2/config.json" >"$2/config.json.new"
	mv "$2/config.json.new" "$2/config.json"
}

# crun wants cgroup2 alone at /sys/fs/cgroup. Where the host has it otherwise, a mount namespace
# has it so; CRUN_AT is then "@PID", for the timer.
crun_prepare() {
	CRUN_AT=
	[[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]] || return 0
	unshare -m sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup &&
		exec sleep 3600' &
	CRUN_PID=$!
	until [[ $(nsenter -t "$CRUN_PID" -m stat -fc %T /sys/fs/cgroup 2>/dev/null) == cgroup2fs ]]; do
		kill -0 "$CRUN_PID" || return 1
		sleep 0.05
	done
	# shellcheck disable=SC2034 # for the .bench files
	CRUN_AT=@$CRUN_PID
}

crun_release() {
	[[ -z ${CRUN_PID-} ]] || kill "$CRUN_PID"
	CRUN_PID=
}

# podman_start NAME: a container that stays; says so where podman cannot do that here.
podman_start() {
	has podman && podman_prepare &&
		"${PODMAN[@]}" run -d --name "$1" --network none bench /bin/pause >/dev/null && return
	! has podman || printf '  %-32s %10s\n' podman failed
	return 1
}

podman_remove() { [[ -z ${PODMAN-} ]] || "${PODMAN[@]}" rm -f -t 0 "$1" >/dev/null || true; }

# podman with a store of its own and the image `bench`; PODMAN is the command.
podman_prepare() {
	local dir=$BENCH_DIR/podman
	mkdir -p "$dir"
	printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
		"$dir/storage" "$dir/run" >"$dir/storage.conf"
	# It raises limits to values of its own, which this machine may forbid.
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' \
		>"$dir/containers.conf"
	export CONTAINERS_STORAGE_CONF=$dir/storage.conf CONTAINERS_CONF=$dir/containers.conf
	PODMAN=(podman --runtime runc --cgroup-manager cgroupfs --tmpdir "$dir/tmp")
	"${PODMAN[@]}" image exists bench ||
		"${PODMAN[@]}" import "$BENCH_DIR/rootfs.tar" bench >/dev/null 2>&1
}
