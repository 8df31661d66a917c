/* Linux calls that Swift's Glibc module does not show: it is built without _GNU_SOURCE, and imports no variadic
   function. */
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client.h"
#include "sockets.h"
#include "walls.h"

/* The next connection of a listening socket, which does not block (accept4(2)). Its descriptor, or -errno. */
int clinux_accept(int socket);

/* Fills `groups` with the peer's supplementary groups at connect(2) (SO_PEERGROUPS, Linux 4.13).
   The count, or -errno; -ERANGE when there are more than `capacity`. */
int clinux_peer_groups(int socket, gid_t *groups, size_t capacity);

/* No core dump, no ptrace by the own user, no new privileges. exec resets the first two, so each process calls it.
   0, or an errno. */
int clinux_harden_process(void);

/* No core dump and no ptrace by the own user, until this process executes another program. 0, or an errno. */
int clinux_hide_process(void);

/* The environment of this process, with a NULL behind it. */
char **clinux_environment(void);

/* This process becomes the program `argv[0]`, which is looked for in PATH if it has no slash, with the signals that this
   process was started with. An errno if that is not possible. */
int clinux_execute(char *const argv[], char *const envp[]);

/* Opens /dev/null as each standard stream that this process was started without, before anything else takes its number.
   0, or an errno. */
int clinux_open_missing_streams(void);

/* Wipes what earlier calls have left on this thread's stack, 64 KiB deep, and in its vector registers: memcpy(3) leaves
   up to 64 bytes of what it copied in each of those, and whoever saves them, such as ld.so when it looks a function up,
   leaves them in a frame that nobody clears. */
void clinux_wipe_stack(void);

/* Gives the kernel back what was freed and is still kept for later, in all arenas (malloc_trim(3)). */
void clinux_give_memory_back(void);

/* From here on all threads allocate from one heap, to be called before there are any: each further arena of glibc's
   grows by single pages, a system call for each, and keeps what it has grown to (mallopt(3), M_ARENA_MAX). */
void clinux_share_one_heap(void);

/* pipe2(2) with O_CLOEXEC. 0, or an errno. */
int clinux_pipe(int descriptors[2]);

/* Whether a file holds this text with the NUL at its end. If the file is cut meanwhile, SIGBUS ends the process. */
int clinux_file_holds(int file, const char *text);

/* From now on a signal of these is a byte, its number, to read from the descriptor that this returns. Called once.
   The descriptor, or -errno. */
int clinux_catch_signals(const int *numbers, size_t count);

/* Starts `path` with exactly these arguments and this environment, standard input from /dev/null, `channel` as
   descriptor 3, `signatures` as descriptor 4, `output` as standard output and error, nothing else open, working
   directory /, default signals. 0 and *pid, or an errno. */
int clinux_spawn_worker(
    const char *path, char *const argv[], char *const envp[], int channel, int signatures, int output, pid_t *pid);

/* Starts `path` in a session of its own with exactly these arguments and this environment, `input` and `output` as its
   standard streams, standard error to /dev/null, nothing else open, working directory /, default signals.
   0 and *pid, or an errno. */
int clinux_spawn_on_pipes(
    const char *path, char *const argv[], char *const envp[], int input, int output, pid_t *pid);

#endif
