// Searches and signatures, as the standard has them.

#include "sessions.h"

#include <openssl/evp.h>
#include <string.h>

CK_RV C_GetAttributeValue(
    CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, unsigned long count) {
    BEGIN(C_GetAttributeValue, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    int index;
    if (find_object(session, object, &index) == NULL) return leave(CKR_OBJECT_HANDLE_INVALID);
    for (unsigned long i = 0; i < count; i++) {
        const struct attribute *attribute = attribute_of(&script.objects[index], template[i].type);
        const char *lie = lie_about(F_C_GetAttributeValue, (long)template[i].type);
        unsigned long length = attribute != NULL ? attribute->length : 0;
        const unsigned long room = template[i].ulValueLen;
        if (strcmp(lie, "width") == 0) length = length == 1 ? 8 : length - (length > 0);
        if (strcmp(lie, "empty") == 0) length = 0;
        const bool is_absent = attribute == NULL || strcmp(lie, "absent") == 0;
        const bool is_short = template[i].pValue != NULL && (length > room || strcmp(lie, "grow") == 0);
        template[i].ulValueLen = length;
        if (strcmp(lie, "stop") == 0 && is_absent) return leave(CKR_ATTRIBUTE_TYPE_INVALID);
        if (is_absent || is_short) {
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            answer = is_short && !is_absent ? CKR_BUFFER_TOO_SMALL : CKR_ATTRIBUTE_TYPE_INVALID;
            if (strcmp(lie, "absent") != 0) continue;  // which says CKR_OK all the same
            answer = CKR_OK;
        } else if (template[i].pValue != NULL && length <= attribute->length) {
            memcpy(template[i].pValue, attribute->value, length);
        }
        if (strcmp(lie, "huge") == 0) template[i].ulValueLen = 1UL << 40;
    }
    return leave(answer);
}

static bool matches(const struct object *object, const CK_ATTRIBUTE *template, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) {
        const struct attribute *attribute = attribute_of(object, template[i].type);
        if (attribute == NULL || attribute->length != template[i].ulValueLen
            || memcmp(attribute->value, template[i].pValue, attribute->length) != 0)
            return false;
    }
    return true;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *template, unsigned long count) {
    BEGIN(C_FindObjectsInit, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (session->is_searching) return leave(CKR_OPERATION_ACTIVE);
    session->is_searching = true;
    session->found_count = session->told = 0;
    for (int i = 0; i < script.object_count && session->found_count < FOUND; i++) {
        const struct object *object = &script.objects[i];
        if (object->card != session->card || (object->is_private && !is_logged_in(session))) continue;
        if (matches(object, template, count)) session->found[session->found_count++] = handle_of(i);
    }
    return leave(CKR_OK);
}

CK_RV C_FindObjects(
    CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *objects, unsigned long room, unsigned long *count) {
    BEGIN(C_FindObjects, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (!session->is_searching) return leave(CKR_OPERATION_NOT_INITIALIZED);
    const char *lie = lie_about(F_C_FindObjects, -1);
    if (strcmp(lie, "endless") == 0) session->told = 0;
    for (*count = 0; *count < room && session->told < session->found_count;) {
        objects[(*count)++] = session->found[session->told++];
        if (strcmp(lie, "endless") == 0) session->told = 0;
    }
    if (strcmp(lie, "over") == 0) *count = room + 1;
    return leave(CKR_OK);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
    BEGIN(C_FindObjectsFinal, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (!session->is_searching) return leave(CKR_OPERATION_NOT_INITIALIZED);
    session->is_searching = false;
    return leave(CKR_OK);
}

CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    BEGIN(C_SignInit, {-1, (long)mechanism->mechanism, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (session->is_signing) return leave(CKR_OPERATION_ACTIVE);
    const struct card *card = card_number(session->card);
    int index;
    const struct object *object = find_object(session, key, &index);
    if (object == NULL || object->key == NULL) return leave(CKR_KEY_HANDLE_INVALID);
    if (!card->no_login && !is_logged_in(session)) return leave(CKR_USER_NOT_LOGGED_IN);
    if (object->no_sign) return leave(CKR_KEY_FUNCTION_NOT_PERMITTED);
    const bool is_rsa = EVP_PKEY_is_a(object->key, "RSA");
    const CK_MECHANISM_TYPE type = mechanism->mechanism;
    const bool fits = is_rsa ? type == CKM_RSA_PKCS || type == CKM_SHA256_RSA_PKCS
                             : type == CKM_ECDSA || type == CKM_ECDSA_SHA256;
    if (!fits) return leave(CKR_MECHANISM_INVALID);
    session->is_signing = true;
    session->is_confirmed = false;
    session->key = index;
    session->mechanism = type;
    return leave(CKR_OK);
}

// Whether the touch has come. The script may change meanwhile, and say that it comes now, or take the card away.
static CK_RV await_touch(CK_SESSION_HANDLE handle, struct session **session) {
    for (const long began = milliseconds_now();;) {
        const long waited = milliseconds_now() - began;
        const CK_RV found = find_session(handle, session);
        if (found != CKR_OK) return CKR_DEVICE_REMOVED;
        if ((*session)->key >= script.object_count) return CKR_KEY_HANDLE_INVALID;
        const struct object *object = &script.objects[(*session)->key];
        if (object->touch >= 0 && waited >= object->touch) return CKR_OK;
        if (waited >= object->touch_timeout) return CKR_USER_NOT_LOGGED_IN;  // as OpenSC and ykcs11 have it
        pause_unlocked();
    }
}

CK_RV C_Sign(
    CK_SESSION_HANDLE handle, unsigned char *data, unsigned long length, unsigned char *signature,
    unsigned long *signature_length) {
    BEGIN(C_Sign, {-1, -1, -1, -1, false});
    struct session *session;
    CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (!session->is_signing) return leave(CKR_OPERATION_NOT_INITIALIZED);
    session->is_signing = false;
    const char *lie = lie_about(F_C_Sign, -1);
    if (session->key >= script.object_count) return leave(CKR_KEY_HANDLE_INVALID);
    if (script.objects[session->key].always && !session->is_confirmed) return leave(CKR_USER_NOT_LOGGED_IN);
    found = await_touch(handle, &session);
    if (found != CKR_OK) return leave(found);
    void *key = script.objects[session->key].key;
    const CK_MECHANISM_TYPE mechanism = session->mechanism;
    unsigned long room = *signature_length;
    unlock_state();  // the keys stay as they are
    answer = make_signature(key, mechanism, data, length, signature, signature_length);
    lock_state();
    if (strcmp(lie, "small") == 0 && room < 8192) answer = CKR_BUFFER_TOO_SMALL;
    if (answer == CKR_BUFFER_TOO_SMALL || signature == NULL) session->is_signing = true;
    if (strcmp(lie, "small") == 0) *signature_length = room < 8192 ? 8192 : *signature_length;
    if (strcmp(lie, "over") == 0) *signature_length = room + 1;
    if (strcmp(lie, "huge") == 0) *signature_length = 1UL << 40;
    if (strcmp(lie, "empty") == 0) *signature_length = 0;
    if (strcmp(lie, "odd") == 0) *signature_length -= 1;
    if (strcmp(lie, "wrong") == 0) signature[*signature_length / 2] ^= 1;
    return leave(answer);
}
