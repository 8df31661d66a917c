/* libFuzzer's driver, for a program that has a main of its own (LLVM, compiler-rt/lib/fuzzer/FuzzerInterface.h). */
#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

/* Calls `callback` with one input after another, as the arguments say; it returns 0. Returns, or exits where an input was
   found that ends the process. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
