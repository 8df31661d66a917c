// The C_ functions: slots, sessions, logins, searches and signatures as the standard has them.

#include "mock.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SESSIONS = 256, FOUND = 4096 };

struct session {
    CK_SESSION_HANDLE handle;  // 0 where there is none
    CK_SLOT_ID slot;
    uint32_t card, insertion;
    CK_FLAGS flags;
    bool is_searching, is_signing, is_confirmed;
    int key;
    CK_MECHANISM_TYPE mechanism;
    CK_OBJECT_HANDLE found[FOUND];
    int found_count, told;
};

static struct session sessions[SESSIONS];
static bool is_initialized;
static CK_SESSION_HANDLE last_handle;

// Logins of this process, by card.
static struct {
    bool is_on;
    uint32_t insertion;
    unsigned long reset, generation;
} logins[CARDS];

#define BEGIN(function, ...)                                                        \
    CK_RV answer = CKR_OK;                                                           \
    if (enter(F_##function, (struct subject)__VA_ARGS__, &answer)) return leave(answer); \
    if (!is_initialized) return leave(CKR_CRYPTOKI_NOT_INITIALIZED)

static void pad(CK_UTF8CHAR *field, size_t size, const char *text) {
    memset(field, ' ', size);
    memcpy(field, text, strnlen(text, size));
}

static bool is_logged_in(const struct session *session) {
    const struct card *card = card_number(session->card);
    if (card == NULL) return false;
    typeof(logins[0]) *login = &logins[card->number % CARDS];
    if (login->is_on && (login->insertion != session->insertion || login->reset != card->reset)) {
        login->is_on = false;
        login->generation++;
    }
    return login->is_on;
}

// The session of a handle. One whose card has left is gone, unless the card is of the kind whose sessions stay.
static CK_RV find_session(CK_SESSION_HANDLE handle, struct session **found) {
    for (int i = 0; i < SESSIONS; i++) {
        struct session *session = &sessions[i];
        if (handle == 0 || session->handle != handle) continue;
        const struct slot *slot = slot_number(session->slot);
        const struct card *card = slot != NULL && !slot->is_empty ? card_number(slot->card) : NULL;
        if (card != NULL && slot->card == session->card && slot->insertion == session->insertion) {
            *found = session;
            return CKR_OK;
        }
        if (card != NULL && card->keeps_sessions) {
            session->card = card->number;
            session->insertion = slot->insertion;
            *found = session;
            return CKR_OK;
        }
        session->handle = 0;
        return card == NULL ? CKR_DEVICE_REMOVED : CKR_SESSION_HANDLE_INVALID;
    }
    return CKR_SESSION_HANDLE_INVALID;
}

// Private objects get new handles with each login.
static CK_OBJECT_HANDLE handle_of(int index) {
    const struct object *object = &script.objects[index];
    const unsigned long generation = object->is_private ? logins[object->card % CARDS].generation : 0;
    return (generation << 20) + (CK_OBJECT_HANDLE)index + 1;
}

static struct object *find_object(const struct session *session, CK_OBJECT_HANDLE handle, int *number) {
    const int index = (int)(handle & 0xFFFFF) - 1;
    if (index < 0 || index >= script.object_count || handle_of(index) != handle) return NULL;
    struct object *object = &script.objects[index];
    if (object->card != session->card || (object->is_private && !is_logged_in(session))) return NULL;
    *number = index;
    return object;
}

CK_RV C_Initialize(void *arguments) {
    struct subject subject = NOTHING;
    subject.has_arguments = arguments != NULL;
    CK_RV answer;
    if (enter(F_C_Initialize, subject, &answer)) return leave(answer);
    if (is_initialized) return leave(CKR_CRYPTOKI_ALREADY_INITIALIZED);
    is_initialized = true;
    return leave(CKR_OK);
}

CK_RV C_Finalize(void *reserved) {
    (void)reserved;
    BEGIN(C_Finalize, {-1, -1, -1, -1, false});
    is_initialized = false;
    memset(sessions, 0, sizeof sessions);
    memset(logins, 0, sizeof logins);
    return leave(CKR_OK);
}

CK_RV C_GetInfo(CK_INFO *info) {
    BEGIN(C_GetInfo, {-1, -1, -1, -1, false});
    *info = (CK_INFO){.cryptokiVersion = {2, 40}, .libraryVersion = {1, 0}};
    pad(info->manufacturerID, sizeof info->manufacturerID, "Tokenward");
    pad(info->libraryDescription, sizeof info->libraryDescription, "Mock");
    return leave(CKR_OK);
}

CK_RV C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, unsigned long *count) {
    BEGIN(C_GetSlotList, {-1, -1, -1, -1, false});
    const char *lie = lie_about(F_C_GetSlotList, -1);
    unsigned long room = *count, found = 0;
    for (int i = 0; i < script.slot_count; i++) {
        if (present && script.slots[i].is_empty) continue;
        if (slots != NULL && found < room) slots[found] = script.slots[i].id;
        found++;
    }
    *count = found;
    if (strcmp(lie, "huge") == 0) *count = 1UL << 40;
    if (strcmp(lie, "over") == 0 && slots != NULL) *count = room + 1;
    const bool grows = strcmp(lie, "grow") == 0;
    return leave(slots != NULL && (found > room || grows) ? CKR_BUFFER_TOO_SMALL : CKR_OK);
}

CK_RV C_GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO *info) {
    BEGIN(C_GetSlotInfo, {-1, -1, -1, -1, false});
    const struct slot *slot = slot_number(id);
    if (slot == NULL) return leave(CKR_SLOT_ID_INVALID);
    *info = (CK_SLOT_INFO){.flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT | (slot->is_empty ? 0 : CKF_TOKEN_PRESENT)};
    pad(info->slotDescription, sizeof info->slotDescription, "Mock reader");
    pad(info->manufacturerID, sizeof info->manufacturerID, "Tokenward");
    return leave(CKR_OK);
}

static CK_FLAGS flags_of(const struct card *card) {
    CK_FLAGS flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED | card->flags;
    if (card->uninitialized) flags &= ~(CK_FLAGS)CKF_TOKEN_INITIALIZED;
    if (card->no_login) flags &= ~(CK_FLAGS)CKF_LOGIN_REQUIRED;
    if (card->has_pinpad) flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    const uint64_t wrong = shared->tries[card->number % CARDS];
    if (!card->no_counter) {
        if (wrong > 0) flags |= CKF_USER_PIN_COUNT_LOW;
        if (wrong + 1 == card->tries) flags |= CKF_USER_PIN_FINAL_TRY;
        if (wrong >= card->tries) flags |= CKF_USER_PIN_LOCKED;
    }
    return flags & ~card->hidden;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO *info) {
    BEGIN(C_GetTokenInfo, {-1, -1, -1, -1, false});
    const struct slot *slot = slot_number(id);
    if (slot == NULL) return leave(CKR_SLOT_ID_INVALID);
    const struct card *card = slot->is_empty ? NULL : card_number(slot->card);
    if (card == NULL) return leave(CKR_TOKEN_NOT_PRESENT);
    *info = (CK_TOKEN_INFO){
        .flags = flags_of(card), .ulMinPinLen = card->shortest, .ulMaxPinLen = card->longest,
        .ulMaxSessionCount = card->sessions};
    pad(info->label, sizeof info->label, card->label);
    pad(info->manufacturerID, sizeof info->manufacturerID, card->manufacturer);
    pad(info->model, sizeof info->model, card->model);
    pad(info->serialNumber, sizeof info->serialNumber, card->serial);
    return leave(CKR_OK);
}

CK_RV C_OpenSession(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *handle) {
    (void)application;
    (void)notify;
    const long way = flags & CKF_RW_SESSION ? 1 : 0;
    BEGIN(C_OpenSession, {-1, -1, -1, way, false});
    const struct slot *slot = slot_number(id);
    if (slot == NULL) return leave(CKR_SLOT_ID_INVALID);
    const struct card *card = slot->is_empty ? NULL : card_number(slot->card);
    if (card == NULL) return leave(CKR_TOKEN_NOT_PRESENT);
    if (card->refuse_ro != 0 && !(flags & CKF_RW_SESSION)) return leave(card->refuse_ro);
    unsigned long open = 0;
    struct session *place = NULL;
    for (int i = 0; i < SESSIONS; i++) {
        open += sessions[i].handle != 0 && sessions[i].card == card->number;
        if (sessions[i].handle == 0) place = &sessions[i];
    }
    if (open >= card->sessions || place == NULL) return leave(CKR_SESSION_COUNT);
    place->handle = ++last_handle;
    place->slot = id;
    place->card = card->number;
    place->insertion = slot->insertion;
    place->flags = flags;
    place->is_searching = place->is_signing = false;
    *handle = place->handle;
    return leave(CKR_OK);
}

static void log_out(uint32_t card) {
    logins[card % CARDS].is_on = false;
    logins[card % CARDS].generation++;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
    BEGIN(C_CloseSession, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    session->handle = 0;
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].handle != 0 && sessions[i].card == session->card) return leave(CKR_OK);
    log_out(session->card);  // the last one
    return leave(CKR_OK);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID id) {
    BEGIN(C_CloseAllSessions, {-1, -1, -1, -1, false});
    for (int i = 0; i < SESSIONS; i++) {
        if (sessions[i].handle == 0 || sessions[i].slot != id) continue;
        log_out(sessions[i].card);
        sessions[i].handle = 0;
    }
    return leave(CKR_OK);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info) {
    BEGIN(C_GetSessionInfo, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    const bool writes = session->flags & CKF_RW_SESSION;
    *info = (CK_SESSION_INFO){.slotID = session->slot, .flags = session->flags};
    info->state = is_logged_in(session) ? (writes ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS)
                                        : (writes ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION);
    return leave(CKR_OK);
}

static CK_RV judge(const struct card *card, const unsigned char *pin, unsigned long length) {
    uint64_t *wrong = &shared->tries[card->number % CARDS];
    if (*wrong >= card->tries) return CKR_PIN_LOCKED;
    if (length == strlen(card->pin) && memcmp(pin, card->pin, length) == 0) {
        *wrong = 0;
        return CKR_OK;
    }
    return ++*wrong >= card->tries ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

// What a person does at the reader's own keys.
static CK_RV ask_pinpad(const struct card *card) {
    if (strcmp(card->pinpad, "wrong") == 0) return judge(card, (const unsigned char *)"", 0);
    if (strcmp(card->pinpad, "cancel") == 0) return CKR_FUNCTION_CANCELED;
    return judge(card, (const unsigned char *)card->pin, strlen(card->pin));
}

static CK_RV log_in(struct session *session, CK_USER_TYPE user, const unsigned char *pin, unsigned long length) {
    const struct card *card = card_number(session->card);
    if (user == CKU_CONTEXT_SPECIFIC && !session->is_signing) return CKR_OPERATION_NOT_INITIALIZED;
    if (user == CKU_SO) return CKR_USER_TYPE_INVALID;
    if (user == CKU_USER && is_logged_in(session)) return CKR_USER_ALREADY_LOGGED_IN;
    if (pin == NULL && !card->has_pinpad) return CKR_ARGUMENTS_BAD;
    const CK_RV judged = pin == NULL ? ask_pinpad(card) : judge(card, pin, length);
    if (judged != CKR_OK) return judged;
    if (user == CKU_CONTEXT_SPECIFIC) {
        session->is_confirmed = true;
        return CKR_OK;
    }
    typeof(logins[0]) *login = &logins[card->number % CARDS];
    *login = (typeof(logins[0])){true, session->insertion, card->reset, login->generation + 1};
    return CKR_OK;
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, unsigned long length) {
    CK_RV answer;
    const bool is_decided = enter(F_C_Login, (struct subject){(long)user, -1, -1, -1, false}, &answer);
    struct session *session = NULL;
    const CK_RV found = find_session(handle, &session);
    if (!is_decided) {
        answer = !is_initialized ? CKR_CRYPTOKI_NOT_INITIALIZED
            : found != CKR_OK    ? found
                                 : log_in(session, user, pin, length);
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    answer = leave(answer);
    const uint64_t place = __atomic_fetch_add(&shared->logins, 1, __ATOMIC_SEQ_CST);
    shared->log[place % LOGINS] = (struct login){
        .process = (uint32_t)getpid(), .card = session != NULL ? session->card : 0, .user = (uint32_t)user,
        .pin_length = pin != NULL ? (uint32_t)length : UINT32_MAX, .answer = answer,
        .milliseconds = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000};
    return answer;
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
    BEGIN(C_Logout, {-1, -1, -1, -1, false});
    struct session *session;
    const CK_RV found = find_session(handle, &session);
    if (found != CKR_OK) return leave(found);
    if (!is_logged_in(session)) return leave(CKR_USER_NOT_LOGGED_IN);
    log_out(session->card);
    return leave(CKR_OK);
}

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
    for (long waited = 0;; waited += 5) {
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

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    static CK_FUNCTION_LIST functions;
    functions.version = (CK_VERSION){2, 40};
#define UNSUPPORTED(name) *(void **)&functions.name = (void *)unsupported;
    FUNCTIONS(UNSUPPORTED)
#define SUPPORTED(name) functions.name = name;
    SUPPORTED(C_Initialize) SUPPORTED(C_Finalize) SUPPORTED(C_GetInfo) SUPPORTED(C_GetFunctionList)
    SUPPORTED(C_GetSlotList) SUPPORTED(C_GetSlotInfo) SUPPORTED(C_GetTokenInfo) SUPPORTED(C_OpenSession)
    SUPPORTED(C_CloseSession) SUPPORTED(C_CloseAllSessions) SUPPORTED(C_GetSessionInfo) SUPPORTED(C_Login)
    SUPPORTED(C_Logout) SUPPORTED(C_GetAttributeValue) SUPPORTED(C_FindObjectsInit) SUPPORTED(C_FindObjects)
    SUPPORTED(C_FindObjectsFinal) SUPPORTED(C_SignInit) SUPPORTED(C_Sign)
    *list = &functions;
    return CKR_OK;
}
