#include "key.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// All that tokens are asked to sign, best first; SHA-1 and the like are none of them.
#define SCHEMES                                                                                                        \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:" SCHEMES_WITHOUT_PSS
#define SCHEMES_WITHOUT_PSS "RSA+SHA256:RSA+SHA384:RSA+SHA512"

/// Whether the server shows that it has its certificate's key only by what it answers to the client's signature: anyone who
/// has the certificate could get one. All other suites of TLS 1.2, and TLS 1.3, begin with the server's signature.
static bool is_signed_for_unseen(const SSL_CIPHER *suite) { return SSL_CIPHER_get_kx_nid(suite) == NID_kx_rsa; }

/// Takes those suites out of what is offered, and leaves the rest as the system's openssl.cnf has it.
static bool keep_suites_of_known_servers(SSL_CTX *settings) {
    STACK_OF(SSL_CIPHER) *offered = SSL_CTX_get_ciphers(settings);
    BIO *names = BIO_new(BIO_s_mem());
    if (names == NULL) return false;
    for (int index = 0; index < sk_SSL_CIPHER_num(offered); index++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(offered, index);
        if (!is_signed_for_unseen(suite)) BIO_printf(names, "%s:", SSL_CIPHER_get_name(suite));
    }
    BIO_write(names, "", 1);
    char *list;
    const bool is_set = BIO_get_mem_data(names, &list) > 0 && SSL_CTX_set_cipher_list(settings, list) == 1;
    BIO_free(names);
    return is_set;
}

/// OpenSSL calls it when the server asks for a certificate.
static int certificate_wanted(SSL *connection, void *context) {
    const SSL_CIPHER *suite = SSL_get_pending_cipher(connection);
    if (suite == NULL || is_signed_for_unseen(suite)) return 0;
    // The handshake would have ended before, but no token shall depend on that.
    if (SSL_get0_peer_certificate(connection) == NULL || SSL_get_verify_result(connection) != X509_V_OK) return 0;
    return cclienttls_registered.certificate(context, connection);
}

/// OpenSSL calls it for each message of the protocol. An alert is told even where libcurl has given up the connection, and
/// only reads what is left: a server of TLS 1.3 refuses a certificate when the request may be on its way.
static void message_seen(
    int is_sent, int version, int type, const void *message, size_t length, SSL *connection, void *context) {
    (void)version;
    if (is_sent || type != SSL3_RT_ALERT || length != 2) return;
    const uint8_t number = ((const uint8_t *)message)[1];
    // A warning of TLS 1.2 ends nothing; these two end what was said, and are no error (RFC 8446 §6.1).
    const bool is_warning = ((const uint8_t *)message)[0] == SSL3_AL_WARNING && !cclienttls_is_tls13(connection);
    if (is_warning || number == SSL_AD_CLOSE_NOTIFY || number == SSL_AD_USER_CANCELLED) return;
    cclienttls_registered.alert(context, number);
}

void cclienttls_warm_up(void) { SSL_CTX_free(SSL_CTX_new(TLS_client_method())); }

bool cclienttls_prepare(void *settings, const char *host, bool is_address, bool without_pss, void *context) {
    SSL_CTX *ssl = settings;
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(ssl);
    // libcurl compares the name itself, but only when the handshake is over, and the token has signed.
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if ((is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host) : X509_VERIFY_PARAM_set1_host(rules, host, 0)) != 1) {
        return false;
    }
    if (SSL_CTX_set1_client_sigalgs_list(ssl, without_pss ? SCHEMES_WITHOUT_PSS : SCHEMES) != 1) return false;
    if (!keep_suites_of_known_servers(ssl)) return false;
    if (without_pss && SSL_CTX_set_max_proto_version(ssl, TLS1_2_VERSION) != 1) return false;
    // One handshake, one signature: the server asks for none later. It gets the issuers that it is to get, and no others.
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_post_handshake_auth(ssl, 0);
    SSL_CTX_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_cert_cb(ssl, certificate_wanted, context);
    SSL_CTX_set_msg_callback(ssl, message_seen);
    SSL_CTX_set_msg_callback_arg(ssl, context);
    return true;
}

size_t cclienttls_schemes(void *connection, uint16_t *schemes, size_t capacity) {
    const int count = SSL_get_shared_sigalgs(connection, 0, NULL, NULL, NULL, NULL, NULL);
    for (int index = 0; index < count && (size_t)index < capacity; index++) {
        unsigned char low, high;
        SSL_get_shared_sigalgs(connection, index, NULL, NULL, NULL, &low, &high);
        schemes[index] = (uint16_t)(high << 8 | low);
    }
    return count > 0 ? (size_t)count : 0;
}

bool cclienttls_is_tls13(void *connection) { return SSL_version(connection) == TLS1_3_VERSION; }

bool cclienttls_present(void *connection, const uint8_t *certificate, size_t length, void *context) {
    X509 *leaf = d2i_X509(NULL, &certificate, (long)length);
    EVP_PKEY *public_key = leaf == NULL ? NULL : X509_get0_pubkey(leaf);
    EVP_PKEY *key = public_key == NULL ? NULL : cclienttls_key(public_key, context);
    const bool is_set =
        key != NULL && SSL_use_certificate(connection, leaf) == 1 && SSL_use_PrivateKey(connection, key) == 1;
    EVP_PKEY_free(key);
    X509_free(leaf);
    return is_set;
}

bool cclienttls_add_issuer(void *connection, const uint8_t *certificate, size_t length) {
    X509 *issuer = d2i_X509(NULL, &certificate, (long)length);
    const bool is_added = issuer != NULL && SSL_add1_chain_cert(connection, issuer) == 1;
    X509_free(issuer);
    return is_added;
}
