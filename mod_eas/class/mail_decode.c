/* SPDX-License-Identifier: Apache-2.0 */
/* Transfer encodings and character sets of parts. */
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "eas_spool.h"
#include "eas_text.h"
#include "mail_priv.h"

#define IN_MEMORY (256 * 1024) /* decoded bytes; more goes through a spool */
#define PIECE (64 * 1024)
#define META_WITHIN 4096 /* where a meta element is looked for */

static int is_encoded(GMimeContentEncoding e)
{
    return e == GMIME_CONTENT_ENCODING_BASE64 || e == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
           e == GMIME_CONTENT_ENCODING_UUENCODE;
}

/* uuencoded data begins behind its "begin 644 name" line. */
static eas_span_t skip_uu_begin(eas_span_t in)
{
    const char *p = in.data, *end = in.data + in.len;
    while (p < end) {
        const char *nl = memchr(p, '\n', end - p);
        const char *next = nl ? nl + 1 : end;
        if (end - p > 6 && strncmp(p, "begin ", 6) == 0)
            return (eas_span_t){next, end - next};
        p = next;
    }
    return in;
}

static void decode_start(GMimeEncoding *state, eas_span_t *in, const mail_part_t *part)
{
    g_mime_encoding_init_decode(state, part->encoding);
    *in = part->body;
    if (part->encoding == GMIME_CONTENT_ENCODING_UUENCODE) {
        *in = skip_uu_begin(*in);
        state->state |= GMIME_UUDECODE_STATE_BEGIN;
    }
}

static eas_span_t decode_in_memory(const mail_part_t *part, apr_pool_t *pool)
{
    GMimeEncoding state;
    eas_span_t in, out;
    char *buf;

    decode_start(&state, &in, part);
    buf = apr_palloc(pool, g_mime_encoding_outlen(&state, in.len) + 1);
    out.len = g_mime_encoding_step(&state, in.data, in.len, buf);
    out.len += g_mime_encoding_flush(&state, "", 0, buf + out.len);
    buf[out.len] = '\0';
    out.data = buf;
    return out;
}

eas_err_t *mail_decode(eas_span_t *out, const mail_part_t *part, apr_pool_t *pool)
{
    GMimeEncoding state;
    eas_spool_t *sp;
    eas_span_t in;
    eas_err_t *err = NULL;
    char *buf;

    if (!is_encoded(part->encoding)) {
        *out = part->body;
        return NULL;
    }
    if (part->body.len <= IN_MEMORY) {
        *out = decode_in_memory(part, pool);
        return NULL;
    }
    decode_start(&state, &in, part);
    sp = eas_spool_create(0, NULL, pool);
    buf = apr_palloc(pool, g_mime_encoding_outlen(&state, PIECE));
    for (apr_size_t at = 0; at < in.len && !err; at += PIECE) {
        apr_size_t n = in.len - at < PIECE ? in.len - at : PIECE;
        n = at + n < in.len ? g_mime_encoding_step(&state, in.data + at, n, buf)
                            : g_mime_encoding_flush(&state, in.data + at, n, buf);
        err = eas_spool_write(sp, buf, n);
    }
    if (!err)
        err = eas_spool_finish(out, sp);
    return err ? eas_err_wrap(pool, err, "class.mail", "cannot decode a part") : NULL;
}

/* The charset that an HTML document declares in its head, for parts whose header has none. */
static const char *meta_charset(eas_span_t html, apr_pool_t *pool)
{
    const char *end = html.data + (html.len < META_WITHIN ? html.len : META_WITHIN);
    for (const char *p = html.data; p + 8 < end; p++) {
        const char *v = p + 7;
        apr_size_t n = 0;
        if ((*p != 'c' && *p != 'C') || strncasecmp(p, "charset", 7) != 0)
            continue;
        while (v < end && (*v == ' ' || *v == '=' || *v == '"' || *v == '\''))
            v++;
        while (v + n < end && n < 40 && v[n] &&
               (g_ascii_isalnum(v[n]) || strchr("-_:.", v[n])))
            n++;
        /* who wrote the ASCII word "utf-16" did not write UTF-16 */
        if (!n || (n >= 6 && strncasecmp(v, "utf-16", 6) == 0))
            return NULL;
        return apr_pstrmemdup(pool, v, n);
    }
    return NULL;
}

static const struct {
    const char *bom;
    apr_size_t len;
    const char *charset;
} boms[] = {{"\xEF\xBB\xBF", 3, "utf-8"}, {"\xFF\xFE", 2, "utf-16le"}, {"\xFE\xFF", 2, "utf-16be"}};

eas_span_t mail_decode_text(const mail_part_t *part, apr_pool_t *pool)
{
    eas_span_t text = is_encoded(part->encoding) ? decode_in_memory(part, pool) : part->body;
    const char *charset = mail_ct_param(part, "charset");
    int html = strcmp(part->type, "text/html") == 0;
    apr_size_t len;

    if (html && (!charset || strcasecmp(charset, "us-ascii") == 0)) {
        const char *meta = meta_charset(text, pool);
        charset = meta ? meta : charset;
    }
    for (unsigned i = 0; i < sizeof(boms) / sizeof(*boms); i++)
        if (text.len >= boms[i].len && memcmp(text.data, boms[i].bom, boms[i].len) == 0) {
            charset = boms[i].charset;
            text.data += boms[i].len;
            text.len -= boms[i].len;
            break;
        }
    if (charset && strcasecmp(charset, "us-ascii") == 0)
        charset = NULL; /* bytes above 127 are a guess anyway */
    if (charset ? strcasecmp(charset, "utf-8") == 0 : 1)
        if (eas_text_clean(text.data, text.len))
            return text;
    text.data = eas_charset_to_utf8(&len, charset, text.data, text.len, pool);
    text.len = len;
    if (!eas_text_clean(text.data, text.len)) {
        text.data = eas_text_sanitize(&len, text.data, text.len, pool);
        text.len = len;
    }
    return text;
}
