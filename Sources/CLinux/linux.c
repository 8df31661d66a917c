#define _GNU_SOURCE
#include "CLinux.h"
#include "sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int clinux_accept(int socket) {
    const int connection = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return connection >= 0 ? connection : -errno;
}

int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int clinux_peer_groups(int socket, gid_t *groups, size_t capacity) {
    socklen_t length = (socklen_t)(capacity * sizeof *groups);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0) return -errno;
    return (int)(length / sizeof *groups);
}

#ifdef TOKENWARD_SANITIZER
/* What tells such a build from others: a test looks for these words in release programs. */
__attribute__((used, retain)) static const char sanitizer_marker[] = "tokenward without protections, for sanitizers";
#endif

int clinux_hide_process(void) {
    return is_for_sanitizer || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno;
}

int clinux_harden_process(void) {
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return errno;
    const int error = clinux_hide_process();
    if (error != 0) return error;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return 0;
}

int clinux_open_missing_streams(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0) continue;
        /* The lowest free number: those below are open by now. */
        const int opened = open("/dev/null", O_RDWR);
        if (opened < 0) return errno;
        if (opened != stream) return EBADF;
    }
    return 0;
}

void clinux_give_memory_back(void) { malloc_trim(0); }

void clinux_share_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

int clinux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC) == 0 ? 0 : errno; }

int clinux_file_holds(int file, const char *text) {
    struct stat status;
    if (fstat(file, &status) != 0 || status.st_size <= 0) return 0;
    const size_t size = (size_t)status.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) return 0;
    const int holds = memmem(bytes, size, text, strlen(text) + 1) != NULL;
    munmap(bytes, size);
    return holds;
}

static int caught_signals = -1; /* set before any handler is */

static void note_signal(int number) {
    const int error = errno;
    const unsigned char byte = (unsigned char)number;
    /* A full pipe holds thousands that nobody has read: one more says nothing new. */
    const ssize_t written = write(caught_signals, &byte, 1);
    (void)written;
    errno = error;
}

int clinux_catch_signals(const int *numbers, size_t count) {
    int descriptors[2];
    if (pipe2(descriptors, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    caught_signals = descriptors[1];
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    for (size_t index = 0; index < count; index++) {
        if (sigaction(numbers[index], &action, NULL) != 0) return -errno;
    }
    return descriptors[0];
}
