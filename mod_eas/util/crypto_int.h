/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_CRYPTO_INT_H
#define EAS_CRYPTO_INT_H
/** What keyring.c, seal.c and digest.c share; nobody else includes it. */
#include "eas_crypto.h"

#define EAS_KEY_ID_MAX 16
#define EAS_KEY_LEN 32

typedef struct eas_key_t {
    char id[EAS_KEY_ID_MAX + 1];
    unsigned char prk[EAS_HASH_LEN]; /**< HKDF's extracted key; the given bytes are not kept */
} eas_key_t;

/** The key of a use. The caller wipes @a out. */
void eas_key_derive(unsigned char out[EAS_KEY_LEN], const eas_key_t *key, const char *label);
/** NULL id: the sealing key. NULL when the ring has no such key. */
const eas_key_t *eas_keyring_find(const eas_keyring_t *ring, const char *id, apr_size_t idlen);

#endif
