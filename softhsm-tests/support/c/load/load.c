/* Load on the agent's socket, more than Python can make.
     load at-once SOCKET TARGET COUNT      opens COUNT connections, prints "connected", waits for a line, sends one GET
                                           on each, prints "sent", and reads every answer; prints one line for each
                                           kind of answer: how often, its status, its body
     load requests SOCKET TARGET COUNT N   COUNT requests one after the other, N on each connection; prints the same
     load hold SOCKET COUNT                holds COUNT idle connections until standard input ends; prints "held"
     load drip SOCKET TARGET COUNT HEAD BODY
                                           opens COUNT connections, sends on each all but the last byte of a POST with a
                                           head of HEAD bytes and a body of BODY bytes (0: all but the last of the head), in
                                           steps on all of them at once, and holds them until standard input ends; prints
                                           "held". What the agent has hung up on is left alone
     load flood SOCKET                     connects and hangs up until standard input ends; prints "floods" at its start
     load sink SOCKET                      takes connections on a socket of its own and hangs up, until it is ended; prints
                                           "listens"
   COUNT is at most 20000. It ends with 1 and a line on standard error when a connection fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { most = 20000, longest = 8192, kinds = 64 };

static struct { long count; int status; char *body; } answers[kinds];
static char request[512];
static size_t request_length;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void usage(void) {
    fputs("load: see the comment in load.c\n", stderr);
    exit(64);
}

static int connected(const char *path) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (fd < 0) fail("socket");
    if (strlen(path) >= sizeof address.sun_path) usage();
    strcpy(address.sun_path, path);
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        if (errno != EINTR) fail("connect");
    return fd;
}

static void ask(int fd) {
    for (size_t sent = 0; sent < request_length;) {
        ssize_t count = send(fd, request + sent, request_length - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR) fail("send");
        if (count > 0) sent += (size_t)count;
    }
}

/* Reads one answer by its Content-Length, and counts it. */
static void receive(int fd) {
    static char buffer[longest + 1];
    size_t count = 0, wanted = 0;
    char *body = NULL;
    while (body == NULL || count < wanted) {
        ssize_t more = recv(fd, buffer + count, longest - count, 0);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) fail("an answer ends early");
        count += (size_t)more;
        buffer[count] = 0;
        if (body != NULL || (body = strstr(buffer, "\r\n\r\n")) == NULL) continue;
        body += 4;
        const char *length = strcasestr(buffer, "\r\ncontent-length:");
        if (length == NULL || length > body) fail("an answer without Content-Length");
        wanted = (size_t)(body - buffer) + strtoul(length + 17, NULL, 10);
        if (wanted > longest) fail("an answer too long");
    }
    if (count != wanted) fail("an answer with bytes behind it");
    int status = atoi(buffer + 9);
    for (int kind = 0; kind < kinds; kind++) {
        if (answers[kind].body == NULL) {
            answers[kind].status = status;
            if ((answers[kind].body = strdup(body)) == NULL) fail("memory");
        }
        if (answers[kind].status != status || strcmp(answers[kind].body, body) != 0) continue;
        answers[kind].count++;
        return;
    }
    fail("more kinds of answers than can be kept");
}

static void report(void) {
    for (int kind = 0; kind < kinds && answers[kind].body != NULL; kind++)
        printf("%ld %d %s\n", answers[kind].count, answers[kind].status, answers[kind].body);
}

static void prepare(const char *target, int closes) {
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: tokenward\r\n%s\r\n", target,
        closes ? "Connection: close\r\n" : "");
    if (length < 0 || length >= (int)sizeof request) usage();
    request_length = (size_t)length;
}

/* One step of all that is to be sent. */
static void drip(const int *fds, int count, const char *bytes, size_t length) {
    for (int i = 0; i < count; i++)
        for (size_t sent = 0; sent < length;) {
            const ssize_t more = send(fds[i], bytes + sent, length - sent, MSG_NOSIGNAL);
            if (more < 0 && errno == EINTR) continue;
            if (more < 0 && errno != EPIPE && errno != ECONNRESET) fail("send");
            if (more < 0) break;
            sent += (size_t)more;
        }
}

static void drip_request(const int *fds, int count, const char *target, int head, int body) {
    const size_t length = (size_t)head + (size_t)body - 1;
    enum { step = 4096 };
    char *bytes = malloc(length + 1);
    if (bytes == NULL) fail("memory");
    memset(bytes, 'x', length);
    const int start = sprintf(bytes, "POST %s HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\nX-Slow: ", target, body);
    if (start + 4 > head) usage();
    bytes[start] = 'x';
    memcpy(bytes + head - 4, "\r\n\r\n", body > 0 ? 4 : 3);
    for (size_t sent = 0; sent < length; sent += step)
        drip(fds, count, bytes + sent, length - sent < step ? length - sent : step);
    free(bytes);
}

static int flood(const char *path) {
    puts("floods");
    fflush(stdout);
    for (;;) {
        struct pollfd input = {.fd = 0, .events = POLLIN};
        for (int i = 0; i < 64; i++) close(connected(path));
        if (poll(&input, 1, 0) != 0) return 0;
    }
}

static _Noreturn void sink(const char *path) {
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) usage();
    strcpy(address.sun_path, path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (chmod(path, 0666) != 0 || listen(listener, 4096) != 0) fail("listen");
    puts("listens");
    fflush(stdout);
    for (;;) close(accept(listener, NULL, NULL));
}

int main(int argc, char **argv) {
    static int fds[most];
    if (argc == 3 && strcmp(argv[1], "flood") == 0) return flood(argv[2]);
    if (argc == 3 && strcmp(argv[1], "sink") == 0) sink(argv[2]);
    int drips = argc == 7 && strcmp(argv[1], "drip") == 0;
    int holds = argc == 4 && strcmp(argv[1], "hold") == 0;
    if (!holds && argc < 5) usage();
    int count = atoi(argv[holds ? 3 : 4]);
    int opens_all = holds || drips || strcmp(argv[1], "at-once") == 0;
    if (count < 1 || (opens_all && count > most)) usage();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");

    if (holds || drips) {
        for (int i = 0; i < count; i++) fds[i] = connected(argv[2]);
        if (drips) drip_request(fds, count, argv[3], atoi(argv[5]), atoi(argv[6]));
        puts("held");
        fflush(stdout);
        while (getchar() != EOF) {}
        return 0;
    }
    if (strcmp(argv[1], "at-once") == 0) {
        prepare(argv[3], 1);
        for (int i = 0; i < count; i++) fds[i] = connected(argv[2]);
        puts("connected");
        fflush(stdout);
        if (getchar() == EOF) return 1;
        for (int i = 0; i < count; i++) ask(fds[i]);
        puts("sent");
        fflush(stdout);
        for (int i = 0; i < count; i++) {
            receive(fds[i]);
            close(fds[i]);
        }
    } else {
        int each = argc > 5 ? atoi(argv[5]) : 1;
        prepare(argv[3], each == 1);
        for (int done = 0; done < count;) {
            int fd = connected(argv[2]);
            for (int i = 0; i < each && done < count; i++, done++) {
                ask(fd);
                receive(fd);
            }
            close(fd);
        }
    }
    report();
    return 0;
}
