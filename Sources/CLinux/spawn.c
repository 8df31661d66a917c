#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int set_worker_streams(posix_spawn_file_actions_t *actions, const int *given) {
    const int output = given[0], channel = given[1], signatures = given[2];
    int error;
    if ((error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)) != 0) return error;
    if ((error = posix_spawn_file_actions_adddup2(actions, output, 1)) != 0) return error;
    if ((error = posix_spawn_file_actions_adddup2(actions, output, 2)) != 0) return error;
    if ((error = posix_spawn_file_actions_adddup2(actions, channel, 3)) != 0) return error;
    if ((error = posix_spawn_file_actions_adddup2(actions, signatures, 4)) != 0) return error;
    return posix_spawn_file_actions_addclosefrom_np(actions, 5);
}

static int set_pipes(posix_spawn_file_actions_t *actions, const int *given) {
    int error;
    if ((error = posix_spawn_file_actions_adddup2(actions, given[0], 0)) != 0) return error;
    if ((error = posix_spawn_file_actions_adddup2(actions, given[1], 1)) != 0) return error;
    if ((error = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0)) != 0) return error;
    return posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int set_signals(posix_spawnattr_t *attributes, short flags) {
    sigset_t all, none;
    int error;
    sigfillset(&all);
    sigemptyset(&none);
    if ((error = posix_spawnattr_setsigdefault(attributes, &all)) != 0) return error;
    if ((error = posix_spawnattr_setsigmask(attributes, &none)) != 0) return error;
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags);
}

/* `flags`: beside those for the signals. */
static int spawn(
    const char *path, char *const argv[], char *const envp[],
    int (*set_streams)(posix_spawn_file_actions_t *, const int *), const int *given, short flags, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_streams(&actions, given);
        if (error == 0) error = posix_spawn_file_actions_addchdir_np(&actions, "/");
        if (error == 0) error = set_signals(&attributes, flags);
        if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, argv, envp);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int clinux_spawn_worker(
    const char *path, char *const argv[], char *const envp[], int channel, int signatures, int output, pid_t *pid) {
    /* Of a number that the channel's new one does not take. */
    const int high = fcntl(signatures, F_DUPFD_CLOEXEC, 5);
    if (high < 0) return errno;
    const int error = spawn(path, argv, envp, set_worker_streams, (int[]){output, channel, high}, 0, pid);
    close(high);
    return error;
}

int clinux_spawn_on_pipes(
    const char *path, char *const argv[], char *const envp[], int input, int output, pid_t *pid) {
    /* A session of its own: in the background of somebody's terminal, changing that terminal would stop it (SIGTTOU). */
    return spawn(path, argv, envp, set_pipes, (int[]){input, output}, POSIX_SPAWN_SETSID, pid);
}

char **clinux_environment(void) { return environ; }

int clinux_execute(char *const argv[], char *const envp[]) {
    clinux_restore_broken_pipe();
    execvpe(argv[0], argv, envp);
    const int error = errno;
    clinux_ignore_broken_pipe();
    return error;
}
