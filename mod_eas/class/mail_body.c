/* SPDX-License-Identifier: Apache-2.0 */
/* Which body a phone gets, and how much of it (protocol digest 5.1.3, 5.1.4, 7.6). */
#include <string.h>
#include <apr_strings.h>
#include "eas_spool.h"
#include "eas_text.h"
#include "mail_priv.h"

#define NO_LIMIT ((apr_size_t)-1)

/* MS-ASCMD 2.2.3.101 MIMETruncation and 2.2.3.188.2 Truncation; the last is "all of it". */
static const apr_size_t mime_truncation[] = {0,     4096,  5120,   7168,    10240,
                                             20480, 51200, 102400, NO_LIMIT};
static const apr_size_t truncation25[] = {0,     512,   1024,  2048,   5120,
                                          10240, 20480, 51200, 102400, NO_LIMIT};

#define PREVIEW_MAX (256 * 1024)   /* more text than this: read the source */
#define PREVIEW_MARKUP 32 /* bytes of HTML for a byte of text, more than newsletters need */

/* Adds what a body of at most @a limit bytes needs; 0 when that is too much for a preview. */
static int preview_holds(apr_size_t *max_text, apr_size_t limit, apr_size_t factor)
{
    if (limit > PREVIEW_MAX / factor)
        return 0;
    limit = limit * factor + 1;
    if (limit > *max_text)
        *max_text = limit;
    return 1;
}

int eas_mail_preview_fits(apr_size_t *max_text, const eas_mail_opts_t *o)
{
    int plain_only = 1;

    *max_text = 0;
    if (o->whole)
        return 0;
    if (o->version < MAIL_V120)
        return o->mime_support != 2 && o->truncation >= 0 && o->truncation <= 9 &&
               preview_holds(max_text, truncation25[o->truncation], PREVIEW_MARKUP);
    for (int i = 0; i < o->nprefs; i++)
        plain_only &= o->prefs[i].type != 2;
    for (int i = 0; i < o->nprefs; i++) {
        const eas_bodypref_t *p = &o->prefs[i];
        if (p->type == 4 && o->mime_support == 2)
            return 0;
        if (p->type == 4)
            continue; /* S/MIME mails have no preview */
        if (!p->has_truncation ||
            !preview_holds(max_text, p->truncation, plain_only ? PREVIEW_MARKUP : 1))
            return 0;
    }
    if (o->has_part &&
        (!o->part.has_truncation || !preview_holds(max_text, o->part.truncation, 1)))
        return 0;
    return *max_text > 0;
}

/* A body chosen and cut. */
typedef struct body_t {
    int type;
    int fits;         /* AllOrNone did not forbid it */
    apr_size_t size;  /* all of it */
    eas_span_t data;  /* what goes out */
    int truncated;
} body_t;

static apr_size_t mime_limit(const eas_mail_opts_t *o)
{
    return o->whole || o->mime_truncation < 0 || o->mime_truncation > 8
               ? NO_LIMIT
               : mime_truncation[o->mime_truncation];
}

static int wants_mime(const mail_writer_t *mw)
{
    if (!mw->view->source.len)
        return 0;
    return mw->opts->mime_support == 2 ||
           (mw->opts->mime_support == 1 && mw->view->smime != MAIL_SMIME_NONE);
}

/* How many ends of line lack their CR, when all do; 0 when any has one. */
static apr_size_t bare_lines(eas_span_t s)
{
    const char *end = s.data + s.len, *nl;
    apr_size_t lines = 0;

    for (const char *p = s.data; (nl = memchr(p, '\n', end - p)) != NULL; p = nl + 1, lines++)
        if (nl > s.data && nl[-1] == '\r')
            return 0;
    return lines;
}

/* With CR before each LF; in memory or, when large, in a spool. */
static eas_err_t *put_crs(eas_span_t *out, eas_span_t s, apr_pool_t *pool)
{
    eas_spool_t *sp = eas_spool_create(0, NULL, pool);
    const char *p = s.data, *end = s.data + s.len;
    eas_err_t *err = NULL;
    char piece[8192];
    apr_size_t n = 0;

    while (p < end && !err) {
        if (*p == '\n')
            piece[n++] = '\r';
        piece[n++] = *p++;
        if (n >= sizeof(piece) - 1 || p == end) {
            err = eas_spool_write(sp, piece, n);
            n = 0;
        }
    }
    return err ? err : eas_spool_finish(out, sp);
}

/* The message as it goes out: byte exact; only one with bare LF, and not signed, gets CRLF. */
static eas_span_t mime_bytes(const mail_writer_t *mw)
{
    eas_span_t s = mw->view->source, out;

    if (strcmp(mw->view->root->type, "multipart/signed") == 0 || !bare_lines(s))
        return s;
    return put_crs(&out, s, mw->data_pool) ? s : out;
}

static body_t make_body(const mail_writer_t *mw, int type, const eas_bodypref_t *pref)
{
    const eas_mail_opts_t *o = mw->opts;
    apr_size_t limit = pref && pref->has_truncation && !o->whole ? pref->truncation : NO_LIMIT;
    body_t b = {.type = type};

    if (type == 4) {
        b.data = mime_bytes(mw);
        b.size = b.data.len;
    } else {
        b.data = mail_text(mw->view, type);
        b.size = mail_text_size(mw->view, type);
    }
    b.fits = !(pref && pref->all_or_none && limit != NO_LIMIT && b.size > limit);
    if (type == 4 && mime_limit(o) < limit)
        limit = mime_limit(o);
    if (b.data.len > limit)
        b.data.len = eas_utf8_cut(b.data.data, b.data.len, limit);
    b.truncated = !b.fits || b.data.len < b.size;
    return b;
}

static const eas_bodypref_t *find_pref(const eas_mail_opts_t *o, int type)
{
    for (int i = 0; i < o->nprefs; i++)
        if (o->prefs[i].type == type)
            return &o->prefs[i];
    return NULL;
}

/* MIME when allowed, then the native type, then the other one that the phone listed. */
static body_t choose_body(const mail_writer_t *mw, const eas_bodypref_t **chosen)
{
    int order[3], n = 0;
    body_t first = {0}, b;

    if (wants_mime(mw) && find_pref(mw->opts, 4))
        order[n++] = 4;
    order[n++] = mw->view->native;
    order[n++] = 3 - mw->view->native;
    for (int i = 0; i < n; i++) {
        const eas_bodypref_t *pref = find_pref(mw->opts, order[i]);
        if (!pref)
            continue;
        b = make_body(mw, order[i], pref);
        if (!*chosen) {
            *chosen = pref;
            first = b;
        }
        if (b.fits) {
            *chosen = pref;
            return b;
        }
    }
    if (*chosen)
        return first;
    if ((*chosen = find_pref(mw->opts, 4)) != NULL)
        /* only MIME was asked for, and MIMESupport does not allow it: what it is, without Data */
        return (body_t){.type = 4, .size = mw->view->source.len};
    *chosen = mw->opts->nprefs ? &mw->opts->prefs[0] : NULL;
    return make_body(mw, 1, *chosen);
}

/* Text when it can be carried as such, else the bytes themselves: a mail is any bytes. */
static void write_data(eas_writer_t *w, eas_tag_t tag, eas_span_t data, int raw)
{
    if (raw && !eas_text_clean(data.data, data.len))
        eas_w_opaque(w, tag, data.data, data.len);
    else
        eas_w_strn(w, tag, data.data, data.len);
}

/* TruncationSize 0 asks for no Data at all; an empty body has an empty one. */
static int has_data(const body_t *b)
{
    return b->fits && (b->data.len || !b->size);
}

void mail_write_body(mail_writer_t *mw)
{
    const eas_bodypref_t *pref = NULL;
    body_t b = choose_body(mw, &pref);
    eas_writer_t *w = mw->w;
    int part = mw->multipart && has_data(&b);

    eas_w_open(w, EAS_AIRSYNCBASE_BODY);
    eas_w_int(w, EAS_AIRSYNCBASE_TYPE, b.type);
    eas_w_int(w, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, b.size);
    if (b.truncated)
        eas_w_int(w, EAS_AIRSYNCBASE_TRUNCATED, 1);
    if (part)
        *mw->data = b.data;
    else if (has_data(&b))
        write_data(w, EAS_AIRSYNCBASE_DATA, b.data, b.type == 4);
    if (part) /* and no Preview: of the two the order is disputed */
        eas_w_int(w, EAS_ITEMOPERATIONS_PART, mw->part_no);
    else if (pref && pref->preview && mw->opts->version >= MAIL_V140 &&
             !(b.type == 1 && has_data(&b)))
        eas_w_str(w, EAS_AIRSYNCBASE_PREVIEW, mail_preview_text(mw->view, pref->preview, mw->pool));
    eas_w_close(w);
}

void mail_write_bodypart(mail_writer_t *mw)
{
    const eas_bodypref_t *pref = &mw->opts->part;
    eas_writer_t *w = mw->w;
    body_t b;

    if (!mw->opts->has_part)
        return;
    b = make_body(mw, 2, pref);
    eas_w_open(w, EAS_AIRSYNCBASE_BODYPART);
    eas_w_int(w, EAS_AIRSYNCBASE_STATUS, 1);
    eas_w_int(w, EAS_AIRSYNCBASE_TYPE, b.type);
    eas_w_int(w, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, b.size);
    if (b.truncated)
        eas_w_int(w, EAS_AIRSYNCBASE_TRUNCATED, 1);
    if (has_data(&b))
        write_data(w, EAS_AIRSYNCBASE_DATA, b.data, 0);
    if (pref->preview)
        eas_w_str(w, EAS_AIRSYNCBASE_PREVIEW, mail_preview_text(mw->view, pref->preview, mw->pool));
    eas_w_close(w);
}

void mail_write_body25(mail_writer_t *mw)
{
    const eas_mail_opts_t *o = mw->opts;
    eas_writer_t *w = mw->w;
    eas_span_t data;
    apr_size_t limit, size;

    if (wants_mime(mw)) {
        data = mime_bytes(mw);
        size = data.len;
        if (data.len > mime_limit(o))
            data.len = eas_utf8_cut(data.data, data.len, mime_limit(o));
        eas_w_int(w, EAS_EMAIL_MIMETRUNCATED, data.len < size);
        eas_w_int(w, EAS_EMAIL_MIMESIZE, size);
        if (data.len || !size)
            write_data(w, EAS_EMAIL_MIMEDATA, data, 1);
        return;
    }
    data = mail_text(mw->view, 1);
    size = mail_text_size(mw->view, 1);
    limit = NO_LIMIT;
    if (!o->whole && o->truncation >= 0 && o->truncation <= 9)
        limit = truncation25[o->truncation];
    if (data.len > limit) /* characters, not bytes */
        data.len = eas_utf8_prefix(data.data, data.len, limit);
    eas_w_int(w, EAS_EMAIL_BODYTRUNCATED, data.len < size);
    eas_w_int(w, EAS_EMAIL_BODYSIZE, size);
    if (data.len || !size)
        eas_w_strn(w, EAS_EMAIL_BODY, data.data, data.len);
}
