/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

/* Without hash or randomness nothing that this module promises holds: stop, never go on weaker. */
static void must(int ok)
{
    if (!ok)
        abort();
}

void eas_sha256(unsigned char out[EAS_HASH_LEN], const void *data, apr_size_t len)
{
    must(SHA256(data, len, out) != NULL);
}

void eas_hmac_key(unsigned char out[EAS_HASH_LEN], const void *key, apr_size_t keylen,
                  const void *data, apr_size_t len)
{
    unsigned int n = 0;
    /* an empty key must not be a NULL pointer, which OpenSSL takes for "the key of last time" */
    must(HMAC(EVP_sha256(), keylen ? key : "", (int)keylen, data, len, out, &n) != NULL &&
         n == EAS_HASH_LEN);
}

/* HKDF-Expand for any length. */
static void expand(unsigned char *out, apr_size_t outlen, const unsigned char prk[EAS_HASH_LEN],
                   const void *info, apr_size_t infolen)
{
    unsigned char block[EAS_HASH_LEN], *msg = malloc(EAS_HASH_LEN + infolen + 1);
    apr_size_t head = 0;

    must(msg != NULL && outlen <= 255 * EAS_HASH_LEN);
    for (unsigned n = 1; outlen; n++) {
        apr_size_t take = outlen < EAS_HASH_LEN ? outlen : EAS_HASH_LEN;
        if (head)
            memcpy(msg, block, head);
        if (infolen)
            memcpy(msg + head, info, infolen);
        msg[head + infolen] = (unsigned char)n;
        eas_hmac_key(block, prk, EAS_HASH_LEN, msg, head + infolen + 1);
        memcpy(out, block, take);
        out += take;
        outlen -= take;
        head = EAS_HASH_LEN;
    }
    eas_wipe(block, sizeof(block));
    eas_wipe(msg, EAS_HASH_LEN);
    free(msg);
}

void eas_hkdf(unsigned char *out, apr_size_t outlen, const void *ikm, apr_size_t ikmlen,
              const void *salt, apr_size_t saltlen, const void *info, apr_size_t infolen)
{
    unsigned char prk[EAS_HASH_LEN];
    eas_hmac_key(prk, salt, saltlen, ikm, ikmlen);
    expand(out, outlen, prk, info, infolen);
    eas_wipe(prk, sizeof(prk));
}

void eas_key_derive(unsigned char out[EAS_KEY_LEN], const eas_key_t *key, const char *label)
{
    expand(out, EAS_KEY_LEN, key->prk, label, strlen(label));
}

void eas_hmac(unsigned char out[EAS_HASH_LEN], const eas_keyring_t *ring, const char *label,
              const char *const *parts)
{
    unsigned char key[EAS_KEY_LEN], *msg, *q;
    apr_size_t total = 0;

    for (const char *const *p = parts; *p; p++)
        total += 4 + strlen(*p);
    q = msg = malloc(total + 1);
    must(msg != NULL);
    for (const char *const *p = parts; *p; p++) { /* lengths: {"ab","c"} is not {"a","bc"} */
        apr_size_t n = strlen(*p);
        for (int shift = 0; shift < 32; shift += 8)
            *q++ = (unsigned char)(n >> shift);
        memcpy(q, *p, n);
        q += n;
    }
    eas_key_derive(key, eas_keyring_find(ring, NULL, 0), label);
    eas_hmac_key(out, key, sizeof(key), msg, total);
    eas_wipe(key, sizeof(key));
    eas_wipe(msg, total); /* a part may be a password */
    free(msg);
}

int eas_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void eas_wipe(void *p, apr_size_t len)
{
    OPENSSL_cleanse(p, len);
}

void eas_random(void *out, apr_size_t len)
{
    must(RAND_bytes(out, (int)len) == 1);
}

const char *eas_uuid(apr_pool_t *pool)
{
    unsigned char b[16];
    eas_random(b, sizeof(b));
    b[6] = (b[6] & 0x0F) | 0x40; /* RFC 4122: version 4 */
    b[8] = (b[8] & 0x3F) | 0x80; /* variant 1 */
    return apr_psprintf(pool,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}
