/* SPDX-License-Identifier: Apache-2.0 */
/* HTML to plain text in one pass. Tags are told from text as the HTML standard's tokenizer does it;
 * what an element means for text is a table. libxml2 names the entities. Its parser is not used: it
 * looks each attribute up among all before it and each end tag among all open elements, so 256 KB
 * of either kept it busy for 3 s. */
#include <string.h>
#include <strings.h>
#include <libxml/HTMLparser.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_mail.h"
#include "eas_text.h"

#define INPUT_MAX (2 * 1024 * 1024)
#define MAX_BREAKS 3 /* line ends in a row: two empty lines */

enum { BLOCK = 1, PARAGRAPH, BREAK, ITEM, CELL, RULE, IMAGE, PRE, RAW, HEAD };

/* RAW: everything up to the end tag is no text. */
static const struct {
    const char *name;
    int what;
} elements[] = {
    {"address", BLOCK},    {"article", BLOCK},  {"aside", BLOCK},    {"blockquote", PARAGRAPH},
    {"body", BLOCK},       {"br", BREAK},       {"center", BLOCK},   {"dd", BLOCK},
    {"div", BLOCK},        {"dl", PARAGRAPH},   {"dt", BLOCK},       {"fieldset", BLOCK},
    {"figure", BLOCK},     {"footer", BLOCK},   {"form", BLOCK},     {"h1", PARAGRAPH},
    {"h2", PARAGRAPH},     {"h3", PARAGRAPH},   {"h4", PARAGRAPH},   {"h5", PARAGRAPH},
    {"h6", PARAGRAPH},     {"head", HEAD},      {"header", BLOCK},   {"hr", RULE},
    {"iframe", RAW},       {"img", IMAGE},      {"li", ITEM},        {"listing", PRE},
    {"main", BLOCK},       {"nav", BLOCK},      {"noembed", RAW},    {"noframes", RAW},
    {"ol", PARAGRAPH},     {"option", BLOCK},   {"p", PARAGRAPH},    {"pre", PRE},
    {"script", RAW},       {"section", BLOCK},  {"style", RAW},      {"table", PARAGRAPH},
    {"td", CELL},          {"textarea", PRE},   {"th", CELL},        {"title", RAW},
    {"tr", BLOCK},         {"ul", PARAGRAPH},   {"xmp", PRE},
};

/* What &#128; to &#159; mean in mail: windows-1252. */
static const apr_uint16_t cp1252[32] = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

typedef struct html_t {
    const char *p, *end;
    eas_buf_t out;
    int breaks; /* line ends to write before the next text */
    int space;  /* a space, likewise */
    int item;   /* "- ", likewise */
    int pre;    /* depth */
    int head;   /* within head: nothing is text */
} html_t;

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static int is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void need_breaks(html_t *h, int n)
{
    if (h->breaks < n)
        h->breaks = n;
    h->space = 0;
}

/* Writes what is owed before text. */
static void settle(html_t *h)
{
    if (h->out.len)
        for (; h->breaks > 0; h->breaks--)
            eas_buf_bytes(&h->out, "\r\n", 2);
    h->breaks = 0;
    if (h->item)
        eas_buf_bytes(&h->out, "- ", 2);
    else if (h->space && h->out.len && h->out.data[h->out.len - 1] != '\n')
        eas_buf_bytes(&h->out, " ", 1);
    h->item = h->space = 0;
}

static void put_bytes(html_t *h, const char *s, apr_size_t len)
{
    if (h->head || !len)
        return;
    settle(h);
    eas_buf_bytes(&h->out, s, len);
}

static void put_char(html_t *h, unsigned c)
{
    char u[4];
    apr_size_t n = 0;

    if (c == 0xA0)
        c = ' ';
    else if (c >= 0x80 && c <= 0x9F)
        c = cp1252[c - 0x80];
    else if (!c || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE || c == 0xFFFF)
        c = 0xFFFD;
    else if (c == 0xAD || c == 0x7F || (c < ' ' && c != '\t' && c != '\n' && c != '\r'))
        return; /* soft hyphen, control characters */
    if (c < 0x80) {
        u[n++] = (char)c;
    } else if (c < 0x800) {
        u[n++] = (char)(0xC0 | c >> 6);
        u[n++] = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        u[n++] = (char)(0xE0 | c >> 12);
        u[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        u[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        u[n++] = (char)(0xF0 | c >> 18);
        u[n++] = (char)(0x80 | (c >> 12 & 0x3F));
        u[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        u[n++] = (char)(0x80 | (c & 0x3F));
    }
    put_bytes(h, u, n);
}

static int digit(char c, int base)
{
    int v = c >= '0' && c <= '9'                 ? c - '0'
            : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                 : 99;
    return v < base ? v : -1;
}

/* A character reference at p (behind the '&'); its length, 0 = none. */
static apr_size_t reference(unsigned *c, const char *p, const char *end)
{
    char name[12];
    apr_size_t n = 0, start;

    if (p < end && *p == '#') {
        int base = p + 1 < end && (p[1] | 32) == 'x' ? 16 : 10;
        n = start = base == 16 ? 2 : 1;
        for (*c = 0; p + n < end && digit(p[n], base) >= 0; n++)
            if (*c <= 0x10FFFF)
                *c = *c * base + digit(p[n], base);
        if (n == start)
            return 0;
        return n + (p + n < end && p[n] == ';');
    }
    while (p + n < end && n < sizeof(name) - 1 && is_name(p[n])) {
        name[n] = p[n];
        n++;
    }
    name[n] = '\0';
    const htmlEntityDesc *e = n ? htmlEntityLookup((const xmlChar *)name) : NULL;
    if (!e)
        return 0;
    *c = e->value;
    return n + (p + n < end && p[n] == ';');
}

/* Text between tags (@a end), or an attribute's value. */
static void put_text(html_t *h, const char *p, const char *end)
{
    while (p < end) {
        const char *run = p;
        unsigned c;
        apr_size_t n;

        while (p < end && *p != '&' && !is_space(*p) && *p != '\xC2' && *p != '\xE2')
            p++;
        put_bytes(h, run, p - run);
        if (p == end)
            break;
        if (is_space(*p)) {
            if (!h->pre) {
                h->space = 1;
            } else if (*p == '\n') {
                settle(h);
                eas_buf_bytes(&h->out, "\r\n", 2);
            } else if (*p != '\r') {
                put_bytes(h, p, 1);
            }
            p++;
        } else if (*p == '&') {
            n = reference(&c, p + 1, end);
            if (n)
                put_char(h, c);
            else
                put_bytes(h, "&", 1);
            p += 1 + n;
        } else if (end - p >= 2 && *p == '\xC2' && (p[1] == '\xA0' || p[1] == '\xAD')) {
            put_char(h, (unsigned char)p[1]);
            p += 2;
        } else if (end - p >= 3 && memcmp(p, "\xE2\x80\x8B", 3) == 0) {
            p += 3; /* zero width space */
        } else {
            put_bytes(h, p, 1);
            p++;
        }
    }
}

static int element(const char *name, apr_size_t len)
{
    int lo = 0, hi = (int)(sizeof(elements) / sizeof(*elements)) - 1;
    while (lo <= hi) {
        int mid = (lo + hi) / 2;
        int c = (name[0] | 32) - elements[mid].name[0];
        if (c == 0)
            c = strncasecmp(name, elements[mid].name, len);
        if (c == 0)
            c = elements[mid].name[len] ? -1 : 0;
        if (c == 0)
            return elements[mid].what;
        if (c < 0)
            hi = mid - 1;
        else
            lo = mid + 1;
    }
    return 0;
}

/* Passes over attributes to behind the '>'; gives the value of alt. */
static void attributes(html_t *h, eas_span_t *alt)
{
    const char *p = h->p, *end = h->end;

    alt->len = 0;
    while (p < end && *p != '>') {
        const char *name, *value;
        apr_size_t len, vlen;

        if (is_space(*p) || *p == '/') {
            p++;
            continue;
        }
        name = p++;
        while (p < end && !is_space(*p) && *p != '/' && *p != '>' && *p != '=')
            p++;
        len = p - name;
        while (p < end && is_space(*p))
            p++;
        if (p == end || *p != '=')
            continue;
        p++;
        while (p < end && is_space(*p))
            p++;
        if (p < end && (*p == '"' || *p == '\'')) {
            const char *close = memchr(p + 1, *p, end - p - 1);
            value = p + 1;
            vlen = (close ? close : end) - value;
            p = close ? close + 1 : end;
        } else {
            value = p;
            while (p < end && !is_space(*p) && *p != '>')
                p++;
            vlen = p - value;
        }
        if (len == 3 && strncasecmp(name, "alt", 3) == 0) {
            alt->data = value;
            alt->len = vlen;
        }
    }
    h->p = p < end ? p + 1 : end;
}

/* Behind "</name", where the attributes of the end tag begin; or the end of input. */
static const char *end_tag(const char *p, const char *end, const char *name, apr_size_t len)
{
    while ((p = memchr(p, '<', end - p)) != NULL) {
        if ((apr_size_t)(end - p) >= len + 2 && p[1] == '/' && strncasecmp(p + 2, name, len) == 0 &&
            ((apr_size_t)(end - p) == len + 2 || !is_name(p[len + 2])))
            return p;
        p++;
    }
    return end;
}

static void apply(html_t *h, int what, int closing, eas_span_t alt)
{
    if (what && what != IMAGE)
        h->head = what == HEAD && !closing;
    switch (what) {
    case BLOCK:
        need_breaks(h, 1);
        break;
    case PARAGRAPH:
        need_breaks(h, 2);
        break;
    case BREAK:
        h->breaks += h->breaks < MAX_BREAKS;
        h->space = 0;
        break;
    case ITEM:
        need_breaks(h, 1);
        h->item = !closing;
        break;
    case CELL:
        h->space = 1;
        break;
    case RULE:
        need_breaks(h, 1);
        put_bytes(h, "----------", 10);
        need_breaks(h, 1);
        break;
    case IMAGE:
        put_text(h, alt.data, alt.data + alt.len);
        break;
    case PRE:
        need_breaks(h, 1);
        h->pre = !closing;
        break;
    default:
        break;
    }
}

/* At a '<': passes over the markup; 0 when it is only a character. */
static int markup(html_t *h)
{
    const char *p = h->p + 1, *end = h->end, *name, *close;
    eas_span_t alt = {"", 0};
    apr_size_t len;
    int closing, what;

    if (p == end)
        return 0;
    if (*p == '!' || *p == '?') {
        if (end - p >= 3 && memcmp(p, "!--", 3) == 0) {
            for (p += 3; (p = memchr(p, '-', end - p)) != NULL; p++)
                if (end - p >= 3 && p[1] == '-' && p[2] == '>')
                    break;
            h->p = p ? p + 3 : end;
        } else {
            close = memchr(p, '>', end - p);
            h->p = close ? close + 1 : end;
        }
        return 1;
    }
    closing = *p == '/';
    p += closing;
    if (p == end || (*p | 32) < 'a' || (*p | 32) > 'z')
        return 0;
    for (name = p; p < end && !is_space(*p) && *p != '/' && *p != '>';)
        p++;
    len = p - name;
    what = element(name, len);
    h->p = p;
    attributes(h, &alt);
    if (what == RAW) {
        if (!closing)
            h->p = end_tag(h->p, end, name, len);
        return 1;
    }
    apply(h, what, closing, alt);
    if (what == PRE && !closing && h->p < end && *h->p == '\n')
        h->p++; /* the line end behind <pre> is not part of it */
    return 1;
}

char *eas_html_to_text(apr_size_t *outlen, const char *html, apr_size_t len, apr_pool_t *pool)
{
    html_t h = {.p = html};

    if (len > INPUT_MAX)
        len = eas_utf8_cut(html, len, INPUT_MAX);
    if (!eas_text_clean(html, len))
        html = h.p = eas_text_sanitize(&len, html, len, pool);
    h.end = html + len;
    eas_buf_init(&h.out, len / 2 + 64, pool);
    while (h.p < h.end) {
        const char *lt = memchr(h.p, '<', h.end - h.p);
        put_text(&h, h.p, lt ? lt : h.end);
        h.p = lt ? lt : h.end;
        if (lt && !markup(&h)) {
            put_bytes(&h, "<", 1);
            h.p++;
        }
    }
    while (h.out.len && is_space(h.out.data[h.out.len - 1]))
        h.out.len--;
    eas_buf_u8(&h.out, 0);
    if (outlen)
        *outlen = h.out.len - 1;
    return h.out.data;
}
