/* SPDX-License-Identifier: Apache-2.0 */
#include "store_int.h"

#include <string.h>

static apr_uint64_t fold(apr_uint64_t h)
{
    h *= 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}

/* 64-bit multiply-and-fold over 8 bytes at a time: finds damage, proves nothing against malice
 * (who can write the files owns the state anyway). Part of the format: never change it. */
apr_uint64_t eas_store_mix(apr_uint64_t seed, const void *data, apr_size_t len)
{
    const unsigned char *p = data;
    apr_uint64_t h = seed ^ (len * 0x9E3779B97F4A7C15u);

    for (; len >= 8; p += 8, len -= 8) {
        /* little endian on every machine; compilers make one load of it */
        apr_uint64_t w = (apr_uint64_t)p[0] | (apr_uint64_t)p[1] << 8 | (apr_uint64_t)p[2] << 16 |
                         (apr_uint64_t)p[3] << 24 | (apr_uint64_t)p[4] << 32 |
                         (apr_uint64_t)p[5] << 40 | (apr_uint64_t)p[6] << 48 |
                         (apr_uint64_t)p[7] << 56;
        h = fold(h ^ w);
    }
    if (len) {
        apr_uint64_t w = 0;
        for (apr_size_t i = 0; i < len; i++)
            w |= (apr_uint64_t)p[i] << (8 * i);
        h = fold(h ^ w);
    }
    h *= 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static apr_uint32_t check(const char *key, const void *val, apr_size_t len)
{
    apr_uint64_t h = eas_store_mix(eas_store_mix(1, key, strlen(key)), val, len);
    return (apr_uint32_t)(h ^ h >> 32);
}

void eas_envelope_make(unsigned char head[EAS_ENVELOPE_LEN], const char *key, const void *val,
                       apr_size_t len)
{
    apr_uint32_t sum = check(key, val, len);

    head[0] = EAS_ENVELOPE_VERSION;
    for (int i = 0; i < 4; i++)
        head[1 + i] = (unsigned char)(sum >> (8 * i));
}

eas_envelope_t eas_envelope_open(const void **val, apr_size_t *len, const char *key,
                                 const void *data, apr_size_t datalen)
{
    const unsigned char *p = data;
    apr_uint32_t sum;

    *val = NULL;
    *len = 0;
    if (datalen < EAS_ENVELOPE_LEN || p[0] == 0)
        return EAS_ENV_DAMAGED;
    if (p[0] > EAS_ENVELOPE_VERSION)
        return EAS_ENV_NEWER;
    sum = p[1] | (apr_uint32_t)p[2] << 8 | (apr_uint32_t)p[3] << 16 | (apr_uint32_t)p[4] << 24;
    if (sum != check(key, p + EAS_ENVELOPE_LEN, datalen - EAS_ENVELOPE_LEN))
        return EAS_ENV_DAMAGED;
    *val = p + EAS_ENVELOPE_LEN;
    *len = datalen - EAS_ENVELOPE_LEN;
    return EAS_ENV_OK;
}
