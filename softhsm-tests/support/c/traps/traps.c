// A PKCS#11 module before SoftHSM that does to changes what other providers were seen to do. Each switch is a variable of its
// environment; without any, all calls pass through.
//
//   TRAPS_MODULE=PATH      the module behind it (needed)
//   TRAPS_GENERATE=RV      C_GenerateKeyPair answers this code and makes nothing
//   TRAPS_HALF=RV          it makes the pair, deletes the public key, and answers this code
//   TRAPS_PULLED=1         it makes the pair, and the token is gone: every later call answers CKR_DEVICE_REMOVED
//   TRAPS_HANG=PATH        it makes this file and never returns
//   TRAPS_LOGIN_HANGS=PATH C_Login appends a byte to this file and never returns
//   TRAPS_LOGIN_WAITS=PATH C_Login appends a byte to this file, and waits for one with the same name and .go
//   TRAPS_WEAK=1           it makes a key that can leave the token, whatever the template says
//   TRAPS_PLAIN=1          it takes no CKA_DECRYPT and its like in a template: CKR_ATTRIBUTE_TYPE_INVALID
//   TRAPS_LABEL=1          it gives the key a label of its own (ykcs11)
//   TRAPS_ID=1             it gives the key an id of its own, 7F
//   TRAPS_LOST=1           it makes the pair, deletes the private key, and answers CKR_OK
//   TRAPS_SESSION=1        it makes a key of the session, which is gone with it
//   TRAPS_TWIN=1           another program has made a pair with the same names just before
//   TRAPS_NO_KEYGEN=1      C_GetMechanismList has no mechanism that makes keys
//   TRAPS_DESTROY=certificate|nothing   C_DestroyObject of a private key answers CKR_OK and deletes its certificate (ykcs11
//                          2.2), or nothing
//   TRAPS_DESTROY=broken|pulled   it deletes the key and answers CKR_DEVICE_ERROR, or the token is gone after it
//   TRAPS_STALE=PATH       other processes than the one that made a key never see it until they are initialised anew
//                          (tpm2-pkcs11, ykcs11); what was made is noted in this file
//   TRAPS_PROTECTED=1      C_GetTokenInfo says CKF_WRITE_PROTECTED
//   TRAPS_CREATE_REFUSED=N:RV   the Nth C_CreateObject answers this code and makes nothing
//   TRAPS_CREATE_LEFT=N:RV      it makes the object, and answers this code
//   TRAPS_NO_PRIVATE=RV    C_CreateObject of a private key answers this code
//   TRAPS_NO_CERTIFICATE=RV     C_CreateObject of a certificate answers this code
//   TRAPS_OVERWRITE=1      C_CreateObject of a certificate deletes those with its id first (ykcs11)
//   TRAPS_KEEP_CERTIFICATE=1    C_DestroyObject of a certificate answers CKR_OK and deletes nothing
//   TRAPS_CALLS=PATH       C_GenerateKeyPair and C_DestroyObject append a byte to this file

#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static CK_FUNCTION_LIST functions;
static CK_FUNCTION_LIST_PTR real;
static int is_pulled, is_maker;
static long known;  // bytes of TRAPS_STALE at C_Initialize

static const char *switch_value(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static long size_of(const char *path) {
    struct stat file;
    return path != NULL && stat(path, &file) == 0 ? (long)file.st_size : 0;
}

static void append(const char *path) {
    int file = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file < 0) return;
    if (write(file, "x", 1) != 1) abort();
    close(file);
}

static CK_RV give_list(CK_FUNCTION_LIST_PTR_PTR list) {
    *list = &functions;
    return CKR_OK;
}

static CK_RV initialize(void *arguments) {
    known = size_of(switch_value("TRAPS_STALE"));
    return real->C_Initialize(arguments);
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    if (is_pulled) return CKR_DEVICE_REMOVED;
    CK_RV rv = real->C_GetTokenInfo(slot, info);
    if (rv == CKR_OK && switch_value("TRAPS_PROTECTED")) info->flags |= CKF_WRITE_PROTECTED;
    return rv;
}

static CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, unsigned long *count) {
    CK_RV rv = real->C_GetMechanismList(slot, list, count);
    if (rv != CKR_OK || list == NULL || !switch_value("TRAPS_NO_KEYGEN")) return rv;
    unsigned long kept = 0;
    for (unsigned long i = 0; i < *count; i++)
        if (list[i] != CKM_EC_KEY_PAIR_GEN && list[i] != CKM_RSA_PKCS_KEY_PAIR_GEN) list[kept++] = list[i];
    *count = kept;
    return rv;
}

static CK_ATTRIBUTE *find(CK_ATTRIBUTE *attributes, unsigned long count, CK_ATTRIBUTE_TYPE type) {
    for (unsigned long i = 0; i < count; i++)
        if (attributes[i].type == type) return &attributes[i];
    return NULL;
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, unsigned long publics,
                      CK_ATTRIBUTE *private, unsigned long privates, CK_OBJECT_HANDLE *public_key,
                      CK_OBJECT_HANDLE *private_key) {
    append(switch_value("TRAPS_CALLS"));
    const char *answer = switch_value("TRAPS_GENERATE");
    if (answer != NULL) return strtoul(answer, NULL, 0);
    const char *hang = switch_value("TRAPS_HANG");
    if (hang != NULL) {
        append(hang);
        for (;;) pause();
    }
    if (switch_value("TRAPS_PLAIN") && find(private, privates, CKA_DECRYPT)) return CKR_ATTRIBUTE_TYPE_INVALID;
    static unsigned char yes = 1, no = 0;
    if (switch_value("TRAPS_WEAK")) {
        find(private, privates, CKA_EXTRACTABLE)->pValue = &yes;
        find(private, privates, CKA_SENSITIVE)->pValue = &no;
    }
    if (switch_value("TRAPS_LABEL")) {
        for (int i = 0; i < 2; i++) {
            CK_ATTRIBUTE *label = i ? find(private, privates, CKA_LABEL) : find(public, publics, CKA_LABEL);
            label->pValue = "Private key for PIV Authentication";
            label->ulValueLen = 34;
        }
    }
    if (switch_value("TRAPS_ID")) {
        for (int i = 0; i < 2; i++) {
            CK_ATTRIBUTE *id = i ? find(private, privates, CKA_ID) : find(public, publics, CKA_ID);
            id->pValue = "\x7f";
            id->ulValueLen = 1;
        }
    }
    if (switch_value("TRAPS_SESSION"))
        find(private, privates, CKA_TOKEN)->pValue = find(public, publics, CKA_TOKEN)->pValue = &no;
    if (switch_value("TRAPS_TWIN")) {
        CK_RV twin = real->C_GenerateKeyPair(
            session, mechanism, public, publics, private, privates, public_key, private_key);
        if (twin != CKR_OK) return twin;
    }
    CK_RV rv = real->C_GenerateKeyPair(
        session, mechanism, public, publics, private, privates, public_key, private_key);
    is_maker = 1;
    append(switch_value("TRAPS_STALE"));
    if (switch_value("TRAPS_PULLED")) {
        is_pulled = 1;
        return CKR_DEVICE_REMOVED;
    }
    if (switch_value("TRAPS_LOST")) return real->C_DestroyObject(session, *private_key);
    const char *half = switch_value("TRAPS_HALF");
    if (half == NULL) return rv;
    real->C_DestroyObject(session, *public_key);
    return strtoul(half, NULL, 0);
}

static CK_RV log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, unsigned long length) {
    const char *hang = switch_value("TRAPS_LOGIN_HANGS"), *wait = switch_value("TRAPS_LOGIN_WAITS");
    if (wait != NULL) {
        char go[4096];
        snprintf(go, sizeof go, "%s.go", wait);
        append(wait);
        while (access(go, F_OK) != 0) usleep(1000);
    }
    if (hang == NULL) return real->C_Login(session, user, pin, length);
    append(hang);
    for (;;) pause();
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, unsigned long count) {
    return is_pulled ? CKR_DEVICE_REMOVED : real->C_FindObjectsInit(session, attributes, count);
}

static CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, unsigned long most, unsigned long *count) {
    CK_RV rv = real->C_FindObjects(session, found, most, count);
    const char *stale = switch_value("TRAPS_STALE");
    if (rv != CKR_OK || stale == NULL || is_maker || size_of(stale) == known) return rv;
    unsigned long kept = 0;
    for (unsigned long i = 0; i < *count; i++) {
        unsigned char label[64];
        CK_ATTRIBUTE attribute = {CKA_LABEL, label, sizeof label};
        CK_RV got = real->C_GetAttributeValue(session, found[i], &attribute, 1);
        if (got != CKR_OK || attribute.ulValueLen != 4 || memcmp(label, "late", 4) != 0) found[kept++] = found[i];
    }
    *count = kept;
    return rv;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    append(switch_value("TRAPS_CALLS"));
    if (is_pulled) return CKR_DEVICE_REMOVED;
    const char *trap = switch_value("TRAPS_DESTROY");
    CK_OBJECT_CLASS class = 0;
    unsigned char id[64];
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, sizeof id}};
    CK_RV rv = real->C_GetAttributeValue(session, object, wanted, 2);
    if (switch_value("TRAPS_KEEP_CERTIFICATE") && rv == CKR_OK && class == CKO_CERTIFICATE) return CKR_OK;
    if (trap == NULL || rv != CKR_OK || class != CKO_PRIVATE_KEY) return real->C_DestroyObject(session, object);
    if (strcmp(trap, "broken") == 0) return real->C_DestroyObject(session, object) == CKR_OK ? CKR_DEVICE_ERROR : CKR_OK;
    if (strcmp(trap, "pulled") == 0) {
        is_pulled = 1;
        return real->C_DestroyObject(session, object);
    }
    if (strcmp(trap, "certificate") != 0) return CKR_OK;
    class = CKO_CERTIFICATE;
    CK_OBJECT_HANDLE certificate;
    unsigned long count = 0;
    if (real->C_FindObjectsInit(session, wanted, 2) != CKR_OK) abort();
    real->C_FindObjects(session, &certificate, 1, &count);
    real->C_FindObjectsFinal(session);
    return count > 0 ? real->C_DestroyObject(session, certificate) : CKR_OK;
}

static void destroy_certificates(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *id) {
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, *id};
    CK_OBJECT_HANDLE found[16];
    unsigned long count = 0;
    if (real->C_FindObjectsInit(session, wanted, 2) != CKR_OK) abort();
    real->C_FindObjects(session, found, 16, &count);
    real->C_FindObjectsFinal(session);
    while (count > 0) real->C_DestroyObject(session, found[--count]);
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, unsigned long count, CK_OBJECT_HANDLE *object) {
    static unsigned long calls;
    calls++;
    const CK_ATTRIBUTE *class = find(attributes, count, CKA_CLASS);
    const int is_private = class != NULL && *(CK_OBJECT_CLASS *)class->pValue == CKO_PRIVATE_KEY;
    if (class != NULL && *(CK_OBJECT_CLASS *)class->pValue == CKO_CERTIFICATE) {
        const char *no_certificate = switch_value("TRAPS_NO_CERTIFICATE");
        if (no_certificate != NULL) return strtoul(no_certificate, NULL, 0);
        if (switch_value("TRAPS_OVERWRITE")) destroy_certificates(session, find(attributes, count, CKA_ID));
    }
    const char *none = switch_value("TRAPS_NO_PRIVATE");
    if (none != NULL && is_private) return strtoul(none, NULL, 0);
    if (switch_value("TRAPS_PLAIN") && find(attributes, count, CKA_DECRYPT)) return CKR_ATTRIBUTE_TYPE_INVALID;
    const char *refused = switch_value("TRAPS_CREATE_REFUSED"), *left = switch_value("TRAPS_CREATE_LEFT");
    char *rest;
    if (refused != NULL && strtoul(refused, &rest, 10) == calls) return strtoul(rest + 1, NULL, 0);
    CK_RV rv = real->C_CreateObject(session, attributes, count, object);
    if (left != NULL && strtoul(left, &rest, 10) == calls) return strtoul(rest + 1, NULL, 0);
    return rv;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    if (real == NULL) {
        void *library = dlopen(switch_value("TRAPS_MODULE"), RTLD_NOW);
        CK_C_GetFunctionList get = library != NULL ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
        if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
        functions = *real;
        functions.C_GetFunctionList = give_list;
        functions.C_Initialize = initialize;
        functions.C_GetTokenInfo = get_token_info;
        functions.C_GetMechanismList = get_mechanism_list;
        functions.C_GenerateKeyPair = generate;
        functions.C_FindObjectsInit = find_init;
        functions.C_FindObjects = find_next;
        functions.C_DestroyObject = destroy;
        functions.C_Login = log_in;
        functions.C_CreateObject = create;
    }
    return give_list(list);
}
