/* libp11-kit calls dlopen(3), dlsym(3) and dlclose(3) through its relocation table, as every shared library does: the
   entries of that one library are pointed to the functions below. */
#define _GNU_SOURCE
#include "CUnloadedModules.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* p11-kit knows a module by the address of its function list. */
struct module {
    CK_FUNCTION_LIST functions;
    struct stat file; /* st_ino is 0 where there is none */
    struct module *next;
};

static struct module *modules;
static struct module *opened_last;
static struct stat own_file;

static int is_same(const struct stat *left, const struct stat *right) {
    return left->st_ino != 0 && left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

static void *open_nothing(const char *path, int flags) {
    (void)flags;
    struct stat file;
    if (path == NULL || stat(path, &file) != 0) file = (struct stat){0};
    /* p11-kit refuses to be its own module as well; dlerror(3) has nothing to say then, which p11-kit expects. */
    if (is_same(&file, &own_file)) return NULL;
    /* An empty `module:`, which switches a module off, is the folder that relative names are looked up in. */
    if (file.st_ino != 0 && S_ISDIR(file.st_mode)) return NULL;
    for (opened_last = modules; opened_last != NULL; opened_last = opened_last->next) {
        if (is_same(&opened_last->file, &file)) return opened_last;
    }
    struct module *module = calloc(1, sizeof *module);
    if (module == NULL) return NULL;
    module->functions.version = (CK_VERSION){2, 40};
    module->file = file;
    module->next = modules;
    return modules = opened_last = module;
}

/* Asked for right after the library was opened. */
static CK_RV give_functions(CK_FUNCTION_LIST_PTR_PTR list) {
    *list = &opened_last->functions;
    return CKR_OK;
}

static void *find(void *handle, const char *name) {
    (void)handle;
    return strcmp(name, "C_GetFunctionList") == 0 ? (void *)give_functions : NULL;
}

static int close_nothing(void *handle) {
    (void)handle;
    return 0;
}

static int point(void **entry, void *function) {
    const uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *page = (void *)((uintptr_t)entry & ~(size - 1)); /* read-only since it was linked (RELRO) */
    if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return errno;
    *entry = function;
    /* The page stays writable: a library that is bound late has entries in it that are still to be written. */
    return 0;
}

/* What the dynamic section says where (elf(5)); glibc has made its addresses absolute. */
static const void *address(const struct link_map *library, ElfW(Sxword) tag) {
    for (const ElfW(Dyn) *entry = library->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == tag) return (const void *)entry->d_un.d_ptr;
    }
    return NULL;
}

static size_t length(const struct link_map *library, ElfW(Sxword) tag) {
    return (size_t)(uintptr_t)address(library, tag) / sizeof(ElfW(Rela));
}

/* Points every entry that was bound to `name` to `function`; ENOTSUP where there is none. */
static int rebind(const struct link_map *library, const char *name, void *function) {
    const ElfW(Sym) *symbols = address(library, DT_SYMTAB);
    const char *names = address(library, DT_STRTAB);
    const struct {
        const ElfW(Rela) *entries;
        size_t count;
    } tables[] = {
        {address(library, DT_JMPREL), length(library, DT_PLTRELSZ)}, /* calls */
        {address(library, DT_RELA), length(library, DT_RELASZ)},     /* calls without a PLT, and pointers */
    };
    int error = ENOTSUP;
    if (symbols == NULL || names == NULL) return error;
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++) {
        for (size_t index = 0; tables[table].entries != NULL && index < tables[table].count; index++) {
            const ElfW(Rela) *entry = &tables[table].entries[index];
            const size_t symbol = ELF64_R_SYM(entry->r_info);
            if (symbol == 0 || strcmp(names + symbols[symbol].st_name, name) != 0) continue;
            error = point((void **)(library->l_addr + entry->r_offset), function);
            if (error != 0) return error;
        }
    }
    return error;
}

int cunloaded_load_no_modules(void) {
    Dl_info own;
    struct link_map *library;
    if (dladdr1((void *)p11_kit_modules_load, &own, (void **)&library, RTLD_DL_LINKMAP) == 0) return ENOTSUP;
    if (stat(library->l_name, &own_file) != 0) return errno;
    int error = rebind(library, "dlopen", (void *)open_nothing);
    if (error == 0) error = rebind(library, "dlsym", (void *)find);
    if (error == 0) error = rebind(library, "dlclose", (void *)close_nothing);
    return error;
}
