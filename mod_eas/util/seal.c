/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <limits.h>
#include <string.h>
#include <openssl/evp.h>

/* Sealed thing: version, length of key id, key id, nonce, text, tag. Everything before the nonce is
 * authenticated together with the caller's aad. */
#define TAG "seal"
#define VERSION 1
#define NONCE 12
#define GCM_TAG 16
#define SEAL_MAX (64 * 1024 * 1024)

static int aad_ok(EVP_CIPHER_CTX *ctx, const unsigned char *head, int headlen, const void *aad,
                  apr_size_t aadlen)
{
    int n;
    return EVP_CipherUpdate(ctx, NULL, &n, head, headlen) == 1 &&
           (aadlen == 0 || EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aadlen) == 1);
}

/* Both directions; @a tag is written when sealing, checked when opening. */
static int gcm(unsigned char *out, unsigned char *tag, int sealing, const unsigned char *key,
               const unsigned char *nonce, const unsigned char *head, int headlen, const void *aad,
               apr_size_t aadlen, const void *in, apr_size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n, ok;

    ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, sealing) == 1 &&
         aad_ok(ctx, head, headlen, aad, aadlen) &&
         (len == 0 || EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1) &&
         (sealing || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG, tag) == 1) &&
         EVP_CipherFinal_ex(ctx, out + len, &n) == 1 &&
         (!sealing || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

eas_err_t *eas_seal(const void **out, apr_size_t *outlen, const eas_keyring_t *ring,
                    const char *label, const void *aad, apr_size_t aadlen, const void *text,
                    apr_size_t len, apr_pool_t *pool)
{
    const eas_key_t *key = eas_keyring_find(ring, NULL, 0);
    apr_size_t idlen = strlen(key->id);
    unsigned char derived[EAS_KEY_LEN], *p, *nonce;
    int ok;

    if (len > SEAL_MAX || aadlen > INT_MAX)
        return eas_err_create(pool, EAS_E_TOO_LARGE, TAG, "too large to be sealed");
    p = apr_palloc(pool, 2 + idlen + NONCE + len + GCM_TAG);
    p[0] = VERSION;
    p[1] = (unsigned char)idlen;
    memcpy(p + 2, key->id, idlen);
    nonce = p + 2 + idlen;
    eas_random(nonce, NONCE);
    eas_key_derive(derived, key, label);
    ok = gcm(nonce + NONCE, nonce + NONCE + len, 1, derived, nonce, p, (int)(2 + idlen), aad,
             aadlen, text, len);
    eas_wipe(derived, sizeof(derived));
    if (!ok)
        return eas_err_create(pool, EAS_E_INTERNAL, TAG, "encryption failed");
    *out = p;
    *outlen = 2 + idlen + NONCE + len + GCM_TAG;
    return NULL;
}

eas_err_t *eas_unseal(const void **out, apr_size_t *outlen, const eas_keyring_t *ring,
                      const char *label, const void *aad, apr_size_t aadlen, const void *sealed,
                      apr_size_t len, apr_pool_t *pool)
{
    const unsigned char *p = sealed, *nonce;
    unsigned char derived[EAS_KEY_LEN], tag[GCM_TAG], *text;
    const eas_key_t *key;
    apr_size_t idlen, n;
    int ok;

    *out = NULL;
    *outlen = 0;
    if (len < 2 || p[0] != VERSION || len < 2 + (idlen = p[1]) + NONCE + GCM_TAG ||
        len > SEAL_MAX || aadlen > INT_MAX)
        return eas_err_create(pool, EAS_E_INVALID, TAG, "not a sealed record");
    key = eas_keyring_find(ring, (const char *)p + 2, idlen);
    if (!key)
        return eas_err_create(pool, EAS_E_INVALID, TAG,
                              "sealed with a key that is not in the ring");
    nonce = p + 2 + idlen;
    n = len - 2 - idlen - NONCE - GCM_TAG;
    memcpy(tag, nonce + NONCE + n, GCM_TAG);
    text = apr_palloc(pool, n + GCM_TAG);
    eas_key_derive(derived, key, label);
    ok = gcm(text, tag, 0, derived, nonce, p, (int)(2 + idlen), aad, aadlen, nonce + NONCE, n);
    eas_wipe(derived, sizeof(derived));
    if (!ok) {
        eas_wipe(text, n);
        return eas_err_create(pool, EAS_E_INVALID, TAG, "tampered with, or not for this use");
    }
    text[n] = '\0';
    *out = text;
    *outlen = n;
    return NULL;
}
