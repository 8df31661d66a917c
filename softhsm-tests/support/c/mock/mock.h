// A PKCS#11 module whose tokens and whose misbehaviour are written in a script. mock_module.py writes it and tells what
// its lines may say; here each line is a kind and words, `name` or `name=value`, with %XX for what is no plain character.
//
//   MOCK_SCRIPT=PATH   read again whenever it has changed, also in the middle of a call that waits
//   MOCK_STATE=PATH    struct shared: what outlives the process, such as counts and a card's tries

#ifndef MOCK_H
#define MOCK_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdint.h>

#define FUNCTIONS(X)                                                                                              \
    X(C_Initialize) X(C_Finalize) X(C_GetInfo) X(C_GetFunctionList) X(C_GetSlotList) X(C_GetSlotInfo)             \
    X(C_GetTokenInfo) X(C_GetMechanismList) X(C_GetMechanismInfo) X(C_InitToken) X(C_InitPIN) X(C_SetPIN)         \
    X(C_OpenSession) X(C_CloseSession) X(C_CloseAllSessions) X(C_GetSessionInfo) X(C_GetOperationState)           \
    X(C_SetOperationState) X(C_Login) X(C_Logout) X(C_CreateObject) X(C_CopyObject) X(C_DestroyObject)            \
    X(C_GetObjectSize) X(C_GetAttributeValue) X(C_SetAttributeValue) X(C_FindObjectsInit) X(C_FindObjects)        \
    X(C_FindObjectsFinal) X(C_EncryptInit) X(C_Encrypt) X(C_EncryptUpdate) X(C_EncryptFinal) X(C_DecryptInit)     \
    X(C_Decrypt) X(C_DecryptUpdate) X(C_DecryptFinal) X(C_DigestInit) X(C_Digest) X(C_DigestUpdate)               \
    X(C_DigestKey) X(C_DigestFinal) X(C_SignInit) X(C_Sign) X(C_SignUpdate) X(C_SignFinal) X(C_SignRecoverInit)   \
    X(C_SignRecover) X(C_VerifyInit) X(C_Verify) X(C_VerifyUpdate) X(C_VerifyFinal) X(C_VerifyRecoverInit)        \
    X(C_VerifyRecover) X(C_DigestEncryptUpdate) X(C_DecryptDigestUpdate) X(C_SignEncryptUpdate)                   \
    X(C_DecryptVerifyUpdate) X(C_GenerateKey) X(C_GenerateKeyPair) X(C_WrapKey) X(C_UnwrapKey) X(C_DeriveKey)     \
    X(C_SeedRandom) X(C_GenerateRandom) X(C_GetFunctionStatus) X(C_CancelFunction) X(C_WaitForSlotEvent)

enum function {
#define NUMBER(name) F_##name,
    FUNCTIONS(NUMBER)
#undef NUMBER
    FUNCTION_COUNT
};

enum { RULES = 4096, CARDS = 1024, SLOTS = 512, LOGINS = 4096 };

// One C_Login: who called, on which card, and what it was told.
struct login {
    uint32_t process, card, user, pin_length;
    uint64_t answer, milliseconds;
};

// The state file. mock_module.py reads it by this layout.
struct shared {
    uint64_t calls[96];      // by enum function
    uint64_t tries[CARDS];   // wrong PINs in a row, by card
    uint64_t logins;         // entries of the log so far
    uint64_t waiting;        // calls that hang, or wait for a touch, at this moment (a killed one stays)
    struct login log[LOGINS];
    uint64_t fired[RULES];   // by rule
};

struct attribute {
    CK_ATTRIBUTE_TYPE type;
    unsigned char *value;
    unsigned long length;
};

struct object {
    uint32_t card;
    CK_OBJECT_CLASS class;
    bool is_private, always, no_sign;
    long touch, touch_timeout;  // in milliseconds; a touch below 0 never comes
    void *key;                  // EVP_PKEY of a private key
    struct attribute attributes[16];
    int count;
};

struct card {
    uint32_t number;
    char label[33], manufacturer[33], model[17], serial[17], pin[256], pinpad[16];
    unsigned long tries, shortest, longest, flags, hidden, sessions, refuse_ro, reset;
    bool no_login, uninitialized, no_counter, keeps_sessions, has_pinpad;
};

struct slot {
    CK_SLOT_ID id;
    uint32_t card, insertion;
    bool is_empty;
};

// What a call does other than its work.
struct rule {
    enum function function;
    uint32_t number;
    bool has_answer, is_after, hangs, crashes, aborts, overflows, meddles, needs_arguments;
    CK_RV answer;
    long at, next, delay, user, mechanism, card, type, exit, flood, leak, descriptors;
    char lie[16];
};

struct script {
    struct slot slots[SLOTS];
    struct card *cards;
    struct object *objects;
    struct rule *rules;
    int slot_count, card_count, object_count, rule_count;
    bool has_one_lock;  // a call that waits keeps every other call waiting, as in OpenSC
};

extern struct script script;
extern struct shared *shared;

// What a call is about; -1 where that says nothing.
struct subject {
    long user, mechanism, card, type;
    bool has_arguments;
};
#define NOTHING ((struct subject){-1, -1, -1, -1, false})

// Each C_ function begins with `enter`, which reads the script, counts, and misbehaves. When it returns true, `*answer`
// is the call's. The state is locked until `leave`.
bool enter(enum function function, struct subject subject, CK_RV *answer);
CK_RV leave(CK_RV answer);
// Lets others go on for a moment, and reads the script again.
void pause_unlocked(void);
long milliseconds_now(void);
void unlock_state(void);
void lock_state(void);
// The lie to tell at this moment, or "".
const char *lie_about(enum function function, long type);

void read_script(void);
void open_shared(void);
struct card *card_number(uint32_t number);
struct slot *slot_number(CK_SLOT_ID id);

void load_object(struct object *object, const char *path, const char *id, const char *label, const char *point,
                 bool claims_always);
void free_object(struct object *object);
const struct attribute *attribute_of(const struct object *object, CK_ATTRIBUTE_TYPE type);
// Signs as the mechanism says; the answer of C_Sign.
CK_RV make_signature(void *key, CK_MECHANISM_TYPE mechanism, const unsigned char *data, unsigned long length,
                     unsigned char *signature, unsigned long *signature_length);

#endif
