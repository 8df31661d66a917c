/* The thin client once more in C, to measure tokenward-credential-process against: the same system calls, the same
   limits and deadline, the same checks of the answer's head, and a look for each member of the credentials.
   cc -O2 -static -o thin_client thin_client.c; thin_client SOCKET PROFILE */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { longest_head = 16 * 1024, longest_body = 128 * 1024, timeout_ms = 50000 };

static long long deadline;

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void fail(int code, const char *what) {
    char line[1024];
    int length = snprintf(line, sizeof line, "thin_client: %s (errno %d)\n", what, errno);
    if (write(2, line, (size_t)length) < 0) _exit(70);
    exit(code);
}

static int left(void) {
    long long ms = deadline - now();
    if (ms <= 0) fail(75, "timeout");
    return (int)ms;
}

static void wait_for(int fd, short events) {
    struct pollfd entry = {fd, events, 0};
    int ready;
    while ((ready = poll(&entry, 1, left())) <= 0)
        if (ready < 0 && errno != EINTR) fail(69, "poll");
}

static size_t receive(int fd, char *into, size_t room) {
    for (;;) {
        wait_for(fd, POLLIN);
        ssize_t count = recv(fd, into, room, MSG_DONTWAIT);
        if (count > 0) return (size_t)count;
        if (count == 0 || (errno != EINTR && errno != EAGAIN)) fail(70, "the answer ends early");
    }
}

static int name_is_good(const char *name) {
    size_t length = strlen(name);
    return length >= 1 && length <= 64 && *name != '.' && *name != '-'
        && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == length;
}

int main(int argc, char **argv) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    if (argc != 3 || strlen(argv[1]) > 107 || !name_is_good(argv[2])) fail(64, "usage: thin_client SOCKET PROFILE");
    deadline = now() + timeout_ms;

    char request[256];
    int length = snprintf(request, sizeof request,
        "GET /v1/profiles/%s/credentials HTTP/1.1\r\nHost: tokenward\r\nConnection: close\r\n\r\n", argv[2]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd == 1 || fd == 2) fail(70, "socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, argv[1]);
    int ms = left();
    struct timeval limit = {ms / 1000, ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        if (errno != EINTR) fail(errno == EAGAIN ? 75 : 69, "connect");
    for (int sent = 0; sent < length;) {
        ssize_t count = send(fd, request + sent, (size_t)(length - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += (int)count;
        else if (errno == EAGAIN) wait_for(fd, POLLOUT);
        else if (errno != EINTR) fail(69, "send");
    }

    size_t capacity = longest_head + longest_body + 1, count = 0;
    char *answer = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end;
    if (answer == MAP_FAILED) fail(75, "memory");
    madvise(answer, capacity, MADV_DONTDUMP);
    do {
        if (count >= longest_head) fail(70, "a head without end");
        count += receive(fd, answer + count, capacity - 1 - count);
    } while ((end = memmem(answer, count, "\r\n\r\n", 4)) == NULL);
    int status = 0;
    if (sscanf(answer, "HTTP/1.1 %3d ", &status) != 1) fail(70, "no HTTP");
    const char *field = strcasestr(answer, "\r\ncontent-length:");
    if (field == NULL || field > end) fail(70, "no Content-Length");
    size_t body = strtoul(field + 17, NULL, 10), start = (size_t)(end + 4 - answer);
    if (body > longest_body) fail(70, "a body too long");
    while (count < start + body) count += receive(fd, answer + count, capacity - 1 - count);
    if (count != start + body || status != 200) fail(70, "no credentials");
    static const char *const members[] = {
        "\"Version\"", "\"AccessKeyId\"", "\"SecretAccessKey\"", "\"SessionToken\"", "\"Expiration\""};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (memmem(answer + start, body, members[i], strlen(members[i])) == NULL) fail(70, "incomplete credentials");
    answer[count++] = '\n';
    for (size_t done = start; done < count;) {
        ssize_t written = write(1, answer + done, count - done);
        if (written >= 0) done += (size_t)written;
        else if (errno != EINTR) fail(70, "write");
    }
    explicit_bzero(answer, count);
    munmap(answer, capacity);
    close(fd);
    return 0;
}
