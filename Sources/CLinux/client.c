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

const char *clinux_argument(int index) { return index >= 0 && index < count ? vector[index] : NULL; }

char **clinux_arguments(int index) { return vector + index; }

int clinux_errno(void) { return errno; }

static struct sigaction before; /* all zero is SIG_DFL */

int clinux_ignore_broken_pipe(void) {
    struct sigaction ignore = {0};
    ignore.sa_handler = SIG_IGN;
    return sigaction(SIGPIPE, &ignore, &before) == 0 ? 0 : errno;
}

void clinux_restore_broken_pipe(void) { sigaction(SIGPIPE, &before, NULL); }

void clinux_end_by_broken_pipe(void) {
    sigset_t pipe;
    struct sigaction plain = {0};
    plain.sa_handler = SIG_DFL;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigaction(SIGPIPE, &plain, NULL);
    pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

int clinux_turn_off_crash_reports(void) {
    static const int reported[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
    struct sigaction old, plain = {0};
    plain.sa_handler = SIG_DFL;
    for (size_t i = 0; i < sizeof reported / sizeof *reported; i++) {
        if (sigaction(reported[i], NULL, &old) != 0) return errno;
        if (!(old.sa_flags & SA_SIGINFO) && (old.sa_handler == SIG_IGN || old.sa_handler == SIG_DFL)) continue;
        if (sigaction(reported[i], &plain, NULL) != 0) return errno;
    }
    return 0;
}
