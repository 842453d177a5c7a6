// SPDX-License-Identifier: Apache-2.0
#include "base/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define NOBODY 65534 // Linux's overflow id: the user without a name

// A user or group id in the environment: decimal, above 0, and not the -1 that means "unchanged".
static bool environment_id(const char *name, unsigned *ret)
{
    const char *text = getenv(name);
    char *end;
    unsigned long id;

    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    id = strtoul(text, &end, 10);
    if (errno || *end || id == 0 || id >= UINT_MAX)
        return false;
    *ret = (unsigned)id;
    return true;
}

void sandbox_choose_user(struct sandbox_user *ret)
{
    const struct passwd *nobody;
    unsigned uid, gid;

    *ret = (struct sandbox_user){.uid = getuid(), .gid = getgid()};
    // With set-user-ID either of the two can be root's.
    if (getuid() != 0 && geteuid() != 0)
        return;
    ret->change = true;
    if (environment_id("SUDO_UID", &uid) && environment_id("SUDO_GID", &gid)) {
        ret->uid = uid;
        ret->gid = gid;
        return;
    }
    nobody = getpwnam("nobody");
    ret->uid = nobody && nobody->pw_uid ? nobody->pw_uid : NOBODY;
    ret->gid = nobody && nobody->pw_gid ? nobody->pw_gid : NOBODY;
}

static int change_user(const struct sandbox_user *user)
{
    uid_t real, effective, saved;

    if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return -errno;
    if (getresuid(&real, &effective, &saved) < 0 || real != user->uid || effective != user->uid ||
        saved != user->uid || user->uid == 0)
        return -ENOTRECOVERABLE;
    return 0;
}

int sandbox_drop_privileges(const struct sandbox_user *user)
{
    int r;

    capng_clear(CAPNG_SELECT_ALL);
    // The bounding set needs CAP_SETPCAP, so it goes while root is here. Without it the rest does.
    if (capng_apply(CAPNG_SELECT_BOUNDS) < 0 && user->change)
        return -EPERM;
    if (user->change) {
        r = change_user(user);
        if (r < 0)
            return r;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    if (capng_apply(CAPNG_SELECT_CAPS) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -EPERM;
    if (user->change && (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0))
        return -ENOTRECOVERABLE;
    return capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE
               ? -ENOTRECOVERABLE
               : 0;
}

int sandbox_keep_reading(void)
{
    // A container often has only the second one, with which the filter leaves the first one's.
    static const unsigned reading[] = {CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE};
    bool had[2];

    if (capng_get_caps_process() < 0)
        return -EPERM;
    for (size_t i = 0; i < 2; i++)
        had[i] = capng_have_capability(CAPNG_PERMITTED, reading[i]);
    capng_clear(CAPNG_SELECT_ALL);
    for (size_t i = 0; i < 2; i++)
        if (had[i])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, reading[i]);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    if (capng_apply(CAPNG_SELECT_CAPS) < 0)
        return -EPERM;
    return sandbox_filter(SANDBOX_OPEN_READ);
}

bool sandbox_has_filter(void)
{
    return !SANITIZED;
}

// A call that does not exist on an architecture (x86_64's poll on aarch64) has a negative number,
// and libseccomp leaves it out.
static const int allowed[] = {
    // bytes
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(fcntl),
    // the connections that were accepted, the descriptor door
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    // waiting
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(signalfd4),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall),
    // time, where the vDSO does not serve it
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    // memory (mmap and mprotect: below, without PROT_EXEC)
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // threads and signals (clone: below)
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // about ourselves
    SCMP_SYS(getrandom),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(membarrier),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
};

// SQLite's and the recording's.
static const int write_files[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),    SCMP_SYS(stat),       SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx),     SCMP_SYS(access),     SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(pwrite64),  SCMP_SYS(fsync),      SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),  SCMP_SYS(fallocate), SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
    SCMP_SYS(rename),     SCMP_SYS(renameat),  SCMP_SYS(renameat2),  SCMP_SYS(fstatfs),
    SCMP_SYS(getcwd),     SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(fchmod),
    SCMP_SYS(fchown),
};

// What an intruder wants and we never do.
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(memfd_create),
    SCMP_SYS(setuid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setresgid),
    SCMP_SYS(capset),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_all(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int r = seccomp_rule_add(f, action, calls[i], 0);

        if (r < 0)
            return r;
    }
    return 0;
}

// `call` is allowed when, of its argument `index`, exactly `value` is set among the bits of `mask`.
static int allow_masked(scmp_filter_ctx f, int call, unsigned index, uint64_t mask, uint64_t value)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
                            SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, mask, value));
}

static int allow_equal(scmp_filter_ctx f, int call, unsigned index, uint64_t value)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_CMP64(index, SCMP_CMP_EQ, value, 0));
}

static int add_conditional(scmp_filter_ctx f)
{
    const uint64_t thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
    int r = allow_masked(f, SCMP_SYS(clone), 0, thread, thread); // a thread, not a process

    // Its flags lie in memory, where no filter sees them; told that it is not there, libc takes
    // clone.
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (r == 0)
        r = allow_masked(f, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
    if (r == 0)
        r = allow_masked(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
    if (r == 0)
        r = allow_equal(f, SCMP_SYS(prctl), 0, PR_SET_NAME); // thread names
    if (r == 0)
        r = allow_equal(f, SCMP_SYS(prlimit64), 2, 0); // asking, not setting
    if (r == 0)
        r = allow_equal(f, SCMP_SYS(tgkill), 0, (uint64_t)getpid()); // abort()
    // glibc's fstat() where the kernel has no call of that name in use: about a descriptor, not
    // about a path.
    if (r == 0)
        r = allow_masked(f, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
    return r;
}

static int add_files(scmp_filter_ctx f, unsigned needs)
{
    const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    int r;

    if (needs & SANDBOX_WRITE_FILES)
        return add_all(f, SCMP_ACT_ALLOW, write_files, COUNT(write_files));
    if (!(needs & SANDBOX_OPEN_READ))
        return 0;
    r = allow_masked(f, SCMP_SYS(open), 1, writing, O_RDONLY);
    return r < 0 ? r : allow_masked(f, SCMP_SYS(openat), 2, writing, O_RDONLY);
}

int sandbox_filter(unsigned needs)
{
    scmp_filter_ctx f;
    int r;

    if (!sandbox_has_filter())
        return 0;
    f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return -ENOMEM;
    // Calls of another ABI (32-bit on x86_64) go around these numbers.
    r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); // a tree: few comparisons a call
    if (r == 0)
        r = add_all(f, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
    if (r == 0)
        r = add_all(f, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
    if (r == 0)
        r = add_conditional(f);
    if (r == 0)
        r = add_files(f, needs);
    if (r == 0)
        r = seccomp_load(f);
    seccomp_release(f);
    return r;
}
