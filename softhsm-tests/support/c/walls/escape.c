// A PKCS#11 module that stands before another one and tries to get out of its process, once in C_Initialize (the network)
// and once in the first C_GetSlotList (everything, on a thread of its own). Each attempt is a line of ESCAPE_REPORT: its
// name, and "done" or the errno's name. All calls pass through.
//
//   ESCAPE_MODULE=PATH    the module behind it
//   ESCAPE_REPORT=PATH    where to tell; a file that can be written
//   ESCAPE_PORT=NUMBER    who listens on the loopback
//   ESCAPE_OUTSIDE=PATH   a file in a folder that it should not be able to change, and that exists
//   ESCAPE_INSIDE=PATH    a folder that it should

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static CK_FUNCTION_LIST functions;
static CK_FUNCTION_LIST_PTR real;
static FILE *report;

static void tell(const char *attempt, long result) {
    fprintf(report, "%s %s\n", attempt, result >= 0 ? "done" : strerrorname_np(errno));
}

static int tell_descriptor(const char *attempt, int descriptor) {
    tell(attempt, descriptor);
    return descriptor;
}

static void try_sockets(void) {
    int socket_ = tell_descriptor("tcp", socket(AF_INET, SOCK_STREAM, 0));
    if (socket_ >= 0) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("ESCAPE_PORT")))};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        tell("connect", connect(socket_, (struct sockaddr *)&address, sizeof address));
        close(socket_);
    }
    close(tell_descriptor("udp6", socket(AF_INET6, SOCK_DGRAM, 0)));
    close(tell_descriptor("packet", socket(AF_PACKET, SOCK_RAW, 0)));
    close(tell_descriptor("routes", socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)));
    close(tell_descriptor("connections", socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)));
    close(tell_descriptor("device-events", socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT)));
    close(tell_descriptor("unix", socket(AF_UNIX, SOCK_STREAM, 0)));
    char parameters[256] = {0};
    close(tell_descriptor("io_uring", syscall(SYS_io_uring_setup, 4, parameters)));
}

/* Whatever the kernel asks through a descriptor of this process: yes. */
static void *answer_yes(void *begun) {
    pthread_barrier_wait(begun);
    for (int descriptor = 3; descriptor < 64; descriptor++) {
        struct seccomp_notif asked = {0};
        while (ioctl(descriptor, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0) {
            struct seccomp_notif_resp yes = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
            ioctl(descriptor, SECCOMP_IOCTL_NOTIF_SEND, &yes);
            memset(&asked, 0, sizeof asked);
        }
    }
    return NULL;
}

static void try_answering(void) {
    static pthread_barrier_t begun;
    pthread_t thread;
    int descriptor = -1;
    pthread_barrier_init(&begun, NULL, 2);
    if (pthread_create(&thread, NULL, answer_yes, &begun) != 0) return;
    pthread_detach(thread); /* where it finds something to answer, it waits for more */
    pthread_barrier_wait(&begun);
    for (int attempt = 0; attempt < 1000 && descriptor < 0; attempt++) descriptor = socket(AF_INET, SOCK_STREAM, 0);
    close(tell_descriptor("answered-tcp", descriptor));
}

static void try_programs(void) {
    char *arguments[] = {"/bin/true", NULL};
    pid_t child;
    errno = posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ);
    tell("spawn", errno == 0 ? 0 : -1);
    child = fork();
    if (child == 0) _exit(0);
    tell("fork", child);
    tell("exec", execve(arguments[0], arguments, environ));
    const int program = open(arguments[0], O_RDONLY);
    tell("exec-descriptor", fexecve(program, arguments, environ));
}

static void try_others(void) {
    char byte;
    const pid_t agent = getppid();
    struct iovec here = {&byte, 1}, there = {&functions, 1};
    tell("ptrace", ptrace(PTRACE_SEIZE, agent, 0, 0));
    tell("read-process", process_vm_readv(agent, &here, 1, &there, 1, 0));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)agent);
    tell("open-process", open(path, O_RDWR));
    tell("signal", kill(agent, 0));
    tell("mount", mount("none", "/mnt", "tmpfs", 0, NULL));
    tell("unshare", unshare(CLONE_NEWNS));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("keyring", syscall(SYS_keyctl, 0, -3, 0));
    tell("type", ioctl(0, TIOCSTI, "x"));
}

/* The same for this process and for its agent: a limit of its processor time would end that one. */
static void try_limits(void) {
    const pid_t agent = getppid();
    const struct rlimit none = {0, 0};
    const struct sched_param usual = {0};
    struct {
        unsigned size, policy;
        unsigned long flags;
        int nice;
        unsigned priority;
        unsigned long times[3];
    } attributes = {48};
    cpu_set_t processors;
    tell("limit", prlimit(0, RLIMIT_CORE, &none, NULL));
    tell("limit-agent", prlimit(agent, RLIMIT_CORE, &none, NULL));
    tell("priority-agent", setpriority(PRIO_PROCESS, agent, 0));
    tell("io-priority-agent", syscall(SYS_ioprio_set, 1, agent, 2 << 13 | 4));
    tell("processors", sched_getaffinity(0, sizeof processors, &processors));
    tell("set-processors", sched_setaffinity(0, sizeof processors, &processors));
    tell("processors-agent", sched_setaffinity(agent, sizeof processors, &processors));
    tell("scheduler", sched_setscheduler(0, SCHED_OTHER, &usual));
    tell("scheduler-agent", sched_setscheduler(agent, SCHED_OTHER, &usual));
    tell("schedule-agent", sched_setparam(agent, &usual));
    tell("attributes-agent", syscall(SYS_sched_setattr, agent, &attributes, 0));
}

static void try_files(void) {
    const char *outside = getenv("ESCAPE_OUTSIDE");
    char path[4096];
    tell("read-outside", open(outside, O_RDONLY));
    tell("write-outside", open(outside, O_WRONLY));
    tell("truncate-outside", truncate(outside, 0));
    tell("unlink-outside", unlink(outside));
    snprintf(path, sizeof path, "%s.new", outside);
    tell("create-outside", open(path, O_WRONLY | O_CREAT, 0600));
    snprintf(path, sizeof path, "%s/new", getenv("ESCAPE_INSIDE"));
    tell("create-inside", open(path, O_WRONLY | O_CREAT, 0600));
    tell("move-outside", rename(path, outside));
    tell("unlink-inside", unlink(path));
    tell("write-null", open("/dev/null", O_WRONLY));
}

/* What Landlock has no right for. */
static void try_attributes(void) {
    const char *outside = getenv("ESCAPE_OUTSIDE");
    tell("chmod", chmod(outside, 0640));
    tell("fchmodat", fchmodat(AT_FDCWD, outside, 0640, 0));
    tell("fchmodat2", syscall(452, AT_FDCWD, outside, 0640, 0));
    tell("chown", chown(outside, getuid(), -1));
    tell("lchown", lchown(outside, getuid(), -1));
    tell("fchownat", fchownat(AT_FDCWD, outside, getuid(), -1, 0));
    tell("setxattr", setxattr(outside, "user.escape", "x", 1, 0));
    tell("lsetxattr", lsetxattr(outside, "user.escape", "x", 1, 0));
    tell("removexattr", removexattr(outside, "user.escape"));
    tell("lremovexattr", lremovexattr(outside, "user.escape"));
    const int inside = fileno(report);
    tell("fchmod", fchmod(inside, 0600));
    tell("fchown", fchown(inside, getuid(), -1));
}

static void *try_everything(void *unused) {
    try_sockets();
    try_answering();
    try_programs();
    try_others();
    try_limits();
    try_files();
    try_attributes();
    return unused;
}

static CK_RV initialize(void *arguments) {
    report = fopen(getenv("ESCAPE_REPORT"), "we");
    if (report == NULL) return CKR_GENERAL_ERROR;
    setlinebuf(report);
    close(tell_descriptor("first-tcp", socket(AF_INET, SOCK_STREAM, 0)));
    return real->C_Initialize(arguments);
}

static CK_RV get_slot_list(unsigned char present, CK_SLOT_ID *slots, unsigned long *count) {
    static int tried;
    pthread_t thread;
    if (!tried++) {
        errno = pthread_create(&thread, NULL, try_everything, NULL);
        tell("thread", errno == 0 ? 0 : -1);
        pthread_join(thread, NULL);
        fputs("end\n", report);
    }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV get_function_list(CK_FUNCTION_LIST_PTR_PTR list) {
    *list = &functions;
    return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    void *library = dlopen(getenv("ESCAPE_MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = library ? dlsym(library, "C_GetFunctionList") : NULL;
    if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    functions = *real;
    functions.C_GetFunctionList = get_function_list;
    functions.C_Initialize = initialize;
    functions.C_GetSlotList = get_slot_list;
    return get_function_list(list);
}
