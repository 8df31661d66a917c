/* Load on the agent's socket, more than Python can make.
     load at-once SOCKET TARGET COUNT      opens COUNT connections, prints "connected", waits for a line, sends one GET
                                           on each, prints "sent", and reads every answer; prints one line for each
                                           kind of answer: how often, its status, its body
     load requests SOCKET TARGET COUNT N   COUNT requests one after the other, N on each connection; prints the same
     load hold SOCKET COUNT                holds COUNT idle connections until standard input ends; prints "held"
   COUNT is at most 20000. It ends with 1 and a line on standard error when a connection fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

int main(int argc, char **argv) {
    static int fds[most];
    int holds = argc == 4 && strcmp(argv[1], "hold") == 0;
    if (!holds && argc < 5) usage();
    int count = atoi(argv[holds ? 3 : 4]);
    int opens_all = holds || strcmp(argv[1], "at-once") == 0;
    if (count < 1 || (opens_all && count > most)) usage();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");

    if (holds) {
        for (int i = 0; i < count; i++) fds[i] = connected(argv[2]);
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
