#define _GNU_SOURCE
#include "sanitizer.h"
#include "walls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/landlock.h, which is older on many machines than their kernel. The call numbers are every architecture's. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { GIVE_VERSION = 1, RULE_PATH_BENEATH = 1 };
#define EXECUTE (1ULL << 0)
#define WRITE_FILE (1ULL << 1)
#define REMOVE (3ULL << 4)          /* directories, files */
#define MAKE_DEVICE (1ULL << 6 | 1ULL << 11)
#define MAKE (15ULL << 7 | 1ULL << 12) /* directories, files, sockets, pipes; symbolic links */
#define REFER (1ULL << 13)          /* ABI 2: rename and link between directories */
#define TRUNCATE (1ULL << 14)       /* ABI 3 */
#define TCP 3ULL                    /* ABI 4: bind, connect */
#define SCOPE_SIGNALS 2ULL          /* ABI 6 */

struct ruleset {
    uint64_t files, network, scoped;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int clinux_landlock_version(void) {
    const long version = syscall(CREATE_RULESET, NULL, (size_t)0, GIVE_VERSION);
    if (version > 0) return (int)version;
    return errno == EPERM ? -EPERM : 0;
}

static size_t ruleset_size(int version) {
    if (version >= 6) return 24;
    return version >= 4 ? 16 : 8;
}

static int allow(int rules, const char *path, uint64_t changes) {
    const int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) return errno;
    struct stat status;
    int error = fstat(file, &status) == 0 ? 0 : errno;
    if (error == 0) {
        if (!S_ISDIR(status.st_mode)) changes &= WRITE_FILE | TRUNCATE;
        const struct path_beneath rule = {changes, file};
        if (syscall(ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0) != 0) error = errno;
    }
    close(file);
    return error;
}

int clinux_limit_files(const char *const *writable, size_t count, int has_network, size_t *failed) {
    const int version = clinux_landlock_version();
    *failed = count;
    if (is_for_sanitizer) return 0;
    if (version <= 0) return ENOSYS;
    uint64_t changes = WRITE_FILE | REMOVE | MAKE;
    if (version >= 2) changes |= REFER;
    if (version >= 3) changes |= TRUNCATE;
    const struct ruleset limits = {
        changes | MAKE_DEVICE | EXECUTE, has_network ? 0 : TCP, SCOPE_SIGNALS};
    const int rules = (int)syscall(CREATE_RULESET, &limits, ruleset_size(version), 0);
    if (rules < 0) return errno;
    int error = 0;
    for (size_t index = 0; index < count && error == 0; index++) {
        error = allow(rules, writable[index], changes);
        if (error != 0) *failed = index;
    }
    if (error == 0 && syscall(RESTRICT_SELF, rules, 0) != 0) error = errno;
    close(rules);
    return error;
}
