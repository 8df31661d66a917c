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
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1 /* it replaces both itself */
#endif
#endif

#ifndef HAS_SANITIZER

typedef void free_function(void *);
static _Atomic(free_function *) next_free;

void free(void *memory) {
    if (memory == NULL) return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free_function *next = atomic_load_explicit(&next_free, memory_order_relaxed);
    if (next == NULL) {
        next = (free_function *)dlsym(RTLD_NEXT, "free");
        if (next == NULL) return; /* leaked, and wiped */
        atomic_store_explicit(&next_free, next, memory_order_relaxed);
    }
    next(memory);
}

void *realloc(void *memory, size_t size) {
    if (memory == NULL) return malloc(size);
    if (size == 0) {
        free(memory);
        return NULL;
    }
    const size_t room = malloc_usable_size(memory);
    if (size <= room && size >= room / 2) {
        explicit_bzero((char *)memory + size, room - size);
        return memory;
    }
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, size < room ? size : room);
    free(memory);
    return moved;
}

#endif
