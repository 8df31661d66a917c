// What a person does at a token, for shim.c: a file is the finger, another the keypad.
//
//   SHIM_TOUCH=PATH        C_Sign waits until this file is there, as a token waits for a touch
//   SHIM_UNTOUCHED=RV      what C_Sign answers when nobody comes (CKR_USER_NOT_LOGGED_IN where this is not set)
//   SHIM_KEYPAD=PATH       the reader has a keypad: C_Login without a PIN waits for this file and takes the PIN in it and the
//                          file; an empty file is the key that cancels
//   SHIM_PATIENCE=MS       how long both wait (10 seconds)
//   SHIM_GLOBAL_LOCK=1     while one call waits for a person all others wait for it, as in OpenSC
//   SHIM_ALWAYS=1          every key says that it wants its PIN each time (CKA_ALWAYS_AUTHENTICATE)
//   SHIM_CONTEXT=RV        C_Login with CKU_CONTEXT_SPECIFIC answers this code; 0: success, without the token

#include <pthread.h>
#include <time.h>

static pthread_mutex_t global = PTHREAD_MUTEX_INITIALIZER;

static int is_locking(void) { return switch_value("SHIM_GLOBAL_LOCK") != NULL; }

static void enter(void) {
    if (is_locking()) pthread_mutex_lock(&global);
}

static void leave(void) {
    if (is_locking()) pthread_mutex_unlock(&global);
}

// Whether the file came in time.
static int waits_for(const char *path) {
    const char *patience = switch_value("SHIM_PATIENCE");
    long left = patience != NULL ? strtol(patience, NULL, 0) : 10000;
    for (; access(path, F_OK) != 0; left -= 5) {
        if (left <= 0) return 0;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return 1;
}

// CKR_OK where the finger came, or none is wanted.
static CK_RV touched(void) {
    const char *finger = switch_value("SHIM_TOUCH");
    if (finger == NULL || waits_for(finger)) return CKR_OK;
    const char *answer = switch_value("SHIM_UNTOUCHED");
    return answer != NULL ? strtoul(answer, NULL, 0) : CKR_USER_NOT_LOGGED_IN;
}

static CK_RV login_by_keypad(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *keypad) {
    unsigned char pin[64];
    if (!waits_for(keypad)) return CKR_FUNCTION_CANCELED;
    int file = open(keypad, O_RDONLY);
    if (file < 0) abort();
    long length = read(file, pin, sizeof pin);
    close(file);
    unlink(keypad);
    return length > 0 ? real->C_Login(session, user, pin, length) : CKR_FUNCTION_CANCELED;
}

static CK_RV gesture_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, unsigned long length) {
    const char *context = switch_value("SHIM_CONTEXT");
    if (context != NULL && user == CKU_CONTEXT_SPECIFIC) return strtoul(context, NULL, 0);
    const char *keypad = switch_value("SHIM_KEYPAD");
    if (keypad != NULL && pin == NULL) return login_by_keypad(session, user, keypad);
    return real->C_Login(session, user, pin, length);
}
