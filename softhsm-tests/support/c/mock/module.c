// The module and its slots and tokens, as the standard has them.

#include "sessions.h"

#include <string.h>

bool is_initialized;

static void pad(CK_UTF8CHAR *field, size_t size, const char *text) {
    memset(field, ' ', size);
    memcpy(field, text, strnlen(text, size));
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
    forget_sessions();
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

CK_RV C_GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE *mechanisms, unsigned long *count) {
    BEGIN(C_GetMechanismList, {-1, -1, -1, -1, false});
    static const CK_MECHANISM_TYPE known[] = {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_ECDSA, CKM_ECDSA_SHA256};
    const char *lie = lie_about(F_C_GetMechanismList, -1);
    const unsigned long found = sizeof known / sizeof *known, room = *count;
    *count = found;
    if (strcmp(lie, "huge") == 0) *count = 1UL << 40;
    if (strcmp(lie, "over") == 0 && mechanisms != NULL) *count = room + 1;
    if (mechanisms == NULL) return leave(CKR_OK);
    if (room < found) return leave(CKR_BUFFER_TOO_SMALL);
    memcpy(mechanisms, known, sizeof known);
    return leave(slot_number(id) != NULL ? CKR_OK : CKR_SLOT_ID_INVALID);
}

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    static CK_FUNCTION_LIST functions;
    functions.version = (CK_VERSION){2, 40};
#define UNSUPPORTED(name) *(void **)&functions.name = (void *)unsupported;
    FUNCTIONS(UNSUPPORTED)
#define SUPPORTED(name) functions.name = name;
    SUPPORTED(C_Initialize) SUPPORTED(C_Finalize) SUPPORTED(C_GetInfo) SUPPORTED(C_GetFunctionList)
    SUPPORTED(C_GetSlotList) SUPPORTED(C_GetSlotInfo) SUPPORTED(C_GetTokenInfo) SUPPORTED(C_GetMechanismList)
    SUPPORTED(C_OpenSession) SUPPORTED(C_CloseSession) SUPPORTED(C_CloseAllSessions) SUPPORTED(C_GetSessionInfo)
    SUPPORTED(C_Login) SUPPORTED(C_Logout) SUPPORTED(C_GetAttributeValue) SUPPORTED(C_FindObjectsInit)
    SUPPORTED(C_FindObjects) SUPPORTED(C_FindObjectsFinal) SUPPORTED(C_SignInit) SUPPORTED(C_Sign)
    *list = &functions;
    return CKR_OK;
}
