/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_CRYPTO_H
#define EAS_CRYPTO_H
/**
 * Sealing, hashing, comparing: the only place that includes OpenSSL.
 *
 * A keyring comes from EASSecretFile: lines "id key" (id a word of 1..16 [A-Za-z0-9_-], key >= 32
 * bytes of base64 or hex), the first seals, all open. For each use a key of its own is derived
 * (HKDF-SHA-256, label), so a ticket can never be mistaken for a reference.
 * Read-only after loading; any thread may call.
 */
#include "eas_err.h"

typedef struct eas_keyring_t eas_keyring_t;

/** Parses the text of a secret file; the text is not kept. EAS_E_INVALID with line number. */
eas_err_t *eas_keyring_parse(eas_keyring_t **ring, const char *text, apr_size_t len,
                             apr_pool_t *pool);
/** A ring with one random key (tests, or where no file is configured). */
eas_err_t *eas_keyring_random(eas_keyring_t **ring, apr_pool_t *pool);

/** AES-256-GCM; @a aad binds the sealed thing to its owner and place. Output: key id, nonce, text,
 * tag. */
eas_err_t *eas_seal(const void **out, apr_size_t *outlen, const eas_keyring_t *ring,
                    const char *label, const void *aad, apr_size_t aadlen, const void *text,
                    apr_size_t len, apr_pool_t *pool);
/** EAS_E_INVALID when tampered with, of another label or aad, or of a key not in the ring. */
eas_err_t *eas_unseal(const void **out, apr_size_t *outlen, const eas_keyring_t *ring,
                      const char *label, const void *aad, apr_size_t aadlen, const void *sealed,
                      apr_size_t len, apr_pool_t *pool);

#define EAS_HASH_LEN 32
/** HKDF-SHA-256 (RFC 5869), at most 255 * 32 bytes out. */
void eas_hkdf(unsigned char *out, apr_size_t outlen, const void *ikm, apr_size_t ikmlen,
              const void *salt, apr_size_t saltlen, const void *info, apr_size_t infolen);
/** HMAC-SHA-256 with a key of the caller's (RFC 2104). */
void eas_hmac_key(unsigned char out[EAS_HASH_LEN], const void *key, apr_size_t keylen,
                  const void *data, apr_size_t len);
/** HMAC-SHA-256 of the parts (each preceded by its length) with the ring's first key under @a
 * label;
 *  @a parts is an array of NUL-terminated strings ended by NULL. */
void eas_hmac(unsigned char out[EAS_HASH_LEN], const eas_keyring_t *ring, const char *label,
              const char *const *parts);
void eas_sha256(unsigned char out[EAS_HASH_LEN], const void *data, apr_size_t len);
int eas_equal(const void *a, const void *b, apr_size_t len); /**< constant time */
void eas_wipe(void *p, apr_size_t len);                      /**< not optimised away */
void eas_random(void *out, apr_size_t len);
/** A UUID text "xxxxxxxx-xxxx-4xxx-..." from eas_random. */
const char *eas_uuid(apr_pool_t *pool);

#endif
