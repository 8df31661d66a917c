/* What a process may still ask of the kernel once it has put up its walls: Landlock (Linux 5.13) for files, a seccomp
   filter (Linux 3.17) for calls. Both are for good, and for every thread and child that comes after. */
#ifndef CLINUX_WALLS_H
#define CLINUX_WALLS_H

#include <stddef.h>

/* The kernel's Landlock ABI; 0 where it has none, or has it turned off; -EPERM where a filter of system calls that this
   process was started in, such as a unit's SystemCallFilter=, refuses it. */
int clinux_landlock_version(void);

/* 1 where the kernel takes seccomp filters, and this architecture has one here; otherwise 0, or -EPERM as above. */
int clinux_has_call_filter(void);

/* From now on this thread, and what it starts, executes no program, sends no signal to another process (ABI 6) and
   writes, truncates (ABI 3), makes, moves and removes files only at or beneath `writable`; without `has_network` it neither
   binds nor connects TCP (ABI 4). Reading is not limited, nor are modes, owners, times and attributes. 0, or an errno; *failed is then the index of the path that it is about, or `count`. */
int clinux_limit_files(const char *const *writable, size_t count, int has_network, size_t *failed);

/* From now on no thread of this process starts a program or a process, looks into another one, changes what another one
   may use, mounts, loads code into the kernel, changes a file's mode, owner or attributes by its path, or goes around this
   filter; without `has_network` it opens no sockets but Unix ones and the kernel's device events. What is refused fails
   with an errno, as it would without the right to it. Nobody is asked: the descriptor to answer through would be the
   module's as well. 0, or an errno. */
int clinux_limit_calls(int has_network);

#endif
