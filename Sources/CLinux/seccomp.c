#define _GNU_SOURCE
#include "sanitizer.h"
#include "walls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

int clinux_has_call_filter(void) {
#ifdef ARCHITECTURE
    const uint32_t action = SECCOMP_RET_ERRNO;
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return 1;
    return errno == EPERM ? -EPERM : 0;
#else
    return 0;
#endif
}

#ifdef ARCHITECTURE

/* Refused whatever the arguments. Numbers that Debian's headers may lack are every architecture's. */
static const uint32_t refused[] = {
    SYS_execve, SYS_execveat,
#ifdef __x86_64__
    SYS_fork, SYS_vfork, SYS_iopl, SYS_ioperm,
#endif
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, 438 /* pidfd_getfd */, 440 /* process_madvise */,
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot,
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl,
    428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */,
    442 /* mount_setattr */, 467 /* open_tree_attr */,
    SYS_setns, SYS_unshare, SYS_open_by_handle_at, SYS_add_key, SYS_request_key, SYS_keyctl,
    425 /* io_uring_setup: its rings open sockets and files past every filter */, 426, 427,
    SYS_setpriority, SYS_ioprio_set, /* both take whole users as well */
    /* Landlock has no right for these. By descriptor (fchmod, fchown, fsetxattr) they stay: SQLite and openCryptoki set the
       mode of what they have made so. */
#ifdef __x86_64__
    SYS_chmod, SYS_chown, SYS_lchown,
#endif
    SYS_fchmodat, 452 /* fchmodat2 */, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, 463 /* setxattrat */,
    SYS_removexattr, SYS_lremovexattr, 466 /* removexattrat */, 469 /* file_setattr */,
};

/* Their first argument is a process; 0 is the caller. A limit of its processor time ends another. */
static const uint32_t about_processes[] = {
    SYS_prlimit64, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setaffinity, SYS_sched_setattr,
    SYS_migrate_pages, SYS_move_pages,
};

enum { CAPACITY = 256 };

struct filter {
    struct sock_filter code[CAPACITY];
    unsigned short length;
};

static void add(struct filter *filter, uint16_t code, uint32_t value, uint8_t when_true, uint8_t when_false) {
    if (filter->length < CAPACITY) {
        filter->code[filter->length++] = (struct sock_filter){code, when_true, when_false, value};
    }
}

static void load(struct filter *filter, size_t offset) {
    add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The low half of an argument: the kernel takes domains, flags, ioctl numbers and processes as 32 bits as well. */
static void load_argument(struct filter *filter, unsigned index) {
    load(filter, offsetof(struct seccomp_data, args) + 8 * index);
}

static void answer(struct filter *filter, uint32_t action) { add(filter, BPF_RET | BPF_K, action, 0, 0); }

/* What was loaded last decides: equal means this answer. */
static void answer_if(struct filter *filter, uint32_t value, uint32_t action) {
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(filter, action);
}

static uint32_t failing(int error) { return SECCOMP_RET_ERRNO | (uint32_t)error; }

static void add_sockets(struct filter *filter, int has_network) {
    load_argument(filter, 0);
    answer_if(filter, AF_UNIX, SECCOMP_RET_ALLOW);
    if (has_network) {
        answer_if(filter, AF_INET, SECCOMP_RET_ALLOW);
        answer_if(filter, AF_INET6, SECCOMP_RET_ALLOW);
    }
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, has_network ? 5 : 3);
    load_argument(filter, 2);
    if (has_network) {
        answer_if(filter, NETLINK_ROUTE, SECCOMP_RET_ALLOW); /* the C library looks for addresses through it */
    }
    answer_if(filter, NETLINK_KOBJECT_UEVENT, SECCOMP_RET_ALLOW); /* libusb hears of devices that come and go */
    answer(filter, failing(EAFNOSUPPORT));
}

static void build(struct filter *filter, int has_network) {
    const size_t number = offsetof(struct seccomp_data, nr);
    load(filter, offsetof(struct seccomp_data, arch));
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    answer(filter, failing(ENOSYS)); /* another architecture's numbers mean other calls */
    load(filter, number);
#ifdef __x86_64__
    add(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000 /* x32 */, 0, 1);
    answer(filter, failing(ENOSYS));
#endif
    for (size_t index = 0; index < sizeof refused / sizeof *refused; index++) {
        answer_if(filter, refused[index], failing(EPERM));
    }
    for (size_t index = 0; index < sizeof about_processes / sizeof *about_processes; index++) {
        add(filter, BPF_JMP | BPF_JEQ | BPF_K, about_processes[index], 0, 4);
        load_argument(filter, 0);
        answer_if(filter, 0, SECCOMP_RET_ALLOW);
        answer(filter, failing(EPERM));
    }
    /* Its flags are behind a pointer; the C library falls back to clone. */
    answer_if(filter, 435 /* clone3 */, failing(ENOSYS));
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    load_argument(filter, 0);
    add(filter, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    answer(filter, SECCOMP_RET_ALLOW);
    answer(filter, failing(EPERM));
    /* Keys typed into the terminal that the agent was started in. */
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 6);
    load_argument(filter, 1);
    answer_if(filter, TIOCSTI, failing(EPERM));
    answer_if(filter, TIOCLINUX, failing(EPERM));
    answer(filter, SECCOMP_RET_ALLOW);
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0);
    answer(filter, SECCOMP_RET_ALLOW);
    add_sockets(filter, has_network);
}

int clinux_limit_calls(int has_network) {
    if (is_for_sanitizer) return 0;
    struct filter filter = {.length = 0};
    build(&filter, has_network);
    if (filter.length >= CAPACITY) return E2BIG;
    const struct sock_fprog program = {filter.length, filter.code};
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result > 0) return ESRCH; /* the thread that stayed behind */
    return result < 0 ? errno : 0;
}

#else

int clinux_limit_calls(int has_network) {
    (void)has_network;
    return ENOSYS;
}

#endif
