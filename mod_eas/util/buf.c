/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_buf.h"

#include <string.h>

void eas_buf_init(eas_buf_t *b, apr_size_t cap, apr_pool_t *pool)
{
    b->pool = pool;
    b->len = 0;
    b->cap = cap ? cap : 64;
    b->data = apr_palloc(pool, b->cap);
}

void eas_buf_bytes(eas_buf_t *b, const void *data, apr_size_t len)
{
    if (len > b->cap - b->len) {
        apr_size_t cap = b->cap * 2 > b->len + len ? b->cap * 2 : b->len + len;
        char *grown = apr_palloc(b->pool, cap);
        memcpy(grown, b->data, b->len);
        b->data = grown;
        b->cap = cap;
    }
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

void eas_buf_u8(eas_buf_t *b, unsigned v)
{
    unsigned char c = (unsigned char)v;
    eas_buf_bytes(b, &c, 1);
}

void eas_buf_u32(eas_buf_t *b, apr_uint32_t v)
{
    unsigned char c[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                          (unsigned char)(v >> 24)};
    eas_buf_bytes(b, c, 4);
}

void eas_buf_var(eas_buf_t *b, apr_uint64_t v)
{
    unsigned char c[10];
    apr_size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        c[n++] = (unsigned char)(v | 0x80);
    c[n++] = (unsigned char)v;
    eas_buf_bytes(b, c, n);
}

void eas_buf_blob(eas_buf_t *b, const void *data, apr_size_t len)
{
    eas_buf_var(b, len);
    eas_buf_bytes(b, data, len);
}

void eas_buf_str(eas_buf_t *b, const char *s)
{
    eas_buf_blob(b, s, s ? strlen(s) : 0);
}

void eas_rd_init(eas_rd_t *r, const void *data, apr_size_t len)
{
    r->p = data;
    r->end = r->p + len;
    r->bad = 0;
}

/* The next @a len bytes, or NULL and bad. */
static const unsigned char *take(eas_rd_t *r, apr_size_t len)
{
    const unsigned char *p = r->p;

    if (r->bad || len > (apr_size_t)(r->end - p)) {
        r->bad = 1;
        return NULL;
    }
    r->p += len;
    return p;
}

unsigned eas_rd_u8(eas_rd_t *r)
{
    const unsigned char *p = take(r, 1);
    return p ? *p : 0;
}

apr_uint32_t eas_rd_u32(eas_rd_t *r)
{
    const unsigned char *p = take(r, 4);
    return p ? p[0] | (apr_uint32_t)p[1] << 8 | (apr_uint32_t)p[2] << 16 | (apr_uint32_t)p[3] << 24
             : 0;
}

apr_uint64_t eas_rd_var(eas_rd_t *r)
{
    apr_uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *p = take(r, 1);
        if (!p)
            return 0;
        if (shift == 63 && *p > 1)
            break; /* more than 64 bits */
        v |= (apr_uint64_t)(*p & 0x7F) << shift;
        if (!(*p & 0x80))
            return v;
    }
    r->bad = 1;
    return 0;
}

const void *eas_rd_blob(apr_size_t *len, eas_rd_t *r)
{
    apr_uint64_t n = eas_rd_var(r);
    const unsigned char *p = NULL;

    if (n > (apr_uint64_t)(r->end - r->p))
        r->bad = 1;
    else
        p = take(r, (apr_size_t)n);
    *len = p ? (apr_size_t)n : 0;
    return p ? (const void *)p : "";
}

const char *eas_rd_str(eas_rd_t *r, apr_pool_t *pool)
{
    apr_size_t len;
    const char *p = eas_rd_blob(&len, r);
    char *s;

    if (memchr(p, '\0', len)) {
        r->bad = 1; /* eas_buf_str() never wrote that */
        len = 0;
    }
    if (len == 0)
        return "";
    s = apr_palloc(pool, len + 1);
    memcpy(s, p, len);
    s[len] = '\0';
    return s;
}

int eas_rd_done(const eas_rd_t *r)
{
    return !r->bad && r->p == r->end;
}
