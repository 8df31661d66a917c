// Objects and their attributes, and the signatures of their keys by libcrypto.

#include "mock.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct object *object, CK_ATTRIBUTE_TYPE type, const void *value, size_t length) {
    struct attribute *attribute = &object->attributes[object->count++];
    attribute->type = type;
    attribute->length = length;
    attribute->value = malloc(length + 1);
    if (length > 0) memcpy(attribute->value, value, length);
}

static void add_flag(struct object *object, CK_ATTRIBUTE_TYPE type, bool value) {
    const CK_BBOOL flag = value;
    add(object, type, &flag, sizeof flag);
}

static void add_number(struct object *object, CK_ATTRIBUTE_TYPE type, BIGNUM *value) {
    if (value == NULL) return;
    unsigned char bytes[1024];
    add(object, type, bytes, (size_t)BN_bn2bin(value, bytes));
    BN_free(value);
}

static void add_rsa(struct object *object, EVP_PKEY *key) {
    BIGNUM *modulus = NULL, *exponent = NULL;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus);
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
    add_number(object, CKA_MODULUS, modulus);
    add_number(object, CKA_PUBLIC_EXPONENT, exponent);
}

static void add_ec(struct object *object, EVP_PKEY *key, bool shows_point, bool is_bare) {
    char name[64];
    size_t length = 0;
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &length);
    unsigned char *curve = NULL;
    const int curve_length = i2d_ASN1_OBJECT(OBJ_txt2obj(name, 0), &curve);
    if (curve_length > 0) add(object, CKA_EC_PARAMS, curve, (size_t)curve_length);
    OPENSSL_free(curve);
    unsigned char point[160], wrapped[163];  // the point bare, which some modules show, and in DER
    if (!shows_point || !EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length)) return;
    if (is_bare) {
        add(object, CKA_EC_POINT, point, length);
        return;
    }
    size_t head = 0;
    wrapped[head++] = 0x04;  // an OCTET STRING
    if (length > 127) wrapped[head++] = 0x81;
    wrapped[head++] = (unsigned char)length;
    memcpy(wrapped + head, point, length);
    add(object, CKA_EC_POINT, wrapped, head + length);
}

static void load_certificate(struct object *object, FILE *file) {
    static unsigned char value[1 << 20];
    const CK_CERTIFICATE_TYPE type = CKC_X_509;
    add(object, CKA_CERTIFICATE_TYPE, &type, sizeof type);
    add(object, CKA_VALUE, value, fread(value, 1, sizeof value, file));
}

// Keys by their files: reading one takes longer than a test of a call.
static EVP_PKEY *key_in(const char *path, FILE *file) {
    enum { most = 4096 };
    static struct { char path[512]; EVP_PKEY *key; } known[most];
    for (int i = 0; i < most; i++) {
        if (*known[i].path == '\0') {
            snprintf(known[i].path, sizeof known[i].path, "%s", path);
            return known[i].key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        }
        if (strcmp(known[i].path, path) == 0) return known[i].key;
    }
    return NULL;
}

void load_object(struct object *object, const char *path, const char *id, const char *label, const char *point,
                 bool claims_always) {
    unsigned char bytes[64];
    size_t length = 0;
    for (unsigned byte; length < sizeof bytes && sscanf(id + 2 * length, "%2x", &byte) == 1;) bytes[length++] = (unsigned char)byte;
    add(object, CKA_CLASS, &object->class, sizeof object->class);
    add(object, CKA_ID, bytes, length);
    add(object, CKA_LABEL, label, strlen(label));
    add_flag(object, CKA_TOKEN, true);
    add_flag(object, CKA_PRIVATE, object->is_private);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (object->class == CKO_CERTIFICATE) load_certificate(object, file);
    EVP_PKEY *key = object->class != CKO_CERTIFICATE ? key_in(path, file) : NULL;
    fclose(file);
    if (key == NULL) return;
    const CK_KEY_TYPE type = EVP_PKEY_is_a(key, "RSA") ? CKK_RSA : CKK_EC;
    add(object, CKA_KEY_TYPE, &type, sizeof type);
    if (type == CKK_RSA) add_rsa(object, key);
    else add_ec(object, key, point != NULL || object->class == CKO_PUBLIC_KEY, point != NULL && strcmp(point, "bare") == 0);
    if (object->class != CKO_PRIVATE_KEY) return;
    add_flag(object, CKA_SIGN, !object->no_sign);
    add_flag(object, CKA_ALWAYS_AUTHENTICATE, claims_always);
    object->key = key;
}

void free_object(struct object *object) {
    for (int i = 0; i < object->count; i++) free(object->attributes[i].value);
}

const struct attribute *attribute_of(const struct object *object, CK_ATTRIBUTE_TYPE type) {
    for (int i = 0; i < object->count; i++)
        if (object->attributes[i].type == type) return &object->attributes[i];
    return NULL;
}

// r and s of DER's ECDSA-Sig-Value, each as long as the group's order.
static size_t raw_halves(EVP_PKEY *key, const unsigned char *der, size_t length, unsigned char *raw) {
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    if (pair == NULL) return 0;
    const int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + half, half);
    ECDSA_SIG_free(pair);
    return 2 * (size_t)half;
}

CK_RV make_signature(void *key, CK_MECHANISM_TYPE mechanism, const unsigned char *data, unsigned long length,
                     unsigned char *signature, unsigned long *signature_length) {
    const bool hashes = mechanism == CKM_SHA256_RSA_PKCS || mechanism == CKM_ECDSA_SHA256;
    unsigned char hash[32], made[1024];
    if (hashes) {
        if (!EVP_Digest(data, length, hash, NULL, EVP_sha256(), NULL)) return CKR_GENERAL_ERROR;
        data = hash;
        length = sizeof hash;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t made_length = sizeof made;
    bool is_made = EVP_PKEY_sign_init(context) > 0;
    if (is_made && EVP_PKEY_is_a(key, "RSA")) {
        is_made = EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
        if (is_made && hashes) is_made = EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0;
    }
    is_made = is_made && EVP_PKEY_sign(context, made, &made_length, data, length) > 0;
    EVP_PKEY_CTX_free(context);
    if (!is_made) return CKR_DATA_INVALID;
    unsigned char raw[512];
    const bool is_ec = EVP_PKEY_is_a(key, "EC");
    if (is_ec) made_length = raw_halves(key, made, made_length, raw);
    const unsigned long room = *signature_length;
    *signature_length = made_length;
    if (signature == NULL) return CKR_OK;
    if (made_length > room) return CKR_BUFFER_TOO_SMALL;
    memcpy(signature, is_ec ? raw : made, made_length);
    return CKR_OK;
}
