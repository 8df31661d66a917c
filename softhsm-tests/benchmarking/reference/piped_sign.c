/* Signs with a token in a process of its own, behind a socket pair, one signature after the other: the least that a worker
   can cost. Prints signatures a second.
   cc -O2 -o piped_sign piped_sign.c $(pkg-config --cflags --libs p11-kit-1); piped_sign MODULE PIN SECONDS */
#include "direct_token.h"

#include <sys/socket.h>
#include <unistd.h>

static void serve(int socket, const char *module, const char *pin) {
    struct direct_token token;
    unsigned char digest[32], signature[1024];
    direct_load(&token, module);
    CK_SESSION_HANDLE session = direct_open(&token);
    direct_log_in(&token, session, pin);
    CK_OBJECT_HANDLE key = direct_find(&token, session, CKO_PRIVATE_KEY);
    while (read(socket, digest, sizeof digest) == (ssize_t)sizeof digest) {
        CK_ULONG length = sizeof signature;
        direct_sign_bytes(&token, session, key, digest, sizeof digest, signature, &length);
        if (write(socket, signature, length) != (ssize_t)length) return;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 71;
    pid_t child = fork();
    if (child < 0) return 71;
    if (child == 0) {
        close(ends[0]);
        serve(ends[1], argv[1], argv[2]);
        return 0;
    }
    close(ends[1]);
    unsigned char digest[32] = {1}, signature[1024];
    if (write(ends[0], digest, sizeof digest) != (ssize_t)sizeof digest || read(ends[0], signature, sizeof signature) <= 0)
        return 1; /* until the module is loaded */
    double start = direct_now(), end = start + atof(argv[3]);
    long count = 0;
    for (; direct_now() < end; count++)
        if (write(ends[0], digest, sizeof digest) != (ssize_t)sizeof digest
            || read(ends[0], signature, sizeof signature) <= 0)
            return 1;
    printf("%.1f\n", (double)count / (direct_now() - start));
    return 0;
}
