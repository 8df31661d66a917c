/* What a client of the agent needs where there is no Glibc module: Embedded Swift sees C through these headers
   alone. */
#ifndef CLINUX_CLIENT_H
#define CLINUX_CLIENT_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The argument of this number that this process was started with; NULL where there is none. */
const char *clinux_argument(int index);

/* The arguments from that number on, which is not beyond the last one, and a NULL behind them. */
char **clinux_arguments(int index);

/* errno, which is a macro. */
int clinux_errno(void);

/* Fills pid, uid and gid with those of the peer's process, as it was at connect(2), or at listen(2) for a peer that was
   connected to (SO_PEERCRED, unix(7)). 0, or an errno. */
int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

/* A write into a pipe or socket that nobody reads fails with EPIPE instead of ending the process. 0, or an errno. */
int clinux_ignore_broken_pipe(void);

/* Gives that signal back to what it did before. */
void clinux_restore_broken_pipe(void);

/* Ends this process by SIGPIPE, as the kernel does after a write that nobody reads, whatever became of that signal. */
_Noreturn void clinux_end_by_broken_pipe(void);

/* Swift's runtime answers a crash, and SIGQUIT, with registers and the memory that they point to on standard error.
   From here on such a signal just ends the process. 0, or an errno. */
int clinux_turn_off_crash_reports(void);

/* The terminal where the person is who started this process: that of a standard stream, else the controlling one.
   0 and its zero-terminated path, or an errno; ENOTTY without one. */
int clinux_terminal(char *path, size_t capacity);

#endif
