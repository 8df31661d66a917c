#ifndef CCLIENTTLS_H
#define CCLIENTTLS_H

// TLS clients whose private keys are elsewhere: OpenSSL asks for each signature. The key is one of a provider that is
// built in (provider-keymgmt(7), provider-signature(7)), so that OpenSSL tells the hash, the padding, and all that is signed.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What is to be signed. The numbers are those of `SignatureScheme`.
typedef struct {
    uint8_t algorithm;
    uint8_t hash;
    const uint8_t *message;
    size_t length;
} cclienttls_signature;

typedef struct {
    /// The server asks for the client's certificate, and its own has been verified. May take its time. Gives the
    /// certificate by `cclienttls_present`, and returns whether to go on.
    bool (*certificate)(void *context, void *connection);
    /// The server has sent an alert that ends the connection: the number of RFC 8446 §6.
    void (*alert)(void *context, uint8_t number);
    /// Signs. May take its time. Returns the signature's length, 0 for none.
    size_t (*sign)(void *context, const cclienttls_signature *wanted, uint8_t *signature, size_t capacity);
} cclienttls_callbacks;

/// Makes the tables of OpenSSL that the first connection of a process needs, a millisecond's work.
void cclienttls_warm_up(void);

/// Adds the provider to the process. Once, before every other function. Returns whether OpenSSL uses it.
bool cclienttls_load(cclienttls_callbacks callbacks);

/// Sets up an `SSL_CTX`: the server's name is checked with its certificate, and the callbacks are called with `context`,
/// which must live as long as the connection.
///
/// - `host`: a name, or an address without brackets.
/// - `without_pss`: TLS 1.2 with RSA PKCS #1 v1.5, for keys that make no other signatures.
bool cclienttls_prepare(void *settings, const char *host, bool is_address, bool without_pss, void *context);

/// What the server takes of the signatures that `cclienttls_prepare` allows, once it has asked for the certificate: the
/// numbers of RFC 8446 §4.2.3, of which TLS 1.3 has fewer than TLS 1.2.
///
/// Returns how many there are; at most `capacity` are written.
size_t cclienttls_schemes(void *connection, uint16_t *schemes, size_t capacity);

bool cclienttls_is_tls13(void *connection);

/// Gives a connection the client's certificate, DER, whose key signs by the callback.
bool cclienttls_present(void *connection, const uint8_t *certificate, size_t length, void *context);

/// Adds a certificate, DER, to those that follow the client's.
bool cclienttls_add_issuer(void *connection, const uint8_t *certificate, size_t length);

#endif
