// A provider with keys that have their private halves elsewhere. It knows the public half, as a key of the provider that
// OpenSSL ships, and answers all questions about the key from there.

#include "key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <string.h>
#include <strings.h>

#define NAME "tokenward"
#define PUBLIC_KEY "tokenward-public-key"
#define CONTEXT "tokenward-context"

cclienttls_callbacks cclienttls_registered;

// MARK: Keys

typedef struct {
    EVP_PKEY *public_key;
    void *context;
} token_key;

static void *key_new(void *provider) {
    (void)provider;
    return OPENSSL_zalloc(sizeof(token_key));
}

static void key_free(void *data) {
    token_key *key = data;
    if (key != NULL) EVP_PKEY_free(key->public_key);
    OPENSSL_free(key);
}

static int key_has(const void *data, int selection) {
    (void)selection;
    return data != NULL && ((const token_key *)data)->public_key != NULL;
}

/// The two pointers that `cclienttls_key` hands over.
static int key_import(void *data, int selection, const OSSL_PARAM params[]) {
    (void)selection;
    token_key *key = data;
    const OSSL_PARAM *public_key = OSSL_PARAM_locate_const(params, PUBLIC_KEY);
    const OSSL_PARAM *context = OSSL_PARAM_locate_const(params, CONTEXT);
    if (public_key == NULL || context == NULL || key->public_key != NULL) return 0;
    if (public_key->data_size != sizeof(void *) || context->data_size != sizeof(void *)) return 0;
    EVP_PKEY *value;
    memcpy(&value, public_key->data, sizeof value);
    memcpy(&key->context, context->data, sizeof key->context);
    if (EVP_PKEY_up_ref(value) != 1) return 0;
    key->public_key = value;
    return 1;
}

static const OSSL_PARAM *key_import_types(int selection) {
    (void)selection;
    static const OSSL_PARAM types[] = {
        {PUBLIC_KEY, OSSL_PARAM_OCTET_STRING, NULL, 0, 0}, {CONTEXT, OSSL_PARAM_OCTET_STRING, NULL, 0, 0}, OSSL_PARAM_END};
    return types;
}

/// The public half alone. Without the refusal of the private one, another provider would take the signature on itself.
static int key_export(void *data, int selection, OSSL_CALLBACK *take, void *argument) {
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
    OSSL_PARAM *params = NULL;
    if (EVP_PKEY_todata(((token_key *)data)->public_key, EVP_PKEY_PUBLIC_KEY, &params) != 1) return 0;
    const int is_taken = take(params, argument);
    OSSL_PARAM_free(params);
    return is_taken;
}

static const OSSL_PARAM *key_export_types(int selection) {
    (void)selection;
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0), OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0), OSSL_PARAM_END};
    return types;
}

static int key_get_params(void *data, OSSL_PARAM params[]) {
    return EVP_PKEY_get_params(((token_key *)data)->public_key, params);
}

static const OSSL_PARAM *key_gettable_params(void *provider) {
    (void)provider;
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL), OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL), OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END};
    return params;
}

static const char *rsa_operation(int operation) { return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL; }
static const char *ec_operation(int operation) { return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL; }

typedef void (*function)(void);

#define KEY_FUNCTIONS(operation_name)                                                                                  \
    {OSSL_FUNC_KEYMGMT_NEW, (function)key_new}, {OSSL_FUNC_KEYMGMT_FREE, (function)key_free},                          \
        {OSSL_FUNC_KEYMGMT_HAS, (function)key_has}, {OSSL_FUNC_KEYMGMT_IMPORT, (function)key_import},                  \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (function)key_import_types},                                                  \
        {OSSL_FUNC_KEYMGMT_EXPORT, (function)key_export},                                                              \
        {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (function)key_export_types},                                                  \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (function)key_get_params},                                                      \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (function)key_gettable_params},                                            \
        {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (function)operation_name}, {                                          \
        0, NULL                                                                                                        \
    }

static const OSSL_DISPATCH rsa_keys[] = {KEY_FUNCTIONS(rsa_operation)};
static const OSSL_DISPATCH ec_keys[] = {KEY_FUNCTIONS(ec_operation)};

// MARK: Signatures

typedef struct {
    token_key *key;
    uint8_t hash;
    bool is_pss;
} signature;

static void *signature_new(void *provider, const char *properties) {
    (void)provider;
    (void)properties;
    return OPENSSL_zalloc(sizeof(signature));
}

static void signature_free(void *data) { OPENSSL_free(data); }

/// 0 for a hash that no token is asked for.
static uint8_t hash_number(const char *name) {
    static const char *const names[][2] = {{"SHA2-256", "SHA256"}, {"SHA2-384", "SHA384"}, {"SHA2-512", "SHA512"}};
    for (uint8_t index = 0; name != NULL && index < 3; index++) {
        if (strcasecmp(name, names[index][0]) == 0 || strcasecmp(name, names[index][1]) == 0) return index + 1;
    }
    return 0;
}

static int signature_set_params(void *data, const OSSL_PARAM params[]) {
    signature *signature = data;
    const OSSL_PARAM *padding = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (padding != NULL) {
        int number = 0;
        if (padding->data_type == OSSL_PARAM_UTF8_STRING) {
            number = strcmp(padding->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0 ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
        } else if (OSSL_PARAM_get_int(padding, &number) != 1) {
            return 0;
        }
        if (number != RSA_PKCS1_PSS_PADDING && number != RSA_PKCS1_PADDING) return 0;
        signature->is_pss = number == RSA_PKCS1_PSS_PADDING;
    }
    const OSSL_PARAM *salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (salt == NULL) return 1;
    int length = 0;  // as long as the hash, which is all that TLS knows (RFC 8446 §4.2.3)
    if (salt->data_type == OSSL_PARAM_UTF8_STRING) {
        return strcmp(salt->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0 || strcmp(salt->data, "-1") == 0;
    }
    return OSSL_PARAM_get_int(salt, &length) == 1 && length == RSA_PSS_SALTLEN_DIGEST;
}

static const OSSL_PARAM *signature_settable_params(void *data, void *provider) {
    (void)data;
    (void)provider;
    static const OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0), OSSL_PARAM_END};
    return params;
}

static int signature_begin(void *data, const char *hash, void *key, const OSSL_PARAM params[]) {
    signature *signature = data;
    signature->key = key;
    signature->hash = hash_number(hash);
    return key != NULL && signature->hash != 0 && (params == NULL || signature_set_params(data, params));
}

/// Called once without a place for the signature, for its size, and once with it. The message is whole, not hashed.
static int signature_make(
    void *data, unsigned char *place, size_t *length, size_t capacity, const unsigned char *message, size_t size) {
    signature *signature = data;
    const EVP_PKEY *public_key = signature->key->public_key;
    const size_t most = (size_t)EVP_PKEY_get_size(public_key);
    if (place == NULL) {
        *length = most;
        return 1;
    }
    const bool is_rsa = EVP_PKEY_is_a(public_key, "RSA");
    const cclienttls_signature wanted = {
        .algorithm = !is_rsa ? 1 : signature->is_pss ? 3 : 2, .hash = signature->hash, .message = message, .length = size};
    if (capacity > most) capacity = most;
    const size_t count = cclienttls_registered.sign(signature->key->context, &wanted, place, capacity);
    if (count == 0 || count > capacity) return 0;
    *length = count;
    return 1;
}

static const OSSL_DISPATCH signatures[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (function)signature_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (function)signature_free},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (function)signature_begin},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (function)signature_make},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (function)signature_set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (function)signature_settable_params},
    {0, NULL},
};

// MARK: The provider

#define PROPERTY "provider=" NAME

// The names must be OpenSSL's: libssl looks for a certificate's key type by them.
static const OSSL_ALGORITHM key_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTY, rsa_keys, NULL},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTY, ec_keys, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signature_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTY, signatures, NULL},
    {"ECDSA", PROPERTY, signatures, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_cache) {
    (void)provider;
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT) return key_algorithms;
    return operation == OSSL_OP_SIGNATURE ? signature_algorithms : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (function)provider_query},
    {0, NULL},
};

static int provider_begin(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context) {
    (void)handle;
    (void)core;
    *functions = provider_functions;
    *context = (void *)provider_functions;  // NULL would be taken for a failure
    return 1;
}

/// Whether OpenSSL finds the provider's keys: default_properties of openssl.cnf may rule them out.
static bool is_found(const char *type) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTY);
    const bool is_usable = context != NULL && EVP_PKEY_fromdata_init(context) == 1;
    EVP_PKEY_CTX_free(context);
    return is_usable;
}

bool cclienttls_load(cclienttls_callbacks callbacks) {
    cclienttls_registered = callbacks;
    // OpenSSL's own first: what is asked for by name alone, such as key generation, goes to the provider that was there
    // first, and the first that is loaded by hand keeps the others from being loaded. Where openssl.cnf chooses others, as
    // a FIPS set-up does, they are there already, and it stays out.
    if (OSSL_PROVIDER_available(NULL, "default") == 1 && OSSL_PROVIDER_load(NULL, "default") == NULL) return false;
    if (OSSL_PROVIDER_add_builtin(NULL, NAME, provider_begin) != 1 || OSSL_PROVIDER_load(NULL, NAME) == NULL) return false;
    return is_found("RSA") && is_found("EC");
}

EVP_PKEY *cclienttls_key(EVP_PKEY *public_key, void *context) {
    const char *type = EVP_PKEY_is_a(public_key, "RSA") ? "RSA" : EVP_PKEY_is_a(public_key, "EC") ? "EC" : NULL;
    EVP_PKEY_CTX *making = type == NULL ? NULL : EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTY);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(PUBLIC_KEY, &public_key, sizeof public_key),
        OSSL_PARAM_construct_octet_string(CONTEXT, &context, sizeof context), OSSL_PARAM_construct_end()};
    if (making != NULL && EVP_PKEY_fromdata_init(making) == 1) EVP_PKEY_fromdata(making, &key, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(making);
    return key;
}
