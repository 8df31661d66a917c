/* One session of IAM Roles Anywhere with the least program that can obtain it: the module, then libcurl. Prints how
   long each part took, in milliseconds, as JSON. What the agent's first credential is measured against.
   cc -O2 -o direct_session direct_session.c $(pkg-config --cflags --libs p11-kit-1 libcurl)
   direct_session MODULE PIN REQUEST, where REQUEST is a folder with url, ca.pem, body, string-to-sign, digest (its SHA-256) and
   headers: one a line, the last being Authorization without the signature at its end */
#include "direct_token.h"

#include <curl/curl.h>

static char *load(const char *folder, const char *name, size_t *count) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 65536);
    if (file == NULL || bytes == NULL) {
        perror(path);
        exit(1);
    }
    *count = fread(bytes, 1, 65535, file);
    fclose(file);
    return bytes;
}

/* An INTEGER of DER from an unsigned number. */
static size_t integer(unsigned char *to, const unsigned char *number, size_t count) {
    while (count > 1 && *number == 0) number++, count--;
    size_t pad = *number >> 7, length = 0;
    to[length++] = 2;
    to[length++] = (unsigned char)(count + pad);
    if (pad) to[length++] = 0;
    memcpy(to + length, number, count);
    return length + count;
}

/* The signature in hexadecimal; ECDSA's r and s become DER (curves to P-384). */
static void encode(const unsigned char *signature, size_t count, int is_rsa, char *text) {
    unsigned char der[256];
    if (!is_rsa) {
        size_t length = 2;
        length += integer(der + length, signature, count / 2);
        length += integer(der + length, signature + count / 2, count / 2);
        der[0] = 0x30;
        der[1] = (unsigned char)(length - 2);
        signature = der;
        count = length;
    }
    for (size_t index = 0; index < count; index++) sprintf(text + 2 * index, "%02x", signature[index]);
}

/* What an agent must read of each object before it can choose. */
static void list(struct direct_token *token, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type) {
    static unsigned char value[65536];
    CK_OBJECT_HANDLE object = direct_find(token, session, class);
    CK_ATTRIBUTE attributes[] = {{CKA_ID, value, 1024}, {CKA_LABEL, value + 1024, 1024}, {type, value + 2048, 32768}};
    token->functions->C_GetAttributeValue(session, object, attributes, 3);
}

static size_t ignore(char *bytes, size_t size, size_t count, void *unused) {
    (void)bytes, (void)unused;
    return size * count;
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    struct direct_token token;
    double start = direct_now();
    direct_load(&token, argv[1]);
    double loaded = direct_now();
    CK_SESSION_HANDLE session = direct_open(&token);
    list(&token, session, CKO_CERTIFICATE, CKA_VALUE);
    list(&token, session, CKO_PUBLIC_KEY, CKA_EC_POINT);
    double listed = direct_now();
    direct_log_in(&token, session, argv[2]);
    double logged_in = direct_now();

    size_t count, digest_count;
    unsigned char *message = (unsigned char *)load(argv[3], "string-to-sign", &count), signature[1024];
    unsigned char *digest = (unsigned char *)load(argv[3], "digest", &digest_count);
    CK_ULONG length = sizeof signature;
    double before = direct_now();
    CK_OBJECT_HANDLE key = direct_find(&token, session, CKO_PRIVATE_KEY);
    int is_rsa = token.key_type == CKK_RSA;
    direct_sign_bytes(
        &token, session, key, is_rsa ? message : digest, is_rsa ? count : digest_count, signature, &length);
    double signed_at = direct_now();

    struct curl_slist *headers = NULL;
    char *rest = load(argv[3], "headers", &count), *line, text[4096], last[8192];
    encode(signature, length, is_rsa, text);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        int is_last = strncmp(line, "Authorization:", 14) == 0;
        snprintf(last, sizeof last, "%s%s", line, is_last ? text : "");
        headers = curl_slist_append(headers, last);
    }
    char *url = load(argv[3], "url", &count), *body = load(argv[3], "body", &count), authority[4096];
    snprintf(authority, sizeof authority, "%s/ca.pem", argv[3]);
    double prepared = direct_now();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, authority);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    double begun = direct_now();
    CURLcode code = curl_easy_perform(curl);
    double end = direct_now();
    long status = 0;
    double handshake = 0, total = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME, &handshake);
    curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &total);
    if (code != CURLE_OK || status != 201) {
        fprintf(stderr, "direct_session: %s, status %ld\n", curl_easy_strerror(code), status);
        return 1;
    }
    printf("{\"module\": %.3f, \"list\": %.3f, \"login\": %.3f, \"signature\": %.3f, \"curl\": %.3f, \"handshake\": %.3f, "
           "\"service\": %.3f, \"whole\": %.3f}\n",
        (loaded - start) * 1e3, (listed - loaded) * 1e3, (logged_in - listed) * 1e3, (signed_at - before) * 1e3,
        (begun - prepared) * 1e3, handshake * 1e3, (total - handshake) * 1e3, (end - start) * 1e3);
    return 0;
}
