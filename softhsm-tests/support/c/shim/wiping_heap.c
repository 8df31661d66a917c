/* Uses a heap that wipes, compiled with it, and tells how much of it is resident: in MiB, one line for each step. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static void tell(const char *step) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%s %ld\n", step, usage.ru_maxrss >> 10);
}

static void check(int is_right, const char *what) {
    if (is_right) return;
    printf("wrong: %s\n", what);
    exit(1);
}

/* What a freed chunk's memory holds, where it is still there. */
static void check_wiped(const char *memory, size_t count, const char *what) {
    for (size_t place = 0; place < count; place++) check(memory[place] != 'x', what);
}

int main(void) {
    tell("start");
    free(malloc(1024 * MIB));
    tell("free");

    char *untouched = malloc(256 * MIB);
    untouched[0] = 'a';
    untouched = realloc(untouched, 1024 * MIB);
    check(untouched != NULL && untouched[0] == 'a', "what was written before it grew");
    untouched = realloc(untouched, 700 * MIB); /* in place */
    untouched = realloc(untouched, 2 * MIB);
    check(untouched[0] == 'a', "what was written before it shrank");
    free(untouched);
    tell("realloc");

    /* What was written is the only copy, wherever it moves to. */
    char *large = malloc(16 * MIB);
    memset(large, 'x', 16 * MIB);
    large = realloc(large, 48 * MIB);
    for (size_t place = 0; place < 16 * MIB; place++) check(large[place] == 'x', "the content of a large chunk");
    large = realloc(large, 47 * MIB);
    large = realloc(large, 4 * MIB + 5); /* what is beyond it in the last page has been wiped */
    check_wiped(large + 4 * MIB + 5, malloc_usable_size(large) - 4 * MIB - 5, "the rest of the last page");
    tell("written");
    free(large);

    /* Freed chunks from here on are large, and stay glibc's: nothing is mapped or unmapped. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    char *inside = malloc(8 * MIB), *guard = malloc(64);
    memset(inside, 'x', 8 * MIB);
    inside = realloc(inside, 6 * MIB);
    check_wiped(inside + 6 * MIB, 2 * MIB, "the rest of a chunk that shrank in place");
    check(inside[6 * MIB - 1] == 'x', "what is before the rest");
    free(inside);
    check_wiped(inside + 4096, 6 * MIB - 4096, "a large chunk that was freed");
    char *locked = malloc(2 * MIB), *guard2 = malloc(64);
    if (mlock(locked, 2 * MIB) == 0) { /* such pages are not dropped */
        memset(locked, 'x', 2 * MIB);
        munlock(locked, 4096);
        free(locked);
        check_wiped(locked + 4096, 2 * MIB - 4096, "a locked chunk that was freed");
    }
    char *small = malloc(1000), *guard3 = malloc(64);
    memset(small, 'x', 1000);
    free(small);
    check_wiped(small + 32, 960, "a small chunk that was freed");
    tell("end");
    (void)guard, (void)guard2, (void)guard3;
    return 0;
}
