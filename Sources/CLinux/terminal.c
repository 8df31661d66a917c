#define _GNU_SOURCE
#include "client.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* /dev/tty has a name that means another terminal in every process, so its device number is asked for. */
static int controlling_terminal(char *path, size_t capacity) {
    static const char folder[] = "/dev/pts/";
    unsigned int device = 0, digits[10], count = 0;
    const int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return ENOTTY;
    const int result = ioctl(terminal, TIOCGDEV, &device);
    close(terminal);
    /* 136: UNIX98_PTY_SLAVE_MAJOR (linux/major.h). People who sit at a console have it as a standard stream. */
    if (result != 0 || major(device) != 136 || capacity < sizeof folder + 10) return ENOTTY;
    unsigned int number = minor(device);
    do digits[count++] = number % 10; while ((number /= 10) != 0);
    memcpy(path, folder, sizeof folder - 1);
    path += sizeof folder - 1;
    while (count > 0) *path++ = (char)('0' + digits[--count]);
    *path = 0;
    return 0;
}

int clinux_terminal(char *path, size_t capacity) {
    static const int streams[] = {0, 2, 1};
    for (size_t index = 0; index < 3; index++) {
        if (isatty(streams[index]) && ttyname_r(streams[index], path, capacity) == 0 && strcmp(path, "/dev/tty") != 0)
            return 0;
    }
    return controlling_terminal(path, capacity);
}
