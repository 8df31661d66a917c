"""PKCS#11 URIs that are none, and what is said of each; columns count from 1 and in bytes."""

SECRET = "8351"  # stands for a PIN that somebody wrote where none belongs: no answer may repeat it

URIS = {
    "token=demo": "column 1: this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'",
    "http://t/": "column 1: this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'",
    "pkcs11:token": "column 8: an attribute has no '='; write NAME=VALUE",
    "pkcs11:=demo": "column 8: an attribute has no name before '='; write NAME=VALUE",
    "pkcs11:token=demo;": "column 19: an attribute is missing; remove the ';' that is too many",
    "pkcs11:;token=demo": "column 8: an attribute is missing; remove the ';' that is too many",
    "pkcs11:token=demo;token=demo": "column 19: token is given twice; keep one of them",
    "pkcs11:token=a%2": "column 15: '%' without two hexadecimal digits; write a percent sign as %25",
    "pkcs11:token=a%zz": "column 15: '%' without two hexadecimal digits; write a percent sign as %25",
    "pkcs11:token=a b": "column 15: a space must be escaped; write %20",
    "pkcs11:token=ä": "column 14: byte 0xC3 must be escaped; write %C3",
    "pkcs11:token=" + "a" * 33:
        "column 14: token has 33 bytes and may have 32; no PKCS#11 module can have that, so correct it",
    "pkcs11:slot-id=-1": "column 16: slot-id is no number; write digits, at most 9223372036854775807",
    "pkcs11:slot-id=99999999999999999999": "column 16: slot-id is no number; write digits, at most 9223372036854775807",
    "pkcs11:type=dog": "column 13: type is not known; write cert, private, public, secret-key or data",
    "pkcs11:object-type=cert": "column 8: unknown attribute 'object-type'; write type",
    "pkcs11:module-name=x": "column 8: module-name is in the wrong half; write it after the '?'",
    "pkcs11:token=demo?pin-value=8351":
        "column 19: pin-value is refused, because others can read a PIN in a file or an argument; "
        "remove it, and set pin-source in [[token]] or run 'tokenward unlock'",
    "pkcs11:token=demo?PIN-VALUE=8351":
        "column 19: pin-value is refused, because others can read a PIN in a file or an argument; "
        "remove it, and set pin-source in [[token]] or run 'tokenward unlock'",
}
