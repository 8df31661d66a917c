// Sessions and logins, as the standard has them.

#include "sessions.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static struct session sessions[SESSIONS];
static CK_SESSION_HANDLE last_handle;

// Logins of this process, by card.
static struct {
    bool is_on;
    uint32_t insertion;
    unsigned long reset, generation;
} logins[CARDS];

void forget_sessions(void) {
    memset(sessions, 0, sizeof sessions);
    memset(logins, 0, sizeof logins);
}

bool is_logged_in(const struct session *session) {
    const struct card *card = card_number(session->card);
    if (card == NULL) return false;
    typeof(logins[0]) *login = &logins[card->number % CARDS];
    if (login->is_on && (login->insertion != session->insertion || login->reset != card->reset)) {
        login->is_on = false;
        login->generation++;
    }
    return login->is_on;
}

CK_RV find_session(CK_SESSION_HANDLE handle, struct session **found) {
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
CK_OBJECT_HANDLE handle_of(int index) {
    const struct object *object = &script.objects[index];
    const unsigned long generation = object->is_private ? logins[object->card % CARDS].generation : 0;
    return (generation << 20) + (CK_OBJECT_HANDLE)index + 1;
}

struct object *find_object(const struct session *session, CK_OBJECT_HANDLE handle, int *number) {
    const int index = (int)(handle & 0xFFFFF) - 1;
    if (index < 0 || index >= script.object_count || handle_of(index) != handle) return NULL;
    struct object *object = &script.objects[index];
    if (object->card != session->card || (object->is_private && !is_logged_in(session))) return NULL;
    *number = index;
    return object;
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
