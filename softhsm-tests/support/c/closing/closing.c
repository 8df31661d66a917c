// Preloaded: the machine has slept, which libcurl's clock (CLOCK_MONOTONIC) does not count, so the agent's time for
// connecting is over before libcurl's. And the server's answer comes when the agent has given the transfer up, and closes it.
// Standard error tells of it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

enum { CONNECTTIMEOUT_MS = 156 };

static atomic_int connected = -1;

int curl_easy_setopt(void *easy, int option, void *value) {
    int (*original)(void *, int, void *);
    *(void **)&original = dlsym(RTLD_NEXT, "curl_easy_setopt");
    return original(easy, option, option == CONNECTTIMEOUT_MS ? (void *)60000 : value);
}

int connect(int socket, const struct sockaddr *address, socklen_t size) {
    int (*original)(int, const struct sockaddr *, socklen_t);
    *(void **)&original = dlsym(RTLD_NEXT, "connect");
    if (address->sa_family == AF_INET) connected = socket;
    return original(socket, address, size);
}

int curl_multi_remove_handle(void *multi, void *easy) {
    int (*original)(void *, void *);
    *(void **)&original = dlsym(RTLD_NEXT, "curl_multi_remove_handle");
    struct pollfd answer = {.fd = atomic_exchange(&connected, -1), .events = POLLIN};
    if (answer.fd == -1) return original(multi, easy);
    fputs("closing begins\n", stderr);
    poll(&answer, 1, -1);
    const int result = original(multi, easy);
    fputs("closing ends\n", stderr);
    return result;
}
