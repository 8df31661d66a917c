#ifndef CP11KIT_SHIM_H
#define CP11KIT_SHIM_H

#define P11_KIT_FUTURE_UNSTABLE_API 1
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

/* An object macro with a cast, which Swift does not import. */
static const CK_RV ckr_vendor_defined = CKR_VENDOR_DEFINED;

#endif
