/* socket(2) and getaddrinfo(3) that remember what was refused, for the whole process: the executable's symbols come before
   every library's. A seccomp filter leaves no trace of its own. */
#define _GNU_SOURCE
#include "CRefusedSockets.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int refused;

int crefusedsockets_any(void) { return atomic_load(&refused); }

int socket(int domain, int type, int protocol) {
    const int descriptor = (int)syscall(SYS_socket, domain, type, protocol);
    if (descriptor < 0 && errno == EAFNOSUPPORT && (domain == AF_INET || domain == AF_INET6)) atomic_store(&refused, 1);
    return descriptor;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    lookup *next = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    const int error = next != NULL ? next(node, service, hints, found) : EAI_SYSTEM;
    if (error != 0 && node != NULL) atomic_store(&refused, 1);
    return error;
}
