/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a message, found in one pass over its lines (RFC 2046 5.1). gmime's own parser
 * builds an object for every header and part before anybody can say stop: 4 MB of empty parts cost
 * it 6 s and 1 GB. Here a part is a few spans, their number and depth are limited, and the pass is
 * linear. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "mail_priv.h"

#define MAX_BOUNDARY 250

typedef struct scan_level_t {
    mail_part_t *part;
    const char *boundary;
    apr_size_t len;
} scan_level_t;

typedef struct scan_t {
    const char *end;
    apr_pool_t *pool;
    scan_level_t level[MAIL_MAX_DEPTH];
    int depth;
    int nparts;
} scan_t;

static const struct {
    const char *name;
    unsigned char len;
} headers[] = {
#define X(id, name) {name, sizeof(name) - 1},
    MAIL_HEADERS(X)
#undef X
};

/* Behind the end of the line that begins at p. */
static const char *next_line(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', end - p);
    return nl ? nl + 1 : end;
}

/* The line without its end. */
static apr_size_t line_len(const char *p, const char *next)
{
    apr_size_t n = next - p;
    if (n && p[n - 1] == '\n')
        n--;
    if (n && p[n - 1] == '\r')
        n--;
    return n;
}

/* Which open multipart the line belongs to; -1 = none. A boundary may be followed by blanks. */
static int match_boundary(int *closing, const scan_t *s, const char *line, apr_size_t len)
{
    if (len < 3 || line[0] != '-' || line[1] != '-' || !s->depth || len > MAX_BOUNDARY + 256)
        return -1;
    line += 2;
    len -= 2;
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    for (int i = s->depth - 1; i >= 0; i--) {
        const scan_level_t *l = &s->level[i];
        if (len == l->len && memcmp(line, l->boundary, len) == 0) {
            *closing = 0;
            return i;
        }
        if (len == l->len + 2 && line[len - 1] == '-' && line[len - 2] == '-' &&
            memcmp(line, l->boundary, l->len) == 0) {
            *closing = 1;
            return i;
        }
    }
    return -1;
}

/* Length of the field name when the line is a header field, else 0. */
static apr_size_t field_name(apr_size_t *colon, const char *line, apr_size_t len)
{
    apr_size_t n = 0, name;
    while (n < len && (unsigned char)line[n] > ' ' && line[n] != ':' && line[n] != 0x7F)
        n++;
    name = n;
    while (n < len && (line[n] == ' ' || line[n] == '\t'))
        n++;
    *colon = n;
    return n < len && line[n] == ':' ? name : 0;
}

/* Reads the header block at p; gives the start of the body. */
static const char *scan_headers(const scan_t *s, mail_part_t *part, const char *p)
{
    const char *start = p;
    eas_span_t *current = NULL;

    while (p < s->end) {
        const char *next = next_line(p, s->end);
        apr_size_t len = line_len(p, next), name, colon;
        int closing;

        if (!len)
            return next;
        if (*p == ' ' || *p == '\t') {
            if (current)
                current->len = p + len - current->data;
        } else if ((name = field_name(&colon, p, len))) {
            current = NULL;
            for (int i = 0; p - start < MAIL_MAX_HEADERS && i < MH_COUNT; i++)
                if (headers[i].len == name && strncasecmp(p, headers[i].name, name) == 0) {
                    if (!part->hdr[i].data) {
                        current = &part->hdr[i];
                        current->data = p + colon + 1;
                        current->len = len - colon - 1;
                    }
                    break;
                }
        } else if (match_boundary(&closing, s, p, len) >= 0) {
            return p;
        } else if (p != start || len < 5 || strncmp(p, "From ", 5) != 0) {
            return p; /* no empty line before the body */
        }
        p = next;
    }
    return p;
}

char *mail_hdr_raw(const mail_part_t *part, mail_hdr_t id, apr_size_t max, apr_pool_t *pool)
{
    eas_span_t v = part->hdr[id];
    char *out, *o;

    if (!v.data)
        return NULL;
    if (v.len > max)
        v.len = max;
    o = out = apr_palloc(pool, v.len + 1);
    for (apr_size_t i = 0; i < v.len; i++) {
        char c = v.data[i];
        if (c == '\n' || c == '\0')
            continue;
        if (c == '\r' && i + 1 < v.len && v.data[i + 1] == '\n')
            continue;
        *o++ = c;
    }
    *o = '\0';
    while (*out == ' ' || *out == '\t')
        out++;
    while (o > out && (o[-1] == ' ' || o[-1] == '\t' || o[-1] == '\r'))
        *--o = '\0';
    return out;
}

const char *mail_ct_param(const mail_part_t *part, const char *name)
{
    return part->ct ? g_mime_content_type_get_parameter(part->ct, name) : NULL;
}

static char *lower(char *s)
{
    for (char *p = s; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return s;
}

static void read_type(mail_part_t *part, apr_pool_t *pool)
{
    char *v = mail_hdr_raw(part, MH_CONTENT_TYPE, 8192, pool);
    const char *type, *sub;

    part->type = part->parent && strcmp(part->parent->type, "multipart/digest") == 0
                     ? "message/rfc822"
                     : "text/plain";
    if (v && *v) {
        part->ct = mail_gmime_hold(g_mime_content_type_parse(mail_gmime_options(), v), pool);
        type = g_mime_content_type_get_media_type(part->ct);
        sub = g_mime_content_type_get_media_subtype(part->ct);
        if (type && *type) {
            const char *full = apr_pstrcat(pool, type, "/", sub ? sub : "", NULL);
            part->type = lower(mail_line(full, strlen(full), 127, pool));
        }
        if (strcmp(part->type, "text/") == 0)
            part->type = "text/plain";
    }
    v = mail_hdr_raw(part, MH_CONTENT_ENCODING, 64, pool);
    part->encoding = v ? g_mime_content_encoding_from_string(v) : GMIME_CONTENT_ENCODING_DEFAULT;
    v = mail_hdr_raw(part, MH_CONTENT_DISPOSITION, 8192, pool);
    if (v && *v)
        part->disp =
            mail_gmime_hold(g_mime_content_disposition_parse(mail_gmime_options(), v), pool);
}

/* Begins a part at p: headers, type; opens a level when it is a multipart. */
static const char *begin_part(scan_t *s, mail_part_t **out, mail_part_t *parent, const char *p)
{
    mail_part_t *part = apr_pcalloc(s->pool, sizeof(*part));

    s->nparts++;
    part->parent = parent;
    if (parent) {
        if (parent->last)
            parent->last->next = part;
        else
            parent->first = part;
        parent->last = part;
        part->section = apr_psprintf(s->pool, "%s%s%d", parent->section,
                                     *parent->section ? "." : "", ++parent->count);
    }
    p = scan_headers(s, part, p);
    part->body.data = p;
    read_type(part, s->pool);
    if (strncmp(part->type, "multipart/", 10) == 0 && s->depth < MAIL_MAX_DEPTH) {
        const char *boundary = mail_ct_param(part, "boundary");
        apr_size_t len = boundary ? strlen(boundary) : 0;
        while (len && (boundary[len - 1] == ' ' || boundary[len - 1] == '\t'))
            len--;
        if (len && len <= MAX_BOUNDARY) {
            scan_level_t *l = &s->level[s->depth++];
            l->part = part;
            l->boundary = boundary;
            l->len = len;
            part->multipart = 1;
        }
    }
    if (!parent)
        part->section = part->multipart ? "" : "1";
    *out = part;
    return p;
}

/* The end of line before a boundary belongs to the boundary. */
static void end_part(mail_part_t *part, const char *p)
{
    const char *start = part->body.data;
    if (p > start && p[-1] == '\n')
        p--;
    if (p > start && p[-1] == '\r')
        p--;
    part->body.len = p - start;
}

/* A multipart in which no boundary ever came is shown as the text it is. */
static void mend_childless(mail_part_t *part)
{
    for (mail_part_t *c = part->first; c; c = c->next)
        if (c->multipart)
            mend_childless(c);
    if (part->multipart && !part->first) {
        part->multipart = 0;
        part->type = "text/plain";
        if (!*part->section)
            part->section = "1";
    }
}

mail_part_t *mail_scan(int *nparts, eas_span_t source, apr_pool_t *pool)
{
    scan_t *s = apr_pcalloc(pool, sizeof(*s));
    mail_part_t *root, *leaf;
    const char *p;
    int full = 0;

    mail_gmime_start();
    s->end = source.data + source.len;
    s->pool = pool;
    p = begin_part(s, &root, NULL, source.data);
    leaf = root->multipart ? NULL : root;
    while (s->depth && p < s->end && !full) {
        const char *next = next_line(p, s->end);
        int closing = 0, i = match_boundary(&closing, s, p, line_len(p, next));
        if (i >= 0) {
            if (leaf)
                end_part(leaf, p);
            leaf = NULL;
            while (s->depth > i + (closing ? 0 : 1))
                end_part(s->level[--s->depth].part, p);
            if (closing) {
                ;
            } else if (s->nparts >= MAIL_MAX_PARTS) {
                full = 1;
            } else {
                next = begin_part(s, &leaf, s->level[i].part, next);
                if (leaf->multipart)
                    leaf = NULL;
            }
        }
        p = next;
    }
    if (leaf)
        leaf->body.len = s->end - leaf->body.data;
    while (s->depth) {
        mail_part_t *open = s->level[--s->depth].part;
        open->body.len = s->end - open->body.data;
    }
    mend_childless(root);
    /* a multipart without boundary, or too deep, was never opened */
    if (!root->multipart && strncmp(root->type, "multipart/", 10) == 0)
        root->type = "text/plain";
    *nparts = s->nparts;
    return root;
}
