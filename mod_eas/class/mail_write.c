/* SPDX-License-Identifier: Apache-2.0 */
/* ApplicationData of a mail: one row per element, in the order in which phones expect them
 * (protocol digest 7.1), with the versions that have it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "mail_priv.h"

#define STUB_SUBJECT "This message cannot be shown"
#define STUB_TEXT "This message cannot be shown on this device. Please read it in web mail."

typedef struct mail_row_t {
    eas_tag_t tag;
    int first, last;              /* protocol versions; last 0 = to the present */
    void (*put)(mail_writer_t *mw); /* NULL: the text field at offset */
    size_t offset;
} mail_row_t;

static void put_received(mail_writer_t *mw);
static void put_importance(mail_writer_t *mw);
static void put_read(mail_writer_t *mw);
static void put_flag(mail_writer_t *mw);
static void put_native(mail_writer_t *mw);
static void put_conversation_id(mail_writer_t *mw);
static void put_conversation_index(mail_writer_t *mw);
static void put_last_verb(mail_writer_t *mw);
static void put_draft(mail_writer_t *mw);

static void put_cpid(mail_writer_t *mw)
{
    eas_w_str(mw->w, EAS_EMAIL_INTERNETCPID, "65001");
}

static void put_content_class(mail_writer_t *mw)
{
    eas_w_str(mw->w, EAS_EMAIL_CONTENTCLASS, "urn:content-classes:message");
}

static void put_categories(mail_writer_t *mw)
{
    eas_w_empty(mw->w, EAS_EMAIL_CATEGORIES);
}

#define TEXT(field) NULL, offsetof(mail_fields_t, field)

static const mail_row_t rows[] = {
    {EAS_EMAIL_TO, MAIL_V25, 0, TEXT(to)},
    {EAS_EMAIL_CC, MAIL_V25, 0, TEXT(cc)},
    {EAS_EMAIL_FROM, MAIL_V25, 0, TEXT(from)},
    {EAS_EMAIL_SUBJECT, MAIL_V25, 0, TEXT(subject)},
    {EAS_EMAIL_REPLYTO, MAIL_V25, 0, TEXT(reply_to)},
    {EAS_EMAIL_DATERECEIVED, MAIL_V25, 0, put_received},
    {EAS_EMAIL_DISPLAYTO, MAIL_V25, 0, TEXT(display_to)},
    {EAS_EMAIL_THREADTOPIC, MAIL_V25, 0, TEXT(topic)},
    {EAS_EMAIL_IMPORTANCE, MAIL_V25, 0, put_importance},
    {EAS_EMAIL_READ, MAIL_V25, 0, put_read},
    {EAS_EMAIL_ATTACHMENTS, MAIL_V25, MAIL_V25, mail_write_attachments25},
    {EAS_AIRSYNCBASE_ATTACHMENTS, MAIL_V120, 0, mail_write_attachments},
    {EAS_EMAIL_BODY, MAIL_V25, MAIL_V25, mail_write_body25},
    {EAS_AIRSYNCBASE_BODY, MAIL_V120, 0, mail_write_body},
    {EAS_AIRSYNCBASE_BODYPART, MAIL_V141, 0, mail_write_bodypart},
    {EAS_EMAIL_MESSAGECLASS, MAIL_V25, 0, TEXT(message_class)},
    {EAS_EMAIL_INTERNETCPID, MAIL_V25, 0, put_cpid},
    {EAS_EMAIL_FLAG, MAIL_V120, 0, put_flag},
    {EAS_EMAIL_CONTENTCLASS, MAIL_V120, 0, put_content_class},
    {EAS_AIRSYNCBASE_NATIVEBODYTYPE, MAIL_V120, 0, put_native},
    {EAS_EMAIL2_CONVERSATIONID, MAIL_V140, 0, put_conversation_id},
    {EAS_EMAIL2_CONVERSATIONINDEX, MAIL_V140, 0, put_conversation_index},
    {EAS_EMAIL2_LASTVERBEXECUTED, MAIL_V140, 0, put_last_verb},
    {EAS_EMAIL2_SENDER, MAIL_V140, 0, TEXT(sender)},
    {EAS_EMAIL2_BCC, MAIL_V160, 0, TEXT(bcc)},
    {EAS_EMAIL2_ISDRAFT, MAIL_V160, 0, put_draft},
    {EAS_EMAIL_CATEGORIES, MAIL_V140, 0, put_categories},
};

/* A time on the wire: "2026-03-09T08:15:00.000Z". */
static void write_time(eas_writer_t *w, eas_tag_t tag, apr_time_t t)
{
    apr_time_exp_t x;
    char text[96];

    apr_time_exp_gmt(&x, t);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", x.tm_year + 1900,
             x.tm_mon + 1, x.tm_mday, x.tm_hour, x.tm_min, x.tm_sec, x.tm_usec / 1000);
    eas_w_str(w, tag, text);
}

static void put_received(mail_writer_t *mw)
{
    write_time(mw->w, EAS_EMAIL_DATERECEIVED, mw->fields->received);
}

static void put_importance(mail_writer_t *mw)
{
    eas_w_int(mw->w, EAS_EMAIL_IMPORTANCE, mw->fields->importance);
}

static void write_read(eas_writer_t *w, const eas_item_t *item)
{
    eas_w_int(w, EAS_EMAIL_READ, eas_item_bool(item, EAS_P_MAIL_READ, 0) != 0);
}

static void put_read(mail_writer_t *mw)
{
    write_read(mw->w, mw->view->item);
}

/* The backend knows a flag but no dates: the day the mail came stands for all four, which phones
 * want together or not at all. */
static void write_flag(eas_writer_t *w, const eas_item_t *item, apr_time_t received)
{
    static const eas_tag_t dates[] = {EAS_TASKS_STARTDATE, EAS_TASKS_DUEDATE,
                                      EAS_TASKS_UTCSTARTDATE, EAS_TASKS_UTCDUEDATE};
    apr_time_t day = received - received % apr_time_from_sec(86400);

    if (!eas_item_bool(item, EAS_P_MAIL_FLAGGED, 0)) {
        eas_w_empty(w, EAS_EMAIL_FLAG);
        return;
    }
    eas_w_open(w, EAS_EMAIL_FLAG);
    eas_w_int(w, EAS_EMAIL_STATUS, 2);
    eas_w_str(w, EAS_EMAIL_FLAGTYPE, "Flag for follow up");
    for (unsigned i = 0; received > 0 && i < sizeof(dates) / sizeof(*dates); i++)
        write_time(w, dates[i], day);
    eas_w_int(w, EAS_TASKS_REMINDERSET, 0);
    eas_w_close(w);
}

static void put_flag(mail_writer_t *mw)
{
    write_flag(mw->w, mw->view->item, mw->fields->received);
}

static void put_native(mail_writer_t *mw)
{
    eas_w_int(mw->w, EAS_AIRSYNCBASE_NATIVEBODYTYPE, mw->view->native);
}

static void put_conversation_id(mail_writer_t *mw)
{
    unsigned char id[MAIL_CONVERSATION_ID];
    mail_conversation_id(id, mw->fields, mw->pool);
    eas_w_opaque(mw->w, EAS_EMAIL2_CONVERSATIONID, id, sizeof(id));
}

static void put_conversation_index(mail_writer_t *mw)
{
    eas_span_t index = mail_conversation_index(mw->fields, mw->pool);
    eas_w_opaque(mw->w, EAS_EMAIL2_CONVERSATIONINDEX, index.data, index.len);
}

/* 1 reply, 3 forward; which of two came last is not known, a reply says more. */
static void put_last_verb(mail_writer_t *mw)
{
    int verb = eas_item_bool(mw->view->item, EAS_P_MAIL_ANSWERED, 0)    ? 1
               : eas_item_bool(mw->view->item, EAS_P_MAIL_FORWARDED, 0) ? 3
                                                                        : 0;
    if (verb)
        eas_w_int(mw->w, EAS_EMAIL2_LASTVERBEXECUTED, verb);
}

static void put_draft(mail_writer_t *mw)
{
    eas_w_int(mw->w, EAS_EMAIL2_ISDRAFT, eas_item_bool(mw->view->item, EAS_P_MAIL_DRAFT, 0) != 0);
}

static int in_schema(const eas_tag_t *schema, eas_tag_t tag)
{
    for (; *schema; schema++)
        if (*schema == tag)
            return 1;
    return 0;
}

static void write_rows(mail_writer_t *mw, const eas_tag_t *schema)
{
    int version = mw->opts->version;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const mail_row_t *r = &rows[i];
        if (version < r->first || (r->last && version > r->last) ||
            (schema && !in_schema(schema, r->tag)))
            continue;
        if (r->put) {
            r->put(mw);
        } else {
            const char *text = *(const char *const *)((const char *)mw->fields + r->offset);
            if (text && *text)
                eas_w_str(mw->w, r->tag, text);
        }
    }
}

eas_err_t *eas_mail_write(eas_writer_t *w, const eas_mail_view_t *view, const eas_mail_opts_t *opts,
                          eas_fileref_fn fileref, void *baton, apr_pool_t *scratch_pool)
{
    mail_writer_t mw = {.w = w, .view = view, .fields = mail_fields(view), .opts = opts,
                        .fileref = fileref, .baton = baton, .pool = scratch_pool,
                        .data_pool = scratch_pool};
    write_rows(&mw, NULL);
    return NULL;
}

eas_err_t *eas_mail_write_properties(eas_writer_t *w, eas_span_t *data, const eas_mail_view_t *view,
                                     const eas_mail_opts_t *opts, const eas_tag_t *schema,
                                     int multipart, int part_no, eas_fileref_fn fileref,
                                     void *baton, apr_pool_t *pool, apr_pool_t *scratch_pool)
{
    mail_writer_t mw = {.w = w, .view = view, .fields = mail_fields(view), .opts = opts,
                        .fileref = fileref, .baton = baton, .pool = scratch_pool, .data_pool = pool,
                        .multipart = multipart, .part_no = part_no, .data = data};
    if (data) {
        data->data = NULL;
        data->len = 0;
    }
    write_rows(&mw, schema);
    return NULL;
}

void eas_mail_write_flags(eas_writer_t *w, const eas_item_t *item, int what, int version)
{
    if (what & EAS_MAIL_READ)
        write_read(w, item);
    if ((what & EAS_MAIL_FLAG) && version >= MAIL_V120)
        write_flag(w, item, eas_item_time(item, EAS_P_MAIL_RECEIVED, 0));
}

/* The stub is a small mail of our own with the flags and the time of the real one, so that it obeys
 * the same rules, whatever body was asked for. */
void eas_mail_write_stub(eas_writer_t *w, const eas_item_t *item, const eas_mail_opts_t *opts,
                         const char *reason, apr_pool_t *scratch_pool)
{
    static const eas_prop_t flags[] = {EAS_P_MAIL_READ, EAS_P_MAIL_FLAGGED, EAS_P_MAIL_ANSWERED,
                                       EAS_P_MAIL_FORWARDED, EAS_P_MAIL_DRAFT};
    apr_time_t received = eas_item_time(item, EAS_P_MAIL_RECEIVED, 0);
    eas_item_t *stub = eas_item_create(scratch_pool);
    eas_mail_view_t *view;
    const char *source;

    /* the Message-ID keeps stubs out of each other's conversations */
    source =
        apr_psprintf(scratch_pool,
                     "Message-ID: <%" APR_TIME_T_FMT "@stub.invalid>\r\n"
                     "Subject: " STUB_SUBJECT "\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n\r\n" STUB_TEXT "\r\n(%s)\r\n",
                     received, reason && *reason ? reason : "reason unknown");
    eas_item_set_span(stub, EAS_P_MAIL_SOURCE, source, strlen(source));
    eas_item_set_time(stub, EAS_P_MAIL_RECEIVED, received);
    for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        eas_item_set_bool(stub, flags[i], eas_item_bool(item, flags[i], 0));
    if (!eas_mail_parse(&view, stub, scratch_pool))
        eas_mail_write(w, view, opts, NULL, NULL, scratch_pool);
}
