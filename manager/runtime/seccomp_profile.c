/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/seccomp_profile.h"

#include <linux/capability.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* clang-format off */

/*
 * Calls that act on the caller's own processes, memory, files and sockets, which the kernel checks
 * against the caller's credentials and namespaces.
 */
static const char *const processes[] = {
	"alarm", "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork", "getcpu",
	"getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups",
	"getgroups32", "getitimer", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
	"getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage",
	"gettid", "getuid", "getuid32", "get_robust_list", "get_thread_area", "ioprio_get",
	"ioprio_set", "kill", "landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "membarrier", "pause", "pidfd_open", "pidfd_send_signal", "prctl",
	"prlimit64", "process_mrelease", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_get_priority_max", "sched_get_priority_min", "sched_getscheduler",
	"sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_setaffinity",
	"sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
	"setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setitimer", "setpgid", "setpriority", "setregid", "setregid32", "setresgid",
	"setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid",
	"setuid", "setuid32", "set_robust_list", "set_thread_area", "set_tid_address",
	"sigaltstack", "sigprocmask", "sigreturn", "sysinfo", "tgkill", "times", "tkill",
	"ugetrlimit", "umask", "uname", "vfork", "wait4", "waitid", "waitpid",
	/* The kernel's own trampoline of return probes: the program never calls it itself. */
	"uretprobe",
	/*
	 * Harmless since 4.8, where seccomp looks again at what a tracer changed; cman wants 5.11.
	 */
	"process_vm_readv", "process_vm_writev", "ptrace",
	NULL
};

static const char *const memory[] = {
	"brk", "madvise", "map_shadow_stack", "memfd_create", "memfd_secret", "mincore", "mlock",
	"mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync", "munlock",
	"munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "remap_file_pages",
	NULL
};

static const char *const files[] = {
	"access", "cachestat", "chdir", "chmod", "chown", "chown32", "close", "close_range",
	"copy_file_range", "creat", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64",
	"fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2",
	"fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr",
	"flistxattr", "flock", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64",
	"fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futimesat", "getcwd",
	"getdents", "getdents64", "getxattr", "getxattrat", "inotify_add_watch", "inotify_init",
	"inotify_init1", "inotify_rm_watch", "ioctl", "lchown", "lchown32", "lgetxattr", "link",
	"linkat", "listxattr", "listxattrat", "llistxattr", "_llseek", "lremovexattr", "lseek",
	"lsetxattr", "lstat", "lstat64", "mkdir", "mkdirat", "mknod", "mknodat",
	"name_to_handle_at", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "pread64",
	"preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readlink",
	"readlinkat", "readv", "removexattr", "removexattrat", "rename", "renameat", "renameat2",
	"rmdir", "sendfile", "sendfile64", "setxattr", "setxattrat", "splice", "stat", "stat64",
	"statfs", "statfs64", "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs",
	"tee", "truncate", "truncate64", "unlink", "unlinkat", "utime", "utimensat",
	"utimensat_time64", "utimes", "vmsplice", "write", "writev",
	/* What /proc/self/mountinfo tells as well, of the caller's mount namespace. */
	"listmount", "statmount",
	NULL
};

/* Waiting, clocks and the classic kernel AIO. No io_uring: its requests pass seccomp by. */
static const char *const events[] = {
	"clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
	"clock_nanosleep", "clock_nanosleep_time64", "epoll_create", "epoll_create1", "epoll_ctl",
	"epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd",
	"eventfd2", "futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv",
	"futex_wake", "getrandom", "gettimeofday", "io_cancel", "io_destroy", "io_getevents",
	"io_pgetevents", "io_pgetevents_time64", "io_setup", "io_submit", "nanosleep",
	"_newselect", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "select",
	"signalfd", "signalfd4", "time", "timer_create", "timer_delete", "timer_getoverrun",
	"timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
	/* Reading the clock's state needs no capability; the kernel asks CAP_SYS_TIME for more. */
	"adjtimex", "clock_adjtime", "clock_adjtime64",
	NULL
};

/* System V and POSIX queues live in the IPC namespace. socketcall and ipc are i386's ways in. */
static const char *const communication[] = {
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "ipc",
	"listen", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
	"mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "msgctl",
	"msgget", "msgrcv", "msgsnd", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg",
	"semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send", "sendmmsg",
	"sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
	"socketcall", "socketpair",
	NULL
};

/* Each exists on its own architecture only. */
static const char *const architecture[] = {
	"arch_prctl", "modify_ldt",
	"arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls",
	NULL
};

static const char *const socket_call[] = { "socket", NULL };
static const char *const personality_call[] = { "personality", NULL };
static const char *const clone_call[] = { "clone", NULL };

/* Its flags are behind a pointer, where a filter cannot look; libraries then use clone. */
static const char *const clone3_call[] = { "clone3", NULL };

static const char *const with_sys_admin[] = {
	"bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick",
	"lookup_dcookie", "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "mount",
	"mount_setattr", "move_mount", "open_tree", "perf_event_open", "quotactl", "quotactl_fd",
	"setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare",
	NULL
};
static const char *const with_dac_read_search[] = { "open_by_handle_at", NULL };
static const char *const with_sys_boot[] = { "reboot", NULL };
static const char *const with_sys_chroot[] = { "chroot", NULL };
static const char *const with_sys_module[] = {
	"delete_module", "finit_module", "init_module", NULL
};
static const char *const with_sys_pacct[] = { "acct", NULL };
static const char *const with_sys_ptrace[] = { "kcmp", "pidfd_getfd", "process_madvise", NULL };
static const char *const with_sys_rawio[] = { "ioperm", "iopl", NULL };
static const char *const with_sys_time[] = {
	"clock_settime", "clock_settime64", "settimeofday", "stime", NULL
};
static const char *const with_sys_tty_config[] = { "vhangup", NULL };
static const char *const with_sys_nice[] = {
	"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node", NULL
};
static const char *const with_syslog[] = { "syslog", NULL };
static const char *const with_bpf[] = { "bpf", NULL };
static const char *const with_perfmon[] = { "perf_event_open", NULL };

/* clang-format on */

const struct seccomp_group seccomp_profile[] = {
	{ .names = processes, .verdict = SECCOMP_ALLOW },
	{ .names = memory, .verdict = SECCOMP_ALLOW },
	{ .names = files, .verdict = SECCOMP_ALLOW },
	{ .names = events, .verdict = SECCOMP_ALLOW },
	{ .names = communication, .verdict = SECCOMP_ALLOW },
	{ .names = architecture, .verdict = SECCOMP_ALLOW },
	{ .names = socket_call, .verdict = SECCOMP_SOCKET },
	{ .names = personality_call, .verdict = SECCOMP_PERSONALITY },
	{ .names = clone_call, .unless = CAP(SYS_ADMIN), .verdict = SECCOMP_CLONE },
	{ .names = clone3_call, .unless = CAP(SYS_ADMIN), .verdict = SECCOMP_ENOSYS },
	{ .names = with_sys_admin, .needs = CAP(SYS_ADMIN), .verdict = SECCOMP_ALLOW },
	{ .names = with_dac_read_search, .needs = CAP(DAC_READ_SEARCH), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_boot, .needs = CAP(SYS_BOOT), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_chroot, .needs = CAP(SYS_CHROOT), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_module, .needs = CAP(SYS_MODULE), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_pacct, .needs = CAP(SYS_PACCT), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_ptrace, .needs = CAP(SYS_PTRACE), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_rawio, .needs = CAP(SYS_RAWIO), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_time, .needs = CAP(SYS_TIME), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_tty_config, .needs = CAP(SYS_TTY_CONFIG), .verdict = SECCOMP_ALLOW },
	{ .names = with_sys_nice, .needs = CAP(SYS_NICE), .verdict = SECCOMP_ALLOW },
	{ .names = with_syslog, .needs = CAP(SYSLOG), .verdict = SECCOMP_ALLOW },
	{ .names = with_bpf, .needs = CAP(BPF), .verdict = SECCOMP_ALLOW },
	{ .names = with_perfmon, .needs = CAP(PERFMON), .verdict = SECCOMP_ALLOW },
	{ .names = NULL },
};

const struct seccomp_number seccomp_new_numbers[] = {
	{ "uretprobe", 335 }, /* x86-64 alone */
	{ "cachestat", 451 },
	{ "fchmodat2", 452 },
	{ "map_shadow_stack", 453 },
	{ "futex_wake", 454 },
	{ "futex_wait", 455 },
	{ "futex_requeue", 456 },
	{ "statmount", 457 },
	{ "listmount", 458 },
	{ "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 },
	{ "lsm_list_modules", 461 },
	{ "mseal", 462 },
	{ "setxattrat", 463 },
	{ "getxattrat", 464 },
	{ "listxattrat", 465 },
	{ "removexattrat", 466 },
	{ NULL, 0 },
};

const struct seccomp_number seccomp_i386_numbers[] = {
	{ "socket", 359 },	{ "socketpair", 360 },
	{ "bind", 361 },	{ "connect", 362 },
	{ "listen", 363 },	{ "accept4", 364 },
	{ "getsockopt", 365 },	{ "setsockopt", 366 },
	{ "getsockname", 367 }, { "getpeername", 368 },
	{ "sendto", 369 },	{ "sendmsg", 370 },
	{ "recvfrom", 371 },	{ "recvmsg", 372 },
	{ "shutdown", 373 },	{ "recvmmsg", 337 },
	{ "sendmmsg", 345 },	{ "semget", 393 },
	{ "semctl", 394 },	{ "shmget", 395 },
	{ "shmctl", 396 },	{ "shmat", 397 },
	{ "shmdt", 398 },	{ "msgget", 399 },
	{ "msgsnd", 400 },	{ "msgrcv", 401 },
	{ "msgctl", 402 },	{ NULL, 0 },
};

/*
 * All but DECnet (12), Econet (19), ATM SVC (20), IrDA (23), WAN pipe (25), IUCV (32 is kept, 34),
 * CAIF (37), the kernel's crypto (38), vsock (40), which reaches past the network namespace to the
 * hypervisor, and whatever comes after XDP (44) and MCTP (45).
 */
const uint64_t seccomp_socket_families =
	((UINT64_C(1) << 46) - 1) & ~(UINT64_C(1) << 12 | UINT64_C(1) << 19 | UINT64_C(1) << 20 |
				      UINT64_C(1) << 23 | UINT64_C(1) << 25 | UINT64_C(1) << 34 |
				      UINT64_C(1) << 37 | UINT64_C(1) << 38 | UINT64_C(1) << 40);

/* PER_LINUX, PER_LINUX32, both with UNAME26, and the question what it is. */
const uint32_t seccomp_personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };
const size_t nseccomp_personalities =
	sizeof(seccomp_personalities) / sizeof(seccomp_personalities[0]);
