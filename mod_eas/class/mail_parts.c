/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a message are for: body text, or attachment (RFC 2046, 2387, 1847). */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "eas_text.h"
#include "mail_priv.h"

/* Names for parts that have none. */
static const struct {
    const char *type, *extension;
} extensions[] = {
    {"message/rfc822", "eml"},
    {"application/pdf", "pdf"},
    {"application/zip", "zip"},
    {"application/msword", "doc"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
    {"application/rtf", "rtf"},
    {"application/json", "json"},
    {"application/xml", "xml"},
    {"application/ics", "ics"},
    {"application/pgp-signature", "asc"},
    {"application/pgp-encrypted", "asc"},
    {"application/pkcs7-signature", "p7s"},
    {"application/x-pkcs7-signature", "p7s"},
    {"application/pkcs7-mime", "p7m"},
    {"application/x-pkcs7-mime", "p7m"},
    {"application/ms-tnef", "dat"},
    {"text/plain", "txt"},
    {"text/html", "html"},
    {"text/calendar", "ics"},
    {"text/csv", "csv"},
    {"text/vcard", "vcf"},
    {"text/x-vcard", "vcf"},
    {"text/rfc822-headers", "txt"},
    {"message/delivery-status", "txt"},
    {"message/disposition-notification", "txt"},
    {"image/jpeg", "jpg"},
    {"image/png", "png"},
    {"image/gif", "gif"},
    {"image/bmp", "bmp"},
    {"image/tiff", "tif"},
    {"image/webp", "webp"},
    {"image/svg+xml", "svg"},
    {"image/heic", "heic"},
    {"audio/mpeg", "mp3"},
    {"audio/wav", "wav"},
    {"audio/x-wav", "wav"},
    {"audio/mp4", "m4a"},
    {"video/mp4", "mp4"},
    {"video/quicktime", "mov"},
};

static const char *extension(const char *type)
{
    for (unsigned i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
        if (strcmp(extensions[i].type, type) == 0)
            return extensions[i].extension;
    return "bin";
}

/* Keeps the end of the name, which says what it is. */
static const char *shorten(const char *name, apr_pool_t *pool)
{
    const char *dot = strrchr(name, '.');
    apr_size_t len = strlen(name), tail = dot && strlen(dot) <= 16 ? strlen(dot) : 0;
    if (len <= MAIL_MAX_NAME)
        return name;
    return apr_pstrcat(pool,
                       apr_pstrmemdup(pool, name, eas_utf8_cut(name, len, MAIL_MAX_NAME - tail)),
                       tail ? dot : "", NULL);
}

const char *mail_att_name(const char *given, const char *type, const char *section,
                          apr_pool_t *pool)
{
    char *name = mail_line(given ? given : "", given ? strlen(given) : 0, MAIL_MAX_LINE, pool);

    while (*name == '.' || *name == ' ')
        name++;
    if (*name) {
        for (char *p = name; *p; p++)
            if (*p == '/' || *p == '\\')
                *p = '_';
        if (strcmp(type, "message/rfc822") == 0 &&
            (strlen(name) < 4 || strcasecmp(name + strlen(name) - 4, ".eml") != 0))
            name = apr_pstrcat(pool, name, ".eml", NULL);
        return shorten(name, pool);
    }
    return apr_psprintf(pool, "attachment-%s.%s", section, extension(type));
}

static const char *part_filename(const mail_part_t *part)
{
    const char *name =
        part->disp ? g_mime_content_disposition_get_parameter(part->disp, "filename") : NULL;
    return name && *name ? name : mail_ct_param(part, "name");
}

static int disposition_is(const mail_part_t *part, const char *what)
{
    const char *d = part->disp ? g_mime_content_disposition_get_disposition(part->disp) : NULL;
    return d && strcasecmp(d, what) == 0;
}

/* The name of an embedded message is its subject. */
static const char *embedded_subject(const mail_part_t *part, apr_pool_t *pool)
{
    eas_span_t head = part->body;
    mail_part_t *inner = apr_pcalloc(pool, sizeof(*inner));
    const char *p = head.data, *end = p + (head.len < 65536 ? head.len : 65536);

    while (p < end && *p != '\r' && *p != '\n') {
        const char *nl = memchr(p, '\n', end - p);
        if (end - p > 8 && strncasecmp(p, "subject:", 8) == 0) {
            inner->hdr[MH_SUBJECT].data = p + 8;
            while (nl && nl + 1 < end && (nl[1] == ' ' || nl[1] == '\t'))
                nl = memchr(nl + 1, '\n', end - nl - 1);
            inner->hdr[MH_SUBJECT].len = (nl ? nl : end) - (p + 8);
            return mail_hdr_text(inner, MH_SUBJECT, MAIL_MAX_NAME, pool);
        }
        p = nl ? nl + 1 : end;
    }
    return NULL;
}

/* Counting would mean decoding; the lines of base64 have one length but for the last. */
static apr_int64_t estimate_size(const mail_part_t *part)
{
    apr_size_t len = part->body.len, eol = 0, line;
    const char *nl;

    if (part->encoding == GMIME_CONTENT_ENCODING_UUENCODE)
        return len / 62 * 45 + len % 62 * 45 / 62;
    if (part->encoding != GMIME_CONTENT_ENCODING_BASE64 || !len)
        return len;
    nl = memchr(part->body.data, '\n', len);
    if (nl && nl > part->body.data) {
        eol = nl[-1] == '\r' ? 2 : 1;
        line = nl + 1 - part->body.data;
        len -= len / line * eol;
    }
    for (const char *p = part->body.data + part->body.len; p > part->body.data && len; p--) {
        if (p[-1] == '=')
            len--;
        else if (p[-1] != '\n' && p[-1] != '\r')
            break;
    }
    return (apr_int64_t)len * 3 / 4;
}

static const char *bare_id(const char *raw, apr_pool_t *pool)
{
    apr_size_t len;
    if (!raw)
        return NULL;
    if (*raw == '<')
        raw++;
    len = strcspn(raw, ">");
    raw = mail_line(raw, len, MAIL_MAX_LINE, pool);
    return *raw ? raw : NULL;
}

static void add_attachment(eas_mail_view_t *view, mail_part_t *part)
{
    mail_att_t *a = apr_array_push(view->atts);
    const char *given = part_filename(part);

    memset(a, 0, sizeof(*a));
    a->part = part;
    a->section = part->section;
    a->type = part->type;
    a->method = strcmp(part->type, "message/rfc822") == 0 ? 5 : 1;
    if (!given && a->method == 5)
        given = embedded_subject(part, view->pool);
    a->name = mail_att_name(given, part->type, part->section, view->pool);
    a->content_id =
        bare_id(mail_hdr_raw(part, MH_CONTENT_ID, MAIL_MAX_LINE, view->pool), view->pool);
    a->location = mail_hdr_text(part, MH_CONTENT_LOCATION, MAIL_MAX_LINE, view->pool);
    a->size = estimate_size(part);
    a->is_inline = part->in_related && disposition_is(part, "inline") && a->content_id != NULL;
    if (a->is_inline && a->method == 1)
        a->method = 6;
}

static int is_text(const mail_part_t *part)
{
    return strcmp(part->type, "text/plain") == 0 || strcmp(part->type, "text/html") == 0;
}

/* Text that can be read. What is larger than any phone shows is a file, or it would be held in
 * memory in several forms at once. */
static int is_readable(const mail_part_t *part)
{
    return is_text(part) && !disposition_is(part, "attachment") && part->body.len <= MAIL_MAX_TEXT;
}

/* A text part that is to be read, not saved. */
static int is_body(const mail_part_t *part)
{
    return is_readable(part) && !part_filename(part);
}

static int has_html(const apr_array_header_t *list)
{
    for (int i = 0; i < list->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(list, i, mail_part_t *)->type, "text/html") == 0)
            return 1;
    return 0;
}

static void sort_part(eas_mail_view_t *view, mail_part_t *part, apr_array_header_t *plain,
                      apr_array_header_t *html);

/* Of the alternatives one is the mail as text and one the mail as HTML; the last of a kind is the
 * best (RFC 2046 5.1.4). What is neither and has no name is another rendering; only a calendar is
 * worth keeping. */
static void sort_alternative(eas_mail_view_t *view, mail_part_t *part, apr_array_header_t *plain,
                             apr_array_header_t *html)
{
    apr_array_header_t *best_plain = NULL, *best_html = NULL;

    for (mail_part_t *c = part->first; c; c = c->next) {
        apr_array_header_t *p, *h;
        if (!c->multipart && !is_text(c) && strcmp(c->type, "text/calendar") != 0 &&
            !disposition_is(c, "attachment") && !part_filename(c))
            continue;
        p = apr_array_make(view->pool, 2, sizeof(mail_part_t *));
        h = apr_array_make(view->pool, 2, sizeof(mail_part_t *));
        sort_part(view, c, p, h);
        if (h->nelts && has_html(h))
            best_html = h;
        if (p->nelts && !has_html(p))
            best_plain = p;
    }
    if (best_plain || best_html) {
        apr_array_cat(plain, best_plain ? best_plain : best_html);
        apr_array_cat(html, best_html ? best_html : best_plain);
    }
}

static mail_part_t *related_root(mail_part_t *part, apr_pool_t *pool)
{
    const char *start = mail_ct_param(part, "start"), *id;
    if (start && (start = bare_id(start, pool)) != NULL)
        for (mail_part_t *c = part->first; c; c = c->next) {
            id = bare_id(mail_hdr_raw(c, MH_CONTENT_ID, MAIL_MAX_LINE, pool), pool);
            if (id && strcmp(id, start) == 0)
                return c;
        }
    return part->first;
}

static void sort_related(eas_mail_view_t *view, mail_part_t *part, apr_array_header_t *plain,
                         apr_array_header_t *html)
{
    mail_part_t *root = related_root(part, view->pool);

    if (root)
        sort_part(view, root, plain, html);
    for (mail_part_t *c = part->first; c; c = c->next) {
        if (c == root)
            continue;
        c->in_related = 1;
        if (c->multipart)
            sort_part(view, c, plain, html);
        else
            add_attachment(view, c);
    }
}

static void sort_part(eas_mail_view_t *view, mail_part_t *part, apr_array_header_t *plain,
                      apr_array_header_t *html)
{
    if (!part->multipart) {
        if (is_body(part)) {
            APR_ARRAY_PUSH(plain, mail_part_t *) = part;
            APR_ARRAY_PUSH(html, mail_part_t *) = part;
        } else {
            add_attachment(view, part);
        }
    } else if (strcmp(part->type, "multipart/alternative") == 0) {
        sort_alternative(view, part, plain, html);
    } else if (strcmp(part->type, "multipart/related") == 0) {
        sort_related(view, part, plain, html);
    } else {
        for (mail_part_t *c = part->first; c; c = c->next)
            sort_part(view, c, plain, html);
    }
}

/* An invitation carries its calendar twice, as an alternative without a name and as a file: once is
 * enough. */
static void drop_second_calendar(apr_array_header_t *atts)
{
    int named = 0, kept = 0;

    for (int i = 0; i < atts->nelts; i++) {
        const mail_att_t *a = &APR_ARRAY_IDX(atts, i, mail_att_t);
        named |= part_filename(a->part) && (strcmp(a->type, "text/calendar") == 0 ||
                                            strcmp(a->type, "application/ics") == 0);
    }
    for (int i = 0; i < atts->nelts; i++) {
        mail_att_t a = APR_ARRAY_IDX(atts, i, mail_att_t);
        if (!named || part_filename(a.part) || strcmp(a.type, "text/calendar") != 0)
            APR_ARRAY_IDX(atts, kept++, mail_att_t) = a;
    }
    atts->nelts = kept;
}

static int is_pkcs7(const char *type, const char *what)
{
    static const char app[] = "application/";
    if (!type || strncasecmp(type, app, sizeof(app) - 1) != 0)
        return 0;
    type += sizeof(app) - 1;
    if (strncasecmp(type, "x-", 2) == 0)
        type += 2;
    return strcasecmp(type, what) == 0;
}

static mail_smime_t smime_kind(const mail_part_t *root)
{
    const char *kind;
    if (strcmp(root->type, "multipart/signed") == 0)
        return is_pkcs7(mail_ct_param(root, "protocol"), "pkcs7-signature") ? MAIL_SMIME_CLEAR
                                                                            : MAIL_SMIME_NONE;
    if (!is_pkcs7(root->type, "pkcs7-mime"))
        return MAIL_SMIME_NONE;
    kind = mail_ct_param(root, "smime-type");
    return kind && strcasecmp(kind, "signed-receipt") == 0 ? MAIL_SMIME_RECEIPT : MAIL_SMIME_OPAQUE;
}

void mail_sort_parts(eas_mail_view_t *view)
{
    mail_part_t *root = view->root;

    view->plain = apr_array_make(view->pool, 4, sizeof(mail_part_t *));
    view->html = apr_array_make(view->pool, 4, sizeof(mail_part_t *));
    view->atts = apr_array_make(view->pool, 4, sizeof(mail_att_t));
    if (is_readable(root)) {
        /* the whole mail is text, name or not */
        APR_ARRAY_PUSH(view->plain, mail_part_t *) = root;
        APR_ARRAY_PUSH(view->html, mail_part_t *) = root;
    } else {
        sort_part(view, root, view->plain, view->html);
    }
    drop_second_calendar(view->atts);
    view->native = has_html(view->html) ? 2 : 1;
    view->smime = smime_kind(root);
}

/* The id behind a "cid:" of the HTML, percent signs resolved. */
static const char *cited_id(const char **next, const char *p, const char *end, apr_pool_t *pool)
{
    apr_size_t n = 0, o = 0;
    char *id;

    while (p + n < end && n < MAIL_MAX_LINE && !strchr("\"'<>() \t\r\n", p[n]))
        n++;
    id = apr_palloc(pool, n + 1);
    for (apr_size_t i = 0; i < n; i++) {
        int hi = i + 2 < n && p[i] == '%' ? g_ascii_xdigit_value(p[i + 1]) : -1;
        int lo = hi >= 0 ? g_ascii_xdigit_value(p[i + 2]) : -1;
        if (lo >= 0) {
            id[o++] = (char)(hi << 4 | lo);
            i += 2;
        } else {
            id[o++] = p[i];
        }
    }
    id[o] = '\0';
    *next = p + n;
    return id;
}

void mail_mark_inline(eas_mail_view_t *view)
{
    apr_hash_t *ids = NULL;
    apr_pool_t *pool;
    eas_span_t html;
    const char *p, *end;

    for (int i = 0; i < view->atts->nelts; i++) {
        mail_att_t *a = &APR_ARRAY_IDX(view->atts, i, mail_att_t);
        if (!a->content_id || a->is_inline)
            continue;
        if (!ids)
            ids = apr_hash_make(view->pool);
        apr_hash_set(ids, a->content_id, APR_HASH_KEY_STRING, a);
    }
    if (!ids || view->native != 2)
        return;
    html = mail_text(view, 2);
    end = html.data + html.len;
    apr_pool_create(&pool, view->pool);
    for (p = html.data; (p = memchr(p, ':', end - p)) != NULL;) {
        mail_att_t *a;
        p++;
        if (p - html.data < 4 || strncasecmp(p - 4, "cid:", 4) != 0)
            continue;
        a = apr_hash_get(ids, cited_id(&p, p, end, pool), APR_HASH_KEY_STRING);
        if (a) {
            a->is_inline = 1;
            if (a->method == 1)
                a->method = 6;
        }
    }
    apr_pool_destroy(pool);
}

eas_err_t *eas_mail_parse(eas_mail_view_t **out, const eas_item_t *item, apr_pool_t *pool)
{
    eas_span_t source = eas_item_span(item, EAS_P_MAIL_SOURCE);
    eas_mail_view_t *view;

    mail_gmime_start();
    if (!source.len) {
        *out = mail_preview_view(item, pool);
        return *out ? NULL
                    : eas_err_create(pool, EAS_E_INVALID, "class.mail", "the mail has no source");
    }
    view = apr_pcalloc(pool, sizeof(*view));
    view->pool = pool;
    view->item = item;
    view->source = source;
    view->root = mail_scan(&view->nparts, source, pool);
    mail_sort_parts(view);
    mail_mark_inline(view);
    *out = view;
    return NULL;
}

eas_err_t *eas_mail_attachment(eas_span_t *data, const char **content_type,
                               const eas_mail_view_t *view, const char *part, apr_pool_t *pool)
{
    for (int i = 0; i < view->atts->nelts; i++) {
        const mail_att_t *a = &APR_ARRAY_IDX(view->atts, i, mail_att_t);
        if (!a->part || strcmp(a->section, part) != 0)
            continue;
        *content_type = a->type;
        return mail_decode(data, a->part, pool);
    }
    return eas_err_create(pool, EAS_E_NOT_FOUND, "class.mail", "the mail has no such attachment");
}
