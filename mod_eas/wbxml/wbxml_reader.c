/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WBXML bytes to a tree. One loop over the tokens, no recursion; the parent pointers are the stack.
 * Whatever a document makes us allocate or look at is bounded by its own length: nodes by the limit
 * of elements (and one byte each), text is not copied except when an element has several runs, and
 * text out of the string table, which a reference of two bytes could repeat without end, counts
 * against the length of the document.
 */
#include "eas_wbxml.h"

#include <string.h>
#include <apr_strings.h>

#include "eas_text.h"
#include "wbxml_tokens.h"

#define TAG "wbxml.read"

const eas_wbxml_limits_t eas_wbxml_limits = {
    .depth = 64,
    .elements = 100000,
    .string = 8 * 1024 * 1024,
    .opaque = ~(apr_size_t)0,
};

enum { FIRST_SLAB = 32, LAST_SLAB = 1024 };

typedef struct reader_t {
    const unsigned char *start, *p, *end;
    const eas_wbxml_limits_t *limits;
    apr_pool_t *pool;
    eas_err_t *err;
    eas_node_t *root, *cur;
    eas_node_t *slab;             /* nodes not yet given out */
    unsigned slab_left, slab_size;
    unsigned depth, elements;
    int page;
    const unsigned char *table;   /* string table */
    apr_size_t table_len, table_budget;
    char *joined;                 /* buffer of cur's text, when it was copied together */
    apr_size_t joined_cap;
} reader_t;

/* Remembers the error; @a at is the byte it is about. Always 0, for `return FAIL(...)`. */
#define FAIL(r, at, ...) fail_at(r, at, apr_psprintf((r)->pool, __VA_ARGS__))

static int fail_at(reader_t *r, const unsigned char *at, const char *what)
{
    r->err = eas_err_create(r->pool, EAS_E_BAD_WBXML, TAG, "%s at byte %" APR_SIZE_T_FMT, what,
                            (apr_size_t)(at - r->start));
    return 0;
}

/* mb_u_int32: seven bits a byte, the highest bit says that more follow (WAP-192 5.1). */
static int read_mb(apr_uint32_t *value, reader_t *r)
{
    const unsigned char *at = r->p;
    apr_uint64_t v = 0;

    for (int i = 0; i < 5; i++) {
        if (r->p == r->end)
            return FAIL(r, at, "cut off inside a number");
        v = v << 7 | (*r->p & 0x7F);
        if (!(*r->p++ & 0x80)) {
            if (v > 0xFFFFFFFFU)
                break;
            *value = (apr_uint32_t)v;
            return 1;
        }
    }
    return FAIL(r, at, "number of more than 32 bits");
}

static int read_header(reader_t *r)
{
    const unsigned char *at = r->p;
    apr_uint32_t public_id, charset, index;

    if (r->p == r->end)
        return FAIL(r, at, "no document");
    if (*r->p < 0x01 || *r->p > 0x03)
        return FAIL(r, at, "WBXML version 0x%02x is not known", *r->p);
    r->p++;
    if (!read_mb(&public_id, r) || (public_id == 0 && !read_mb(&index, r)))
        return 0;
    at = r->p;
    if (!read_mb(&charset, r))
        return 0;
    if (charset != 106) /* IANA MIBenum of UTF-8 */
        return FAIL(r, at, "character set %u is not UTF-8", charset);
    at = r->p;
    if (!read_mb(&index, r))
        return 0;
    if (index > (apr_size_t)(r->end - r->p))
        return FAIL(r, at, "string table longer than the document");
    if (index > r->limits->string)
        return FAIL(r, at, "string table over the limit of %" APR_SIZE_T_FMT " bytes",
                    r->limits->string);
    if (!eas_utf8_valid((const char *)r->p, index))
        return FAIL(r, r->p, "invalid UTF-8 in the string table");
    r->table = r->p;
    r->table_len = index;
    r->table_budget = r->end - r->start;
    r->p += index;
    return 1;
}

static eas_node_t *new_node(reader_t *r)
{
    if (!r->slab_left) {
        r->slab_size = r->slab_size ? r->slab_size * 2 : FIRST_SLAB;
        if (r->slab_size > LAST_SLAB)
            r->slab_size = LAST_SLAB;
        r->slab = apr_palloc(r->pool, r->slab_size * sizeof(*r->slab));
        r->slab_left = r->slab_size;
    }
    r->slab_left--;
    return r->slab++;
}

static int read_element(reader_t *r, unsigned token)
{
    const unsigned char *at = r->p - 1;
    unsigned identity = token & WBXML_IDENTITY;
    eas_node_t *node, *parent = r->cur;

    if (token & WBXML_HAS_ATTRIBUTES)
        return FAIL(r, at, "attributes (token 0x%02x) do not exist in ActiveSync", token);
    if (!(wbxml_known[r->page] >> identity & 1)) {
        return FAIL(r, at, "unknown token 0x%02x on page %d (%s)", identity, r->page,
                    eas_tag_page_name((eas_tag_t)(r->page << 8)));
    }
    if (r->elements >= r->limits->elements)
        return FAIL(r, at, "more than %u elements", r->limits->elements);
    if (r->depth >= r->limits->depth)
        return FAIL(r, at, "nested deeper than %u", r->limits->depth);
    if (parent && parent->len)
        return FAIL(r, at, "an element beside text");
    r->elements++;
    node = new_node(r);
    *node = (eas_node_t){
        .tag = (eas_tag_t)(r->page << 8 | identity),
        .content = (token & WBXML_HAS_CONTENT) != 0,
        .parent = parent,
    };
    if (!parent)
        r->root = node;
    else if (parent->last)
        parent->last = parent->last->next = node;
    else
        parent->first = parent->last = node;
    if (node->content) {
        r->cur = node;
        r->depth++;
        r->joined = NULL;
    }
    return 1;
}

/* Gives the current element a run of text: in place, or behind what it has already. */
static int add_text(reader_t *r, const unsigned char *at, const char *data, apr_size_t len,
                    int opaque)
{
    eas_node_t *node = r->cur;
    apr_size_t limit, total;

    if (!node)
        return FAIL(r, at, "text outside of the document element");
    if (len && node->first)
        return FAIL(r, at, "text beside an element");
    if (opaque)
        node->opaque = 1;
    limit = node->opaque ? r->limits->opaque : r->limits->string;
    if (len > limit || node->len > limit - len)
        return FAIL(r, at, "%s over the limit of %" APR_SIZE_T_FMT " bytes",
                    opaque ? "opaque data" : "string", limit);
    total = node->len + len;
    if (!node->len || !len) {
        if (!node->len) {
            node->data = data;
            node->len = len;
        }
        return 1;
    }
    if (!r->joined || total > r->joined_cap) {
        r->joined_cap = total * 2;
        r->joined = apr_palloc(r->pool, r->joined_cap);
        memcpy(r->joined, node->data, node->len);
        node->data = r->joined;
    }
    memcpy(r->joined + node->len, data, len);
    node->len = total;
    return 1;
}

/* The string at the place of reading, up to its NUL: most are short and ASCII, so eight bytes at a
 * time are asked whether one of them is NUL or has the high bit. */
static int read_inline(reader_t *r)
{
    static const apr_uint64_t ones = ~(apr_uint64_t)0 / 255, highs = ~(apr_uint64_t)0 / 255 * 0x80;
    const unsigned char *at = r->p - 1, *from = r->p, *p = from, *nul;

    for (apr_uint64_t v; r->end - p >= 8; p += 8) {
        memcpy(&v, p, 8);
        if (((v - ones) | v) & highs)
            break;
    }
    while (p < r->end && *p && *p < 0x80)
        p++;
    nul = p;
    if (p < r->end && *p) {
        nul = memchr(p, 0, r->end - p);
        if (nul && !eas_utf8_valid((const char *)p, nul - p))
            return FAIL(r, at, "invalid UTF-8 in a string");
    }
    if (!nul || nul == r->end)
        return FAIL(r, at, "string without an end");
    r->p = nul + 1;
    return add_text(r, at, (const char *)from, nul - from, 0);
}

static int read_table_string(reader_t *r)
{
    const unsigned char *at = r->p - 1, *from, *nul;
    apr_uint32_t index;
    apr_size_t most;

    if (!read_mb(&index, r))
        return 0;
    if (index >= r->table_len)
        return FAIL(r, at, "reference behind the end of the string table");
    from = r->table + index;
    if ((*from & 0xC0) == 0x80)
        return FAIL(r, at, "reference into the middle of a character");
    most = r->table_len - index;
    if (most > r->table_budget)
        most = r->table_budget;
    nul = memchr(from, 0, most);
    if (!nul && most == r->table_len - index)
        return FAIL(r, at, "string without an end");
    if (!nul)
        return FAIL(r, at, "more text out of the string table than the document has bytes");
    r->table_budget -= nul - from + 1;
    return add_text(r, at, (const char *)from, nul - from, 0);
}

static int read_entity(reader_t *r)
{
    const unsigned char *at = r->p - 1;
    apr_uint32_t c;
    char utf8[4];
    apr_size_t n;

    if (!read_mb(&c, r))
        return 0;
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return FAIL(r, at, "entity %u is no character", c);
    n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (apr_size_t i = n - 1; i > 0; i--, c >>= 6)
        utf8[i] = (char)(0x80 | (c & 0x3F));
    utf8[0] = (char)(n == 1 ? c : (0xF00U >> n & 0xFF) | c);
    if (!add_text(r, at, utf8, n, 0))
        return 0;
    if (r->cur->data == utf8)
        r->cur->data = apr_pmemdup(r->pool, utf8, n);
    return 1;
}

static int read_opaque(reader_t *r)
{
    const unsigned char *at = r->p - 1, *data;
    apr_uint32_t len;

    if (!read_mb(&len, r))
        return 0;
    if (len > (apr_size_t)(r->end - r->p))
        return FAIL(r, at, "opaque data of %u bytes longer than the document", len);
    data = r->p;
    r->p += len;
    return add_text(r, at, (const char *)data, len, 1);
}

static int switch_page(reader_t *r)
{
    const unsigned char *at = r->p - 1;

    if (r->p == r->end)
        return FAIL(r, at, "cut off inside a page switch");
    if (!wbxml_known[*r->p])
        return FAIL(r, at, "unknown page %d", *r->p);
    r->page = *r->p++;
    return 1;
}

static int end_element(reader_t *r)
{
    if (!r->cur)
        return FAIL(r, r->p - 1, "END without an element");
    r->cur = r->cur->parent;
    r->depth--;
    r->joined = NULL;
    return 1;
}

static int read_token(reader_t *r)
{
    unsigned token = *r->p++;

    switch (token) {
    case WBXML_SWITCH_PAGE: return switch_page(r);
    case WBXML_END: return end_element(r);
    case WBXML_ENTITY: return read_entity(r);
    case WBXML_STR_I: return read_inline(r);
    case WBXML_STR_T: return read_table_string(r);
    case WBXML_OPAQUE: return read_opaque(r);
    }
    if ((token & WBXML_IDENTITY) < 5)
        return FAIL(r, r->p - 1, "global token 0x%02x does not exist in ActiveSync", token);
    return read_element(r, token);
}

eas_err_t *eas_wbxml_read(eas_node_t **root, const char *data, apr_size_t len,
                          const eas_wbxml_limits_t *limits, apr_pool_t *pool)
{
    reader_t reader = {
        .start = (const unsigned char *)data,
        .p = (const unsigned char *)data,
        .end = (const unsigned char *)data + len,
        .limits = limits ? limits : &eas_wbxml_limits,
        .pool = pool,
    }, *r = &reader;

    *root = NULL;
    if (!read_header(r))
        return r->err;
    do {
        if (r->p == r->end) {
            FAIL(r, r->p, r->root ? "cut off inside an element" : "no document element");
            return r->err;
        }
        if (!read_token(r))
            return r->err;
    } while (!r->root || r->cur);
    if (r->p != r->end) {
        FAIL(r, r->p, "data behind the document element");
        return r->err;
    }
    *root = r->root;
    return NULL;
}
