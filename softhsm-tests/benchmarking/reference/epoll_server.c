/* The least that can answer the thin client: one thread, one epoll, and always the same bytes. What the agent's server
   is measured against. It answers CLOSING to a request that says "Connection: close", and hangs up; else KEEPING.
   cc -O2 -o epoll_server epoll_server.c; epoll_server SOCKET CLOSING KEEPING */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { longest_request = 4096, most_events = 256 };

struct answer {
    char bytes[65536];
    size_t count;
};

static struct answer closing, keeping;

static void load(struct answer *answer, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    answer->count = fread(answer->bytes, 1, sizeof answer->bytes, file);
    fclose(file);
}

/* A request comes in one piece: the client is ours. */
static void serve(int fd) {
    char request[longest_request];
    ssize_t count = recv(fd, request, sizeof request, MSG_DONTWAIT);
    if (count <= 0 || memmem(request, (size_t)count, "\r\n\r\n", 4) == NULL) {
        close(fd);
        return;
    }
    int ends = memmem(request, (size_t)count, "Connection: close", 17) != NULL;
    const struct answer *answer = ends ? &closing : &keeping;
    if (send(fd, answer->bytes, answer->count, MSG_NOSIGNAL) < 0 || ends) close(fd);
}

int main(int argc, char **argv) {
    if (argc != 4 || strlen(argv[1]) > 107) return 64;
    load(&closing, argv[2]);
    load(&keeping, argv[3]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), poller = epoll_create1(EPOLL_CLOEXEC);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, argv[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        perror(argv[1]);
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[most_events];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    puts("listening");
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, events, most_events, -1);
        for (int index = 0; index < count; index++) {
            if (events[index].data.fd != listener) {
                serve(events[index].data.fd);
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
