#include "client.h"

#include <errno.h>
#include <signal.h>

static int count;
static char **vector;

/* glibc hands main's arguments to constructors, in static executables too. Embedded Swift has no CommandLine. */
__attribute__((constructor)) static void remember_arguments(int argc, char **argv, char **envp) {
    (void)envp;
    count = argc;
    vector = argv;
}

int clinux_argument_count(void) { return count; }

const char *clinux_argument(int index) { return index >= 0 && index < count ? vector[index] : NULL; }

int clinux_errno(void) { return errno; }

int clinux_ignore_broken_pipe(void) {
    struct sigaction ignore = {0};
    ignore.sa_handler = SIG_IGN;
    return sigaction(SIGPIPE, &ignore, NULL) == 0 ? 0 : errno;
}
