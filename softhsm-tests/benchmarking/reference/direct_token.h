/* One token by way of its module alone, without p11-kit and without care: for measuring. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

struct direct_token {
    CK_FUNCTION_LIST *functions;
    CK_SLOT_ID slot;
    CK_KEY_TYPE key_type;
};

static inline double direct_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void direct_check(CK_RV rv, const char *function) {
    if (rv == CKR_OK) return;
    fprintf(stderr, "%s: %#lx\n", function, rv);
    exit(1);
}

/* Loads and initialises the module, and takes its first token. */
static inline void direct_load(struct direct_token *token, const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
    if (get == NULL) {
        fprintf(stderr, "%s: %s\n", path, dlerror());
        exit(1);
    }
    direct_check(get(&token->functions), "C_GetFunctionList");
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    direct_check(token->functions->C_Initialize(&arguments), "C_Initialize");
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;
    direct_check(token->functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    token->slot = slots[0];
}

static inline CK_SESSION_HANDLE direct_open(struct direct_token *token) {
    CK_SESSION_HANDLE session;
    direct_check(token->functions->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    return session;
}

static inline void direct_log_in(struct direct_token *token, CK_SESSION_HANDLE session, const char *pin) {
    direct_check(token->functions->C_Login(session, CKU_USER, (unsigned char *)pin, strlen(pin)), "C_Login");
}

/* The first object of a class; notes the type of a key. */
static inline CK_OBJECT_HANDLE direct_find(struct direct_token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class) {
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE object;
    CK_ULONG count = 0;
    direct_check(token->functions->C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
    direct_check(token->functions->C_FindObjects(session, &object, 1, &count), "C_FindObjects");
    direct_check(token->functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    if (count == 0) direct_check(CKR_OBJECT_HANDLE_INVALID, "C_FindObjects");
    CK_KEY_TYPE type = 0;
    CK_ATTRIBUTE key_type = {CKA_KEY_TYPE, &type, sizeof type};
    if (class == CKO_PRIVATE_KEY) {
        direct_check(token->functions->C_GetAttributeValue(session, object, &key_type, 1), "C_GetAttributeValue");
        token->key_type = type;
    }
    return object;
}

/* Signs 32 bytes: a hash for ECDSA, a message for RSA. */
static inline void direct_sign_bytes(
    struct direct_token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, unsigned char *message, CK_ULONG count,
    unsigned char *signature, CK_ULONG *length) {
    CK_MECHANISM mechanism = {token->key_type == CKK_RSA ? CKM_SHA256_RSA_PKCS : CKM_ECDSA, NULL, 0};
    direct_check(token->functions->C_SignInit(session, &mechanism, key), "C_SignInit");
    direct_check(token->functions->C_Sign(session, message, count, signature, length), "C_Sign");
}

static inline void direct_sign(struct direct_token *token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
    unsigned char message[32] = {1, 2, 3}, signature[1024];
    CK_ULONG length = sizeof signature;
    direct_sign_bytes(token, session, key, message, sizeof message, signature, &length);
}
