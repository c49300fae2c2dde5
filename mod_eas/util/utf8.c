/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_text.h"

#include <string.h>

#define ONES (~(apr_uint64_t)0 / 255)
#define HIGHS (ONES * 0x80)

/* Length of the well-formed sequence at @a p (Unicode 15, table 3-7), or 0; then *@a bad is the
 * length of the longest start of a sequence, which is replaced as one. */
static unsigned sequence(const unsigned char *p, apr_size_t left, unsigned *bad)
{
    unsigned char lo = 0x80, hi = 0xBF;
    unsigned need, i;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        need = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        need = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        need = 4;
    else {
        *bad = 1;
        return 0;
    }
    if (p[0] == 0xE0)
        lo = 0xA0; /* else overlong */
    else if (p[0] == 0xED)
        hi = 0x9F; /* else a surrogate */
    else if (p[0] == 0xF0)
        lo = 0x90;
    else if (p[0] == 0xF4)
        hi = 0x8F; /* else above U+10FFFF */
    for (i = 1; i < need; i++) {
        if (i >= left || p[i] < lo || p[i] > hi) {
            *bad = i;
            return 0;
        }
        lo = 0x80;
        hi = 0xBF;
    }
    return need;
}

int eas_utf8_valid(const char *s, apr_size_t len)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;
    unsigned bad;

    while (p < end) {
        while (end - p >= 8) {
            apr_uint64_t v;
            memcpy(&v, p, 8);
            if (v & HIGHS)
                break;
            p += 8;
        }
        if (p == end)
            break;
        unsigned n = sequence(p, end - p, &bad);
        if (!n)
            return 0;
        p += n;
    }
    return 1;
}

/* C0 but TAB, LF, CR; DEL. */
static int is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

/* C1 controls (U+0080..9F) of a two-byte sequence. */
static int is_c1(const unsigned char *p, unsigned n)
{
    return n == 2 && p[0] == 0xC2 && p[1] < 0xA0;
}

/* U+FFFE and U+FFFF: no characters in XML, from which the WBXML content comes. */
static int is_nonchar(const unsigned char *p, unsigned n)
{
    return n == 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE;
}

/* Bodies are ASCII with ends of lines for the most part and may be large: 64 bytes at once, in
 * vectors of the compiler, without a branch. 1 when all are ASCII and no controls. */
typedef signed char vec16_t __attribute__((vector_size(16)));

static int plain_64(const unsigned char *p)
{
    vec16_t v, bad = {0};
    apr_uint64_t half[2];

    for (int i = 0; i < 64; i += 16) {
        memcpy(&v, p + i, 16);
        bad |= ((v < 0x20) & (v != '\t') & (v != '\n') & (v != '\r')) |
               (v == 0x7F); /* >= 0x80 is < 0 */
    }
    memcpy(half, &bad, 16);
    return !(half[0] | half[1]);
}

/* Length of the clean start of the text. */
static apr_size_t clean_span(const unsigned char *s, apr_size_t len)
{
    const unsigned char *p = s, *end = s + len;
    unsigned bad;

    while (p < end) {
        while (end - p >= 64 && plain_64(p))
            p += 64;
        while (end - p >= 8) {
            apr_uint64_t v;
            memcpy(&v, p, 8);
            /* a byte >= 0x80, one below 0x20, or one equal to 0x7F; false alarms cost only time */
            if ((v | (v - ONES * 0x20) | (v + ONES)) & HIGHS)
                break;
            p += 8;
        }
        if (end - p < 8 && len >= 8) { /* the rest together with bytes that were seen already */
            apr_uint64_t v;
            memcpy(&v, end - 8, 8);
            if (!((v | (v - ONES * 0x20) | (v + ONES)) & HIGHS))
                return len;
        }
        for (int i = 0; i < 8 && p < end; i++) {
            unsigned n = sequence(p, end - p, &bad);
            if (!n || is_control(*p) || is_c1(p, n) || is_nonchar(p, n))
                return p - s;
            p += n;
        }
    }
    return len;
}

int eas_text_clean(const char *s, apr_size_t len)
{
    return clean_span((const unsigned char *)s, len) == len;
}

char *eas_text_sanitize(apr_size_t *outlen, const char *s, apr_size_t len, apr_pool_t *pool)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;
    apr_size_t clean = clean_span(p, len);
    /* each bad byte may become three */
    char *out = apr_palloc(pool, clean + 3 * (len - clean) + 1), *q = out;

    for (;;) {
        unsigned bad = 0, n;
        memcpy(q, p, clean);
        q += clean;
        p += clean;
        if (p == end)
            break;
        n = sequence(p, end - p, &bad);
        if (!n || is_nonchar(p, n)) {
            memcpy(q, "\xEF\xBF\xBD", 3);
            q += 3;
        }
        p += n ? n : bad;
        clean = clean_span(p, end - p);
    }
    *q = '\0';
    if (outlen)
        *outlen = q - out;
    return out;
}

apr_size_t eas_utf8_cut(const char *s, apr_size_t len, apr_size_t max)
{
    apr_size_t n = max;

    if (len <= max)
        return len;
    while (n > 0 && max - n < 4 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n--;
    return max - n < 4 ? n : max; /* no character is that long: not UTF-8, cut anywhere */
}

apr_size_t eas_utf8_prefix(const char *s, apr_size_t len, apr_size_t chars)
{
    apr_size_t i;

    for (i = 0; i < len; i++)
        if (((unsigned char)s[i] & 0xC0) != 0x80 && chars-- == 0)
            break;
    return i;
}

apr_size_t eas_utf8_chars(const char *s, apr_size_t len)
{
    apr_size_t n = 0;

    for (apr_size_t i = 0; i < len; i++)
        n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}
