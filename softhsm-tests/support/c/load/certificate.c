/* Puts any bytes on a token as the value of a certificate, which pkcs11-tool does not: it reads them first.
     certificate MODULE TOKEN PIN FILE LABEL ID      ID is one character */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(CK_RV rv, const char *what) {
    if (rv == CKR_OK) return;
    fprintf(stderr, "certificate: %s: 0x%lx\n", what, rv);
    exit(1);
}

int main(int argc, char **argv) {
    static unsigned char value[1 << 20];
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slots[16], slot = 0;
    CK_ULONG count = 16, found = 0;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    if (argc != 7) return 64;
    FILE *file = fopen(argv[4], "rb");
    void *module = dlopen(argv[1], RTLD_NOW);
    if (file == NULL || module == NULL) return 66;
    size_t length = fread(value, 1, sizeof value, file);
    CK_C_GetFunctionList list = (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
    if (list == NULL) return 66;
    check(list(&p11), "C_GetFunctionList");
    check(p11->C_Initialize(NULL), "C_Initialize");
    check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        check(p11->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if (memcmp(info.label, argv[2], strlen(argv[2])) == 0) slot = slots[i], found = 1;
    }
    if (!found) return 66;
    check(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "C_OpenSession");
    check(p11->C_Login(session, CKU_USER, (unsigned char *)argv[3], strlen(argv[3])), "C_Login");
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    unsigned char empty_name[] = {0x30, 0x00};
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_CERTIFICATE_TYPE, &type, sizeof type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_LABEL, argv[5], strlen(argv[5])},
        {CKA_ID, argv[6], 1},
        {CKA_SUBJECT, empty_name, sizeof empty_name},
        {CKA_VALUE, value, length},
    };
    check(p11->C_CreateObject(session, template, sizeof template / sizeof *template, &object), "C_CreateObject");
    check(p11->C_Finalize(NULL), "C_Finalize");
    return 0;
}
