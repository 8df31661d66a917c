#ifndef CCLIENTTLS_KEY_H
#define CCLIENTTLS_KEY_H

#include "CClientTLS.h"

#include <openssl/evp.h>

/// A key of the provider's for this public key; NULL where it is neither RSA nor EC.
EVP_PKEY *cclienttls_key(EVP_PKEY *public_key, void *context);

extern cclienttls_callbacks cclienttls_registered;

#endif
