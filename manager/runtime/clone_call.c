/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/runtime/clone_call.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STACK_BYTES (256 << 10)
#define GUARD_BYTES (16 << 10)

/*
 * In the child the stack is another one when the system call returns, so that nothing may happen in
 * between but the call of the function.
 */
static long clone3_call(const struct clone_args *args, int (*function)(void *), void *context)
{
#if defined(__x86_64__)
	register int (*callee)(void *) __asm__("r8") = function;
	register void *argument __asm__("r9") = context;
	long result = SYS_clone3;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "1:"
			 : "+a"(result)
			 : "D"(args), "S"(sizeof(*args)), "r"(callee),
			   "r"(argument), [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register int (*callee)(void *) __asm__("x9") = function;
	register void *argument __asm__("x10") = context;
	register long number __asm__("x8") = SYS_clone3;
	register long first __asm__("x0") = (long)args;
	register long second __asm__("x1") = sizeof(*args);

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x10\n\t"
			 "blr x9\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "1:"
			 : "+r"(first)
			 : "r"(second), "r"(number), "r"(callee),
			   "r"(argument), [exit] "i"(SYS_exit_group)
			 : "memory");
	return first;
#else
#error "clone3(2) with a stack is made for x86-64 and arm64"
#endif
}

pid_t clone_call(const struct clone_args *args, int (*function)(void *context), void *context)
{
	struct clone_args call = *args;
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	long pid;

	if (stack == MAP_FAILED)
		return -errno;
	if (mprotect(stack, GUARD_BYTES, PROT_NONE) < 0) {
		pid = -errno;
	} else {
		call.flags |= CLONE_VM | CLONE_VFORK;
		call.stack = (uintptr_t)stack;
		call.stack_size = STACK_BYTES;
		pid = clone3_call(&call, function, context);
	}
	(void)munmap(stack, STACK_BYTES);
	return (pid_t)pid;
}
