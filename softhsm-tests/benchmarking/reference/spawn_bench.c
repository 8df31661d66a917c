/* Starts each of several commands in turn, round after round, and prints how long one run takes from posix_spawn to
   its end. Round robin, so that a busy moment of the machine hits all alike.
   cc -O2 -o spawn_bench spawn_bench.c; spawn_bench ROUNDS NAME COMMAND... [-- NAME COMMAND...]... */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { most_commands = 16, warm_up = 20 };

extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double run(char **command, const posix_spawn_file_actions_t *actions) {
    double start = now();
    pid_t child;
    int status = 0;
    if (posix_spawn(&child, command[0], actions, NULL, command, environ) != 0) {
        perror(command[0]);
        exit(1);
    }
    waitpid(child, &status, 0);
    if (status != 0) {
        fprintf(stderr, "%s ended with status %#x\n", command[0], status);
        exit(1);
    }
    return now() - start;
}

int main(int argc, char **argv) {
    int rounds = argc > 3 ? atoi(argv[1]) : 0, count = 0;
    char **names[most_commands];
    for (int index = 2; index < argc && count < most_commands; index++) {
        names[count++] = argv + index;
        while (index < argc && strcmp(argv[index], "--") != 0) index++;
        if (index < argc) argv[index] = NULL;
    }
    if (rounds < 1 || count < 1) {
        fprintf(stderr, "usage: spawn_bench ROUNDS NAME COMMAND... [-- NAME COMMAND...]...\n");
        return 64;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    double *times = calloc((size_t)(rounds * count), sizeof *times);
    if (times == NULL) return 1;
    for (int round = -warm_up; round < rounds; round++)
        for (int index = 0; index < count; index++) {
            double time = run(names[index] + 1, &actions);
            if (round >= 0) times[index * rounds + round] = time;
        }
    printf("%-32s %9s %9s %9s\n", "ms, exec to exit", "median", "min", "p90");
    for (int index = 0; index < count; index++) {
        double *mine = times + index * rounds;
        qsort(mine, (size_t)rounds, sizeof *mine, compare);
        printf("%-32s %9.3f %9.3f %9.3f\n", *names[index], mine[rounds / 2], mine[0], mine[rounds * 9 / 10]);
    }
    return 0;
}
