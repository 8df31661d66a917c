// A session of the mock's, and how the C_ functions begin.

#ifndef SESSIONS_H
#define SESSIONS_H

#include "mock.h"

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

extern bool is_initialized;

#define BEGIN(function, ...)                                                        \
    CK_RV answer = CKR_OK;                                                           \
    if (enter(F_##function, (struct subject)__VA_ARGS__, &answer)) return leave(answer); \
    if (!is_initialized) return leave(CKR_CRYPTOKI_NOT_INITIALIZED)

void forget_sessions(void);
bool is_logged_in(const struct session *session);
// The session of a handle. One whose card has left is gone, unless the card is of the kind whose sessions stay.
CK_RV find_session(CK_SESSION_HANDLE handle, struct session **found);
CK_OBJECT_HANDLE handle_of(int index);
// The object that a session may see under a handle, and its number in the script.
struct object *find_object(const struct session *session, CK_OBJECT_HANDLE handle, int *number);

#endif
