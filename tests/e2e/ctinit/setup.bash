# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of ctinit load, after helpers.bash: instead of a root directory for cman they get a
# scratch directory, the cases, and the program that the cases need.

# shellcheck source=tests/e2e/ctinit/cases.bash
. "${BASH_SOURCE[0]%/*}/cases.bash"

setup_file() {
	build_probe "$BATS_FILE_TMPDIR/probe"
}

setup() {
	[ "$(id -u)" = 0 ] || skip "needs root, for pid namespaces"
	PROBE=$BATS_FILE_TMPDIR/probe
	SCRATCH=$BATS_TEST_TMPDIR
	# shellcheck disable=SC2034 # the cases use it
	INIT=("$CTINIT")
	unset CTINIT_SUBREAPER CTINIT_KILL_PROCESS_GROUP CTINIT_VERBOSITY
	unset TINI_SUBREAPER TINI_KILL_PROCESS_GROUP TINI_VERBOSITY
	LOG=$SCRATCH/log
	export CTINIT PROBE SCRATCH LOG
}

# A pid namespace takes all its processes with it: none of them may be left.
teardown() {
	refute pgrep -f "$BATS_TEST_TMPDIR"
}
