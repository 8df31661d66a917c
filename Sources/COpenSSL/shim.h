#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Macros that Swift does not import. */

static const unsigned long tokenward_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;

static inline long tokenward_BIO_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }

static inline int tokenward_ERR_GET_REASON(unsigned long code) { return ERR_GET_REASON(code); }

static inline void tokenward_OPENSSL_free(void *pointer) { OPENSSL_free(pointer); }

static inline void tokenward_OPENSSL_clear_free(void *pointer, size_t size) { OPENSSL_clear_free(pointer, size); }

#endif
