/* AddressSanitizer and ThreadSanitizer bring a heap of their own, look into the process with ptrace(2), start a program that
   names addresses, and write reports. In builds of `softhsm-tests/sanitize`, and in no others, four protections are therefore
   missing: the wiping heap, undumpable processes, the filter of system calls, and Landlock. */
#ifndef CLINUX_SANITIZER_H
#define CLINUX_SANITIZER_H

#ifdef TOKENWARD_SANITIZER
enum { is_for_sanitizer = 1 };
#else
enum { is_for_sanitizer = 0 };
#endif

#endif
