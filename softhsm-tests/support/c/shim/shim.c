// A PKCS#11 module that stands before another one and misbehaves on request. Each switch is a variable of its
// environment; without any, all calls pass through.
//
//   SHIM_MODULE=PATH             the module behind it (needed)
//   SHIM_ONCE=PATH               SHIM_SIGN and SHIM_LOGIN happen only while this file is there, and take it away first
//   SHIM_SIGN=hang|crash|exit    C_Sign never returns, ends with SIGSEGV, or calls exit(3)
//   SHIM_LOGIN=hang|crash|exit   the same for C_Login, after the token has judged the PIN
//   SHIM_LOGINS=PATH             C_Login appends a byte to this file, which outlives a crash
//   SHIM_REFUSE=TYPE,...         C_SignInit answers CKR_MECHANISM_INVALID for these mechanisms (numbers, 0x for hex),
//                                and C_GetMechanismList does not list them
//   SHIM_BOAST=1                 C_GetMechanismList lists them all the same
//   SHIM_WIDTH=TYPE,...          C_GetAttributeValue gives these attributes one byte too few, or a CK_BBOOL eight
//   SHIM_HUGE=TYPE,...           C_GetAttributeValue says that these attributes have 2^40 bytes
//   SHIM_GROW=TYPE,...           these attributes are always longer than the room given for them
//   SHIM_ENDLESS=1               C_FindObjects finds the same object for ever
//   SHIM_FLOOD=BYTES             C_GetSlotList writes this many bytes to standard output
//   SHIM_INITIALIZE=RV           C_Initialize answers this code
//   SHIM_FORGET=1                C_GetTokenInfo hides CKF_USER_PIN_COUNT_LOW, as tokens without counters do
//   SHIM_FLAGS=FLAGS             C_GetTokenInfo adds these flags
//   and those of gestures.h: touch, keypad, and keys that want their PIN each time

#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST functions;
static CK_FUNCTION_LIST_PTR real;

static const char *switch_value(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

// Whether `number` is in the list that the variable holds.
static int lists(const char *name, unsigned long number) {
    const char *text = switch_value(name);
    while (text != NULL && *text != '\0') {
        char *end;
        if (strtoul(text, &end, 0) == number) return 1;
        text = *end == ',' ? end + 1 : NULL;
    }
    return 0;
}

#include "gestures.h"

static CK_RV shim_initialize(void *arguments) {
    const char *answer = switch_value("SHIM_INITIALIZE");
    return answer != NULL ? strtoul(answer, NULL, 0) : real->C_Initialize(arguments);
}

static CK_RV shim_get_function_list(CK_FUNCTION_LIST_PTR_PTR list) {
    *list = &functions;
    return CKR_OK;
}

static CK_RV shim_get_slot_list(unsigned char present, CK_SLOT_ID *slots, unsigned long *count) {
    const char *amount = switch_value("SHIM_FLOOD");
    if (amount != NULL && slots == NULL) {
        char line[1024];
        memset(line, 'x', sizeof line);
        line[sizeof line - 1] = '\n';
        for (unsigned long left = strtoul(amount, NULL, 0); left > 0;) {
            size_t part = left < sizeof line ? left : sizeof line;
            fwrite(line, 1, part, stdout);
            left -= part;
        }
        fflush(stdout);
    }
    enter();
    CK_RV rv = real->C_GetSlotList(present, slots, count);
    leave();
    return rv;
}

static CK_RV shim_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    enter();
    CK_RV rv = real->C_GetTokenInfo(slot, info);
    leave();
    if (rv != CKR_OK) return rv;
    if (switch_value("SHIM_FORGET") != NULL) info->flags &= ~(CK_FLAGS)CKF_USER_PIN_COUNT_LOW;
    const char *flags = switch_value("SHIM_FLAGS");
    if (flags != NULL) info->flags |= strtoul(flags, NULL, 0);
    if (switch_value("SHIM_KEYPAD") != NULL) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return rv;
}

// The length that SHIM_WIDTH makes of one: a CK_BBOOL of one byte gets too many, all else too few.
static unsigned long wrong_width(unsigned long length) { return length == 1 ? 8 : length - 1; }

static CK_RV shim_get_attribute_value(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, unsigned long count) {
    CK_RV rv = CKR_OK;
    for (unsigned long i = 0; i < count; i++) {
        static _Thread_local unsigned char room[65536];
        CK_ATTRIBUTE one = {template[i].type, template[i].pValue != NULL ? room : NULL, sizeof room};
        CK_RV answer = real->C_GetAttributeValue(session, object, &one, 1);
        if (one.type == CKA_ALWAYS_AUTHENTICATE && one.pValue != NULL && switch_value("SHIM_ALWAYS") != NULL) room[0] = CK_TRUE;
        if (answer != CKR_OK) {
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = answer;
            continue;
        }
        if (lists("SHIM_WIDTH", one.type) && one.ulValueLen > 0) one.ulValueLen = wrong_width(one.ulValueLen);
        if (one.pValue != NULL) {
            if (lists("SHIM_GROW", one.type) || one.ulValueLen > template[i].ulValueLen) {
                template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
                rv = CKR_BUFFER_TOO_SMALL;
                continue;
            }
            memcpy(template[i].pValue, room, one.ulValueLen);
        }
        template[i].ulValueLen = lists("SHIM_HUGE", one.type) ? 1UL << 40 : one.ulValueLen;
    }
    return rv;
}

static CK_RV shim_find_objects(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, unsigned long capacity, unsigned long *count) {
    CK_RV rv = real->C_FindObjects(session, objects, capacity, count);
    if (rv != CKR_OK || switch_value("SHIM_ENDLESS") == NULL) return rv;
    CK_OBJECT_HANDLE first = *count > 0 ? objects[0] : 1;
    for (*count = 0; *count < capacity; ++*count) objects[*count] = first;
    return CKR_OK;
}

static CK_RV shim_get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *mechanisms, unsigned long *count) {
    enter();
    CK_RV rv = real->C_GetMechanismList(slot, mechanisms, count);
    leave();
    if (rv != CKR_OK || mechanisms == NULL || switch_value("SHIM_BOAST") != NULL) return rv;
    unsigned long left = 0;
    for (unsigned long i = 0; i < *count; i++) {
        if (!lists("SHIM_REFUSE", mechanisms[i])) mechanisms[left++] = mechanisms[i];
    }
    *count = left;
    return CKR_OK;
}

static CK_RV shim_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    if (lists("SHIM_REFUSE", mechanism->mechanism)) return CKR_MECHANISM_INVALID;
    return real->C_SignInit(session, mechanism, key);
}

static void misbehave(const char *name) {
    const char *fault = switch_value(name);
    const char *once = switch_value("SHIM_ONCE");
    if (fault == NULL || (once != NULL && unlink(once) != 0)) return;
    if (strcmp(fault, "hang") == 0) {
        for (;;) pause();
    }
    if (strcmp(fault, "crash") == 0) *(volatile int *)0 = 0;
    if (strcmp(fault, "exit") == 0) exit(3);
}

static CK_RV shim_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, unsigned long length) {
    const char *logins = switch_value("SHIM_LOGINS");
    if (logins != NULL) {
        int file = open(logins, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (file < 0 || write(file, "L", 1) != 1) abort();
        close(file);
    }
    enter();
    CK_RV rv = gesture_login(session, user, pin, length);
    leave();
    misbehave("SHIM_LOGIN");
    return rv;
}

static CK_RV shim_sign(
    CK_SESSION_HANDLE session, unsigned char *data, unsigned long length, unsigned char *signature,
    unsigned long *signature_length) {
    misbehave("SHIM_SIGN");
    enter();
    CK_RV rv = touched();
    if (rv == CKR_OK) rv = real->C_Sign(session, data, length, signature, signature_length);
    leave();
    return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
    if (real == NULL) {
        const char *path = switch_value("SHIM_MODULE");
        void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (library == NULL) return CKR_GENERAL_ERROR;
        CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR);
        *(void **)&get = dlsym(library, "C_GetFunctionList");
        if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
        functions = *real;
        functions.C_GetFunctionList = shim_get_function_list;
        functions.C_Initialize = shim_initialize;
        functions.C_GetSlotList = shim_get_slot_list;
        functions.C_GetTokenInfo = shim_get_token_info;
        functions.C_GetMechanismList = shim_get_mechanism_list;
        functions.C_GetAttributeValue = shim_get_attribute_value;
        functions.C_FindObjects = shim_find_objects;
        functions.C_Login = shim_login;
        functions.C_SignInit = shim_sign_init;
        functions.C_Sign = shim_sign;
    }
    return shim_get_function_list(list);
}
