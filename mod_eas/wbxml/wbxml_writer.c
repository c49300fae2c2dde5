/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to WBXML bytes. There is one buffer; when it is full it goes to a spool in one piece larger
 * than what a spool keeps in memory, so the bytes are never copied a second time on the heap. An
 * open element whose content has not come yet is always the last byte of the buffer: its content
 * bit is set when the first content arrives, and never when it stays empty.
 */
#include "eas_wbxml.h"

#include <stdlib.h>
#include <string.h>
#include <apr_base64.h>
#include <apr_strings.h>

#include "eas_spool.h"
#include "eas_text.h"
#include "wbxml_tokens.h"

#define TAG "wbxml.write"

enum {
    FIRST_CAP = 1024,
    MAX_CAP = EAS_SPOOL_MEM + 4096,
    BASE64_PIECE = 3 * 1024, /* a multiple of three: padding only at the end */
    SANITIZE_PIECE = 64 * 1024
};

/* What lies on disk already; apart, because a splice may have to finish a const fragment's spool.
 */
typedef struct spill_t {
    eas_spool_t *spool;
    apr_size_t size;
    eas_span_t span;
    int finished;
} spill_t;

struct eas_writer_t {
    apr_pool_t *pool, *scratch;
    eas_err_t *err;
    char *buf;
    apr_size_t len, cap;
    spill_t *spill;
    int first_page, page, depth;
    int pending; /* the last byte is an element that has no content yet */
    int in_text;
    char carry[4]; /* start of a character that the next text piece goes on with */
    unsigned carried;
};

static apr_status_t free_buffer(void *data)
{
    eas_writer_t *w = data;

    free(w->buf);
    w->buf = NULL;
    return APR_SUCCESS;
}

/* The first error stays; there is no room any more, so nothing is written from now on. */
static void set_error(eas_writer_t *w, eas_err_t *err)
{
    if (!w->err)
        w->err = err;
    w->cap = w->len;
    w->pending = 0;
}

static int make_room(eas_writer_t *w, apr_size_t n)
{
    eas_err_t *err;

    if (w->err)
        return 0;
    if (w->cap < MAX_CAP) {
        apr_size_t cap = w->cap;
        char *grown;
        while (cap < w->len + n)
            cap *= 2;
        if (cap > MAX_CAP)
            cap = MAX_CAP;
        grown = realloc(w->buf, cap);
        if (!grown) {
            set_error(w, eas_err_create(w->pool, EAS_E_UNAVAILABLE, TAG, "out of memory"));
            return 0;
        }
        w->buf = grown;
        w->cap = cap;
        if (w->cap - w->len >= n)
            return 1;
    }
    if (!w->spill->spool)
        w->spill->spool = eas_spool_create(0, NULL, w->pool);
    err = eas_spool_write(w->spill->spool, w->buf, w->len);
    w->spill->size += w->len;
    w->len = 0;
    if (err)
        set_error(w, err);
    return !err;
}

/* Room for @a n more bytes in one piece (n is small), or an error and 0. */
static inline int reserve(eas_writer_t *w, apr_size_t n)
{
    return w->cap - w->len >= n ? 1 : make_room(w, n);
}

static void put(eas_writer_t *w, const char *data, apr_size_t n)
{
    while (n) {
        apr_size_t room = w->cap - w->len;
        if (room >= n) {
            memcpy(w->buf + w->len, data, n);
            w->len += n;
            return;
        }
        if (w->cap < MAX_CAP) {
            if (!reserve(w, n < MAX_CAP - w->len ? n : room + 1))
                return;
            continue;
        }
        memcpy(w->buf + w->len, data, room);
        w->len += room;
        data += room;
        n -= room;
        if (!reserve(w, 1))
            return;
        if (n >= MAX_CAP) {
            eas_err_t *err = eas_spool_write(w->spill->spool, data, n);
            w->spill->size += n;
            if (err)
                set_error(w, err);
            return;
        }
    }
}

static eas_writer_t *create(int page, apr_pool_t *pool)
{
    eas_writer_t *w = apr_pcalloc(pool, sizeof(*w));

    w->pool = pool;
    w->first_page = w->page = page;
    w->spill = apr_pcalloc(pool, sizeof(*w->spill));
    w->buf = malloc(FIRST_CAP);
    if (w->buf)
        w->cap = FIRST_CAP;
    else
        set_error(w, eas_err_create(pool, EAS_E_UNAVAILABLE, TAG, "out of memory"));
    apr_pool_cleanup_register(pool, w, free_buffer, apr_pool_cleanup_null);
    return w;
}

eas_writer_t *eas_writer_create(apr_pool_t *pool)
{
    eas_writer_t *w = create(0, pool);

    if (!w->err)
        put(w, "\x03\x01\x6A\x00", 4);
    return w;
}

eas_writer_t *eas_writer_fragment(int page, apr_pool_t *pool)
{
    return create(page, pool);
}

/* Something follows inside the innermost element: it has content. */
static void has_content(eas_writer_t *w)
{
    if (w->pending) {
        w->buf[w->len - 1] |= WBXML_HAS_CONTENT;
        w->pending = 0;
    }
}

/* Switches to the tag's page when it is another, and writes the token. */
static inline int put_tag(eas_writer_t *w, eas_tag_t tag, int bits)
{
    int page = tag >> 8;

    has_content(w);
    if (!reserve(w, 4)) /* one for the STR_I that may follow */
        return 0;
    if (page != w->page) {
        w->buf[w->len++] = WBXML_SWITCH_PAGE;
        w->buf[w->len++] = (char)page;
        w->page = page;
    }
    w->buf[w->len++] = (char)((tag & WBXML_IDENTITY) | bits);
    return 1;
}

static void put_end(eas_writer_t *w)
{
    if (reserve(w, 1))
        w->buf[w->len++] = WBXML_END;
}

void eas_w_open(eas_writer_t *w, eas_tag_t tag)
{
    w->depth++;
    w->pending = put_tag(w, tag, 0);
}

void eas_w_close(eas_writer_t *w)
{
    if (w->depth == 0) {
        set_error(w, eas_err_create(w->pool, EAS_E_INTERNAL, TAG, "more closed than opened"));
        return;
    }
    w->depth--;
    if (w->pending)
        w->pending = 0;
    else
        put_end(w);
}

void eas_w_empty(eas_writer_t *w, eas_tag_t tag)
{
    put_tag(w, tag, 0);
}

/* Text in the form it may go out. Dirty text is rare: it is cleaned in pieces, so that a large body
 * does not exist several times. */
static void put_text(eas_writer_t *w, const char *text, apr_size_t len)
{
    if (eas_text_clean(text, len)) {
        put(w, text, len);
        return;
    }
    if (!w->scratch)
        apr_pool_create(&w->scratch, w->pool);
    while (len && !w->err) {
        apr_size_t clean_len, n = eas_utf8_cut(text, len, SANITIZE_PIECE);
        const char *clean = eas_text_sanitize(&clean_len, text, n, w->scratch);
        put(w, clean, clean_len);
        text += n;
        len -= n;
        apr_pool_clear(w->scratch);
    }
}

void eas_w_strn(eas_writer_t *w, eas_tag_t tag, const char *text, apr_size_t len)
{
    if (!len) {
        put_tag(w, tag, 0);
        return;
    }
    if (!put_tag(w, tag, WBXML_HAS_CONTENT))
        return;
    w->buf[w->len++] = WBXML_STR_I;
    put_text(w, text, len);
    if (reserve(w, 2)) {
        w->buf[w->len++] = '\0';
        w->buf[w->len++] = WBXML_END;
    }
}

void eas_w_str(eas_writer_t *w, eas_tag_t tag, const char *text)
{
    eas_w_strn(w, tag, text, text ? strlen(text) : 0);
}

void eas_w_int(eas_writer_t *w, eas_tag_t tag, apr_int64_t value)
{
    char digits[20], *p = digits + sizeof(digits);
    apr_uint64_t v = value < 0 ? -(apr_uint64_t)value : (apr_uint64_t)value;
    apr_size_t n;

    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    if (value < 0)
        *--p = '-';
    n = digits + sizeof(digits) - p;
    if (!put_tag(w, tag, WBXML_HAS_CONTENT) || !reserve(w, n + 3))
        return;
    w->buf[w->len++] = WBXML_STR_I;
    memcpy(w->buf + w->len, p, n);
    w->len += n;
    w->buf[w->len++] = '\0';
    w->buf[w->len++] = WBXML_END;
}

void eas_w_opaque(eas_writer_t *w, eas_tag_t tag, const void *data, apr_size_t len)
{
    if (len > 0xFFFFFFFFU) {
        set_error(w, eas_err_create(w->pool, EAS_E_TOO_LARGE, TAG, "opaque data above 4 GB"));
        return;
    }
    if (!put_tag(w, tag, WBXML_HAS_CONTENT) || !reserve(w, 6))
        return;
    w->buf[w->len++] = (char)WBXML_OPAQUE;
    for (int shift = 28; shift > 0; shift -= 7) {
        if (len >> shift)
            w->buf[w->len++] = (char)(0x80 | (len >> shift & 0x7F));
    }
    w->buf[w->len++] = (char)(len & 0x7F);
    put(w, data, len);
    put_end(w);
}

/* The STR_I begins with the first byte of text: an element without any is an empty element. */
static int begin_string(eas_writer_t *w)
{
    if (w->in_text)
        return w->err == NULL;
    has_content(w);
    if (!reserve(w, 1))
        return 0;
    w->buf[w->len++] = WBXML_STR_I;
    w->in_text = 1;
    return 1;
}

void eas_w_base64(eas_writer_t *w, eas_tag_t tag, const void *data, apr_size_t len)
{
    const unsigned char *p = data;

    eas_w_text_begin(w, tag);
    while (len && !w->err) {
        apr_size_t n = len < BASE64_PIECE ? len : BASE64_PIECE;
        if (!begin_string(w) || !reserve(w, BASE64_PIECE / 3 * 4 + 1))
            break;
        /* writes a NUL behind; the length it returns counts it */
        w->len += apr_base64_encode_binary(w->buf + w->len, p, (int)n) - 1;
        p += n;
        len -= n;
    }
    eas_w_text_end(w);
}

void eas_w_text_begin(eas_writer_t *w, eas_tag_t tag)
{
    eas_w_open(w, tag);
    w->in_text = 0;
    w->carried = 0;
}

static unsigned sequence_length(unsigned char lead)
{
    return lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
}

/* Bytes at the end of the text which begin a character that is not complete. */
static unsigned open_tail(const char *text, apr_size_t len)
{
    for (unsigned n = 1; n <= 3 && n <= len; n++) {
        unsigned char c = (unsigned char)text[len - n];
        if ((c & 0xC0) != 0x80)
            return sequence_length(c) > n ? n : 0;
    }
    return 0;
}

void eas_w_text_piece(eas_writer_t *w, const char *text, apr_size_t len)
{
    unsigned tail;

    if (!len || !begin_string(w))
        return;
    if (w->carried) {
        unsigned want = sequence_length((unsigned char)w->carry[0]);
        while (w->carried < want && len && ((unsigned char)*text & 0xC0) == 0x80) {
            w->carry[w->carried++] = *text++;
            len--;
        }
        if (w->carried < want && !len)
            return;
        put_text(w, w->carry, w->carried);
        w->carried = 0;
    }
    tail = open_tail(text, len);
    put_text(w, text, len - tail);
    if (tail)
        memcpy(w->carry, text + len - tail, tail);
    w->carried = tail;
}

void eas_w_text_end(eas_writer_t *w)
{
    if (w->carried)
        put_text(w, w->carry, w->carried);
    w->carried = 0;
    if (w->in_text && reserve(w, 1))
        w->buf[w->len++] = '\0';
    w->in_text = 0;
    eas_w_close(w);
}

void eas_w_splice(eas_writer_t *w, const eas_writer_t *fragment)
{
    spill_t *spill = fragment->spill;

    if (w->err)
        return;
    if (fragment->err) {
        set_error(w, eas_err_wrap(w->pool, fragment->err, TAG, "a spliced fragment is broken"));
        return;
    }
    if (fragment->depth) {
        set_error(w,
                  eas_err_create(w->pool, EAS_E_INTERNAL, TAG, "a spliced fragment is not closed"));
        return;
    }
    if (!eas_w_size(fragment))
        return;
    has_content(w);
    if (!reserve(w, 2))
        return;
    if (fragment->first_page != w->page) {
        w->buf[w->len++] = WBXML_SWITCH_PAGE;
        w->buf[w->len++] = (char)fragment->first_page;
    }
    if (spill->spool && !spill->finished) {
        eas_err_t *err = eas_spool_finish(&spill->span, spill->spool);
        spill->finished = 1;
        if (err)
            set_error(w, err);
    }
    put(w, spill->span.data, spill->span.len);
    put(w, fragment->buf, fragment->len);
    w->page = fragment->page;
}

apr_size_t eas_w_size(const eas_writer_t *w)
{
    return w->spill->size + w->len;
}

eas_w_mark_t eas_w_mark(const eas_writer_t *w)
{
    return (eas_w_mark_t){
        .size = eas_w_size(w),
        .page = w->page,
        .depth = w->depth,
        .pending = w->pending ? (unsigned char)w->buf[w->len - 1] : 0,
    };
}

void eas_w_reset(eas_writer_t *w, eas_w_mark_t mark)
{
    if (w->err)
        return;
    /* the element that had no content then has none now: take its byte back and write it anew */
    if (mark.pending)
        mark.size--;
    if (mark.size >= w->spill->size) {
        w->len = mark.size - w->spill->size;
    } else {
        eas_err_t *err = eas_spool_truncate(w->spill->spool, mark.size);
        w->spill->size = mark.size;
        w->len = 0;
        if (err)
            set_error(w, err);
    }
    w->page = mark.page;
    w->depth = mark.depth;
    w->pending = 0;
    if (mark.pending && reserve(w, 1)) {
        w->buf[w->len++] = (char)mark.pending;
        w->pending = 1;
    }
}

eas_err_t *eas_w_finish(eas_span_t *out, eas_writer_t *w)
{
    if (!w->err && w->depth)
        w->err =
            eas_err_create(w->pool, EAS_E_INTERNAL, TAG, "%d elements are still open", w->depth);
    if (!w->err && w->spill->spool && !w->spill->finished) {
        w->err = eas_spool_write(w->spill->spool, w->buf, w->len);
        w->spill->size += w->len;
        w->len = 0;
        if (!w->err)
            w->err = eas_spool_finish(&w->spill->span, w->spill->spool);
        w->spill->finished = 1;
        free_buffer(w);
        w->cap = 0;
    }
    if (w->err)
        return w->err;
    *out = w->spill->spool ? w->spill->span : (eas_span_t){w->buf, w->len};
    return NULL;
}
