/* Preloaded, it lets a process believe that the machine has slept: the file named by SLEPT_SECONDS_FILE holds, as an
   int64_t, by how many seconds CLOCK_BOOTTIME is ahead. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *slept;

__attribute__((constructor)) static void map(void) {
    const char *path = getenv("SLEPT_SECONDS_FILE");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *slept, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) slept = memory;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    const long result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && slept && clock == CLOCK_BOOTTIME) time->tv_sec += *slept;
    return (int)result;
}
