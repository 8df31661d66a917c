// Writes certificate objects, many in one go, whose values nobody looks at: pkcs11-tool refuses what it cannot parse.
// Arguments: module, token label, PIN, and then for each certificate: label, CKA_ID as a number, file with the value.
// With PRIVATE in the environment they are seen after a login only.

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call)                                          \
    do {                                                     \
        CK_RV rv = (call);                                   \
        if (rv != CKR_OK) {                                  \
            fprintf(stderr, "%s answered 0x%lx\n", #call, rv); \
            return 1;                                        \
        }                                                    \
    } while (0)

static CK_FUNCTION_LIST_PTR p11;

// Finds the slot of the token with this label.
static int find_slot(const char *label, CK_SLOT_ID *slot) {
    CK_SLOT_ID slots[64];
    unsigned long count = 64;
    CHECK(p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (unsigned long i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        CHECK(p11->C_GetTokenInfo(slots[i], &info));
        size_t length = strlen(label);
        if (memcmp(info.label, label, length) == 0 && (length == 32 || info.label[length] == ' ')) {
            *slot = slots[i];
            return 0;
        }
    }
    fprintf(stderr, "no token %s\n", label);
    return 1;
}

static int write_certificate(CK_SESSION_HANDLE session, char *label, const char *number, const char *path) {
    static unsigned char value[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t length = fread(value, 1, sizeof value, file);
    fclose(file);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    unsigned char yes = CK_TRUE, private = getenv("PRIVATE") != NULL, id = (unsigned char)strtoul(number, NULL, 0);
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_CERTIFICATE_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, 1},
        {CKA_PRIVATE, &private, 1},
        {CKA_LABEL, label, strlen(label)},
        {CKA_ID, &id, 1},
        {CKA_SUBJECT, "0\0", 2},
        {CKA_VALUE, value, length},
    };
    CK_OBJECT_HANDLE object;
    CHECK(p11->C_CreateObject(session, template, sizeof template / sizeof *template, &object));
    return 0;
}

int main(int count, char **arguments) {
    if (count < 4 || (count - 4) % 3 != 0) return 64;
    void *library = dlopen(arguments[1], RTLD_NOW);
    CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR) = NULL;
    if (library != NULL) *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL) return 66;
    CHECK(get(&p11));
    CHECK(p11->C_Initialize(NULL));
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    if (find_slot(arguments[2], &slot) != 0) return 1;
    CHECK(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
    CHECK(p11->C_Login(session, CKU_USER, (unsigned char *)arguments[3], strlen(arguments[3])));
    for (int i = 4; i < count; i += 3) {
        if (write_certificate(session, arguments[i], arguments[i + 1], arguments[i + 2]) != 0) return 1;
    }
    CHECK(p11->C_Finalize(NULL));
    return 0;
}
