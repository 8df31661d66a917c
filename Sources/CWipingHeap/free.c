/* free(3) and realloc(3) that wipe what they give back, for the whole process: our own code, Swift's runtime, libcurl,
   OpenSSL, NIO, and in a worker the module. Secrets pass through all of them, and owners can wipe only their own copy.

   The executable's symbols come before every library's. What allocates stays whoever it was, glibc or an allocator
   that was loaded before it, so that these two call the next in line. (M_PERTURB of mallopt(3) would do this, but for
   the small chunks that glibc 2.26 and later keep in each thread's cache.) */
#define _GNU_SOURCE
#include "CWipingHeap.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef TOKENWARD_SANITIZER /* which replaces both itself; see sanitizer.h of CLinux */

typedef void free_function(void *);
typedef void *realloc_function(void *, size_t);
static _Atomic(free_function *) next_free;
static _Atomic(realloc_function *) next_realloc;

/* From here on pages are dropped rather than written to: what was reserved and never touched takes no memory. */
static const size_t large = 1 << 20;

static uintptr_t page_size(void) {
    static _Atomic uintptr_t size;
    uintptr_t known = atomic_load_explicit(&size, memory_order_relaxed);
    if (known == 0) atomic_store_explicit(&size, known = (uintptr_t)sysconf(_SC_PAGESIZE), memory_order_relaxed);
    return known;
}

static void wipe(char *memory, size_t count) {
    if (count >= large) {
        const uintptr_t page = page_size();
        char *const first = (char *)(((uintptr_t)memory + page - 1) & ~(page - 1));
        char *const last = (char *)(((uintptr_t)memory + count) & ~(page - 1));
        /* Of private memory: the kernel wipes a page before it gives it to anybody. Locked pages it refuses to drop. */
        if (madvise(first, (size_t)(last - first), MADV_DONTNEED) == 0) {
            explicit_bzero(memory, (size_t)(first - memory));
            explicit_bzero(last, (size_t)(memory + count - last));
            return;
        }
    }
    explicit_bzero(memory, count);
}

/* Whether the chunk is a mapping of its own in glibc's malloc, which moves its pages and leaves nothing behind: 16 bytes
   after the beginning of a page, and before it 0 and the mapping's size with the flag IS_MMAPPED (malloc.c). Of another
   allocator's chunk at such a place the same bytes would have to say the same. */
static bool is_mapping(const void *memory, size_t room) {
    const size_t header = 2 * sizeof(size_t), is_mmapped = 2;
    if ((uintptr_t)memory % page_size() != header) return false;
    const size_t *const fields = (const size_t *)memory - 2;
    return fields[0] == 0 && fields[1] == ((room + header) | is_mmapped);
}

void free(void *memory) {
    if (memory == NULL) return;
    wipe(memory, malloc_usable_size(memory));
    free_function *next = atomic_load_explicit(&next_free, memory_order_relaxed);
    if (next == NULL) {
        next = (free_function *)dlsym(RTLD_NEXT, "free");
        if (next == NULL) return; /* leaked, and wiped */
        atomic_store_explicit(&next_free, next, memory_order_relaxed);
    }
    next(memory);
}

static void *resize_mapping(void *memory, size_t size, size_t room) {
    realloc_function *next = atomic_load_explicit(&next_realloc, memory_order_relaxed);
    if (next == NULL) {
        next = (realloc_function *)dlsym(RTLD_NEXT, "realloc");
        if (next == NULL) return NULL;
        atomic_store_explicit(&next_realloc, next, memory_order_relaxed);
    }
    if (size < room) wipe((char *)memory + size, room - size); /* the last page may stay */
    return next(memory, size);
}

void *realloc(void *memory, size_t size) {
    if (memory == NULL) return malloc(size);
    if (size == 0) {
        free(memory);
        return NULL;
    }
    const size_t room = malloc_usable_size(memory);
    if (size <= room && size >= room / 2) {
        wipe((char *)memory + size, room - size);
        return memory;
    }
    if (size >= large && is_mapping(memory, room)) return resize_mapping(memory, size, room);
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, size < room ? size : room);
    free(memory);
    return moved;
}

#endif
