/* Reads what an agent must know of each object on a module's first token, before its login and after. Prints how long that
   took, with the loading of the module, in milliseconds.
   cc -O2 -o direct_list direct_list.c $(pkg-config --cflags p11-kit-1); direct_list MODULE PIN */
#include "direct_token.h"

static struct direct_token token;
static CK_SESSION_HANDLE session;

static void list(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type) {
    static CK_OBJECT_HANDLE objects[65536];
    static unsigned char value[65536];
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_ULONG count = 0;
    direct_check(token.functions->C_FindObjectsInit(session, &wanted, 1), "C_FindObjectsInit");
    direct_check(token.functions->C_FindObjects(session, objects, 65536, &count), "C_FindObjects");
    direct_check(token.functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    for (CK_ULONG index = 0; index < count; index++) {
        CK_ATTRIBUTE attributes[] = {{CKA_ID, value, 1024}, {CKA_LABEL, value + 1024, 1024}, {type, value + 2048, 32768}};
        direct_check(token.functions->C_GetAttributeValue(session, objects[index], attributes, 3), "C_GetAttributeValue");
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    double start = direct_now();
    direct_load(&token, argv[1]);
    session = direct_open(&token);
    list(CKO_CERTIFICATE, CKA_VALUE);
    list(CKO_PUBLIC_KEY, CKA_EC_POINT);
    direct_log_in(&token, session, argv[2]);
    list(CKO_PRIVATE_KEY, CKA_KEY_TYPE);
    printf("%.3f\n", (direct_now() - start) * 1e3);
    return 0;
}
