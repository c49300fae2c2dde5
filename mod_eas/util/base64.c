/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_text.h"

#include <string.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes groups of @a bits; the last one is filled up with zero bits. */
static char *encode(const unsigned char *p, apr_size_t len, const char *alphabet, int bits,
                    char *out)
{
    unsigned acc = 0;
    int have = 0;

    for (apr_size_t i = 0; i < len; i++) {
        acc = acc << 8 | p[i];
        for (have += 8; have >= bits; have -= bits)
            *out++ = alphabet[acc >> (have - bits) & ((1u << bits) - 1)];
        acc &= (1u << have) - 1;
    }
    if (have)
        *out++ = alphabet[acc << (bits - have) & ((1u << bits) - 1)];
    return out;
}

char *eas_base32(const unsigned char *data, apr_size_t len, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len * 8 / 5 + 2);
    *encode(data, len, "abcdefghijklmnopqrstuvwxyz234567", 5, out) = '\0';
    return out;
}

char *eas_base64(const void *data, apr_size_t len, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, (len + 2) / 3 * 4 + 1);
    char *q = encode(data, len, plain, 6, out);
    while ((q - out) % 4)
        *q++ = '=';
    *q = '\0';
    return out;
}

char *eas_base64url(const void *data, apr_size_t len, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, (len + 2) / 3 * 4 + 1);
    *encode(data, len, urlsafe, 6, out) = '\0';
    return out;
}

static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

int eas_base64_decode(unsigned char **data, apr_size_t *len, const char *text, apr_pool_t *pool)
{
    apr_size_t n = strlen(text), pad = 0;
    unsigned acc = 0;
    int have = 0;
    unsigned char *out, *q;

    while (pad < 2 && n > 0 && text[n - 1] == '=') {
        n--;
        pad++;
    }
    if (n % 4 == 1 || (pad && (n + pad) % 4 != 0))
        return 0;
    q = out = apr_palloc(pool, n * 3 / 4 + 2);
    for (apr_size_t i = 0; i < n; i++) {
        int v = value_of((unsigned char)text[i]);
        if (v < 0)
            return 0;
        acc = acc << 6 | (unsigned)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *q++ = (unsigned char)(acc >> have);
            acc &= (1u << have) - 1;
        }
    }
    if (acc) /* bits that stand for nothing: one text per value */
        return 0;
    *q = '\0';
    *data = out;
    *len = q - out;
    return 1;
}
