// A PKCS#11 module that stands before another one, and calls the agent that has started it, once, in the first
// C_GetSlotList. All calls pass through.
//
//   CALLER_MODULE=PATH    the module behind it
//   CALLER_SOCKET=PATH    the agent's socket
//   CALLER_REQUEST=TEXT   method, path and version of the request
//   CALLER_REPORT=PATH    where the answer goes, and then the line "end"; without it, the process ends after the request

#define _GNU_SOURCE
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static CK_FUNCTION_LIST functions;
static CK_FUNCTION_LIST_PTR real;

static void call(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char bytes[4096];
    ssize_t count;
    strncpy(address.sun_path, getenv("CALLER_SOCKET"), sizeof address.sun_path - 1);
    const int connection = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) return;
    const int length = snprintf(bytes, sizeof bytes,
        "%s\r\nHost: t\r\nConnection: close\r\nTokenward-Person: DISPLAY=:99\r\n\r\n", getenv("CALLER_REQUEST"));
    send(connection, bytes, (size_t)length, MSG_NOSIGNAL);
    const char *path = getenv("CALLER_REPORT");
    if (path == NULL) _exit(0);
    FILE *report = fopen(path, "w");
    if (report == NULL) return;
    while ((count = recv(connection, bytes, sizeof bytes, 0)) > 0) fwrite(bytes, 1, (size_t)count, report);
    fputs("end\n", report);
    fclose(report);
}

static CK_RV get_slot_list(unsigned char present, CK_SLOT_ID *slots, unsigned long *count) {
    static int called;
    if (!called++) call();
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV get_function_list(CK_FUNCTION_LIST_PTR_PTR list) {
    *list = &functions;
    return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    void *library = dlopen(getenv("CALLER_MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = library ? dlsym(library, "C_GetFunctionList") : NULL;
    if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    functions = *real;
    functions.C_GetFunctionList = get_function_list;
    functions.C_GetSlotList = get_slot_list;
    return get_function_list(list);
}
