/* Asks a server on a Unix socket for the same thing again and again, and prints how often a second and how long one
   request takes: "requests RATE p50 MICROSECONDS p99 MICROSECONDS".
   cc -O2 -o load_client load_client.c
   load_client SOCKET PATH close CLIENTS REQUESTS   a connection for each request, CLIENTS of them at a time
   load_client SOCKET PATH keep REQUESTS            all on one connection
   load_client SOCKET PATH hold CONNECTIONS         opens them and says "open"; on a line of input asks once, on a
                                                    connection that was held and on a new one, and so on until the end */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct client {
    int fd;
    double start;
    size_t received;
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char closing[512], keeping[512];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_connection(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        if (errno != EINTR) fail("connect");
    return fd;
}

static void ask(int fd, const char *request) {
    size_t length = strlen(request);
    if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

static void begin(struct client *client) {
    client->start = now();
    client->received = 0;
    client->fd = open_connection();
    ask(client->fd, closing);
}

/* Whether the answer is complete: the server has closed. */
static int advance(struct client *client) {
    char buffer[16384];
    ssize_t count = recv(client->fd, buffer, sizeof buffer, 0);
    if (count < 0) fail("recv");
    if (client->received == 0 && (count < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0)) {
        fprintf(stderr, "not the answer: %.*s\n", (int)count, buffer);
        exit(1);
    }
    client->received += (size_t)count;
    if (count > 0) return 0;
    close(client->fd);
    return 1;
}

/* Reads one answer with a Content-Length. */
static void read_answer(int fd) {
    char answer[65536];
    size_t count = 0, wanted = sizeof answer;
    while (count < wanted) {
        ssize_t more = recv(fd, answer + count, sizeof answer - 1 - count, 0);
        if (more <= 0) fail("recv");
        count += (size_t)more;
        answer[count] = '\0';
        char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\ncontent-length:");
        if (end != NULL && length != NULL) wanted = (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
    }
    if (memcmp(answer, "HTTP/1.1 200", 12) != 0) fail("status");
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report(double *times, int count, double elapsed) {
    qsort(times, (size_t)count, sizeof *times, compare);
    printf("requests %.1f p50 %.2f p99 %.2f\n", count / elapsed * 1e6, times[count / 2], times[(int)(count * 0.99)]);
}

static void run_closing(int clients, int requests) {
    struct client *all = calloc((size_t)clients, sizeof *all);
    double *times = calloc((size_t)requests, sizeof *times), start = now();
    int begun = 0, done = 0, poller = epoll_create1(EPOLL_CLOEXEC);
    if (all == NULL || times == NULL) fail("calloc");
    struct epoll_event event = {.events = EPOLLIN}, events[64];
    for (; clients > 1 && begun < clients; begun++) {
        begin(all + begun);
        event.data.ptr = all + begun;
        epoll_ctl(poller, EPOLL_CTL_ADD, all[begun].fd, &event);
    }
    while (clients == 1 && done < requests) {  // waits in recv, as a program that asks for itself does
        begin(all);
        while (!advance(all)) {}
        times[done++] = now() - all->start;
    }
    while (done < requests) {
        int count = epoll_wait(poller, events, 64, -1);
        for (int index = 0; index < count && done < requests; index++) {
            struct client *client = events[index].data.ptr;
            if (!advance(client)) continue;
            times[done++] = now() - client->start;
            if (begun++ >= requests) continue;
            begin(client);
            event.data.ptr = client;
            epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
        }
    }
    report(times, done, now() - start);
}

static void run_keeping(int requests) {
    double *times = calloc((size_t)requests, sizeof *times), start = now();
    int fd = open_connection();
    if (times == NULL) fail("calloc");
    for (int index = 0; index < requests; index++) {
        double before = now();
        ask(fd, keeping);
        read_answer(fd);
        times[index] = now() - before;
    }
    report(times, requests, now() - start);
}

static void hold(int connections) {
    int *held = calloc((size_t)connections, sizeof *held), round = 0;
    char line[64];
    if (held == NULL) fail("calloc");
    for (int index = 0; index < connections; index++) held[index] = open_connection();
    puts("open");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        double start = now(), middle;
        ask(held[round % connections], keeping);
        read_answer(held[round++ % connections]);
        middle = now();
        struct client client;
        begin(&client);
        while (!advance(&client)) {}
        printf("held %.1f new %.1f\n", middle - start, now() - middle);
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (argc < 5 || strlen(argv[1]) > 107) return 64;
    strcpy(address.sun_path, argv[1]);
    const char *head = "GET %s HTTP/1.1\r\nHost: tokenward\r\n%s\r\n";
    snprintf(closing, sizeof closing, head, argv[2], "Connection: close\r\n");
    snprintf(keeping, sizeof keeping, head, argv[2], "");
    if (strcmp(argv[3], "close") == 0 && argc == 6) run_closing(atoi(argv[4]), atoi(argv[5]));
    else if (strcmp(argv[3], "keep") == 0) run_keeping(atoi(argv[4]));
    else if (strcmp(argv[3], "hold") == 0) hold(atoi(argv[4]));
    else return 64;
    return 0;
}
