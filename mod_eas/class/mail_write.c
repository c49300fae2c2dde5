/* SPDX-License-Identifier: Apache-2.0 */
/* A mail as ApplicationData: one row per element, in the order of digest 7.1. In which versions an element
 * exists says the table of tokens. */
#include <string.h>
#include <apr_strings.h>
#include "eas_time.h"
#include "mail_priv.h"

#define CPID_UTF8 "65001"
#define CONTENT_CLASS "urn:content-classes:message"
#define FLAG_TYPE "Flag for follow up"

/* MS-ASEMAIL LastVerbExecuted; "reply to all" cannot be told from a flag. */
enum { VERB_REPLY = 1, VERB_FORWARD = 3 };
enum { FLAG_ACTIVE = 2 };

/* ---- the elements ---- */

static void write_text(eas_writer_t *w, eas_tag_t tag, const char *text)
{
    if (text && *text)
        eas_w_str(w, tag, text);
}

static void write_to(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->to);
}

static void write_cc(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->cc);
}

static void write_from(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->from);
}

static void write_subject(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->subject);
}

static void write_reply_to(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->reply_to);
}

static void write_received(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_str(mw->w, tag, eas_time_dashed(mw->fields->received, mw->pool));
}

static void write_display_to(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->display_to);
}

static void write_topic(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->topic);
}

static void write_importance(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_int(mw->w, tag, mw->fields->importance);
}

static void write_read(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_int(mw->w, tag, eas_item_bool(mw->view->item, EAS_P_MAIL_READ, 0));
}

static void write_atts(mail_writer_t *mw, eas_tag_t tag)
{
    mail_write_attachments(mw);
}

static void write_atts25(mail_writer_t *mw, eas_tag_t tag)
{
    mail_write_attachments25(mw);
}

static void write_body(mail_writer_t *mw, eas_tag_t tag)
{
    mail_write_body(mw);
}

static void write_body25(mail_writer_t *mw, eas_tag_t tag)
{
    mail_write_body25(mw);
}

static void write_bodypart(mail_writer_t *mw, eas_tag_t tag)
{
    if (mw->opts->has_part)
        mail_write_bodypart(mw);
}

static void write_class(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_str(mw->w, tag, mw->fields->message_class);
}

static void write_cpid(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_str(mw->w, tag, CPID_UTF8);
}

/* OX knows whether a mail is flagged, not until when: the day it came stands for the dates, since a phone
 * gets either all four or none, and some drop flags without dates. */
static void put_flag(eas_writer_t *w, eas_tag_t tag, const eas_item_t *item, apr_time_t when)
{
    static const eas_tag_t dates[] = {EAS_TASKS_STARTDATE, EAS_TASKS_DUEDATE, EAS_TASKS_UTCSTARTDATE,
                                      EAS_TASKS_UTCDUEDATE};
    apr_pool_t *pool;

    if (!eas_item_bool(item, EAS_P_MAIL_FLAGGED, 0)) {
        eas_w_empty(w, tag);
        return;
    }
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return;
    eas_w_open(w, tag);
    eas_w_int(w, EAS_EMAIL_STATUS, FLAG_ACTIVE);
    eas_w_str(w, EAS_EMAIL_FLAGTYPE, FLAG_TYPE);
    for (unsigned i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
        eas_w_str(w, dates[i], eas_time_dashed(when, pool));
    eas_w_int(w, EAS_TASKS_REMINDERSET, 0);
    eas_w_close(w);
    apr_pool_destroy(pool);
}

static void write_flag(mail_writer_t *mw, eas_tag_t tag)
{
    put_flag(mw->w, tag, mw->view->item, mw->fields->received);
}

static void write_content_class(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_str(mw->w, tag, CONTENT_CLASS);
}

static void write_native(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_int(mw->w, tag, mw->view->native);
}

static void write_conversation(mail_writer_t *mw, eas_tag_t tag)
{
    unsigned char id[MAIL_CONVERSATION_ID];
    mail_conversation_id(id, mw->fields, mw->pool);
    eas_w_opaque(mw->w, tag, id, sizeof(id));
}

static void write_index(mail_writer_t *mw, eas_tag_t tag)
{
    eas_span_t index = mail_conversation_index(mw->fields, mw->pool);
    eas_w_opaque(mw->w, tag, index.data, index.len);
}

static void write_verb(mail_writer_t *mw, eas_tag_t tag)
{
    if (eas_item_bool(mw->view->item, EAS_P_MAIL_ANSWERED, 0))
        eas_w_int(mw->w, tag, VERB_REPLY);
    else if (eas_item_bool(mw->view->item, EAS_P_MAIL_FORWARDED, 0))
        eas_w_int(mw->w, tag, VERB_FORWARD);
}

static void write_sender(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->sender);
}

static void write_draft(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_int(mw->w, tag, eas_item_bool(mw->view->item, EAS_P_MAIL_DRAFT, 0));
}

static void write_bcc(mail_writer_t *mw, eas_tag_t tag)
{
    write_text(mw->w, tag, mw->fields->bcc);
}

/* An empty element: absent would mean "as before". */
static void write_categories(mail_writer_t *mw, eas_tag_t tag)
{
    eas_w_empty(mw->w, tag);
}

static const struct {
    eas_tag_t tag;
    void (*write)(mail_writer_t *mw, eas_tag_t tag);
} elements[] = {
    {EAS_EMAIL_TO, write_to},
    {EAS_EMAIL_CC, write_cc},
    {EAS_EMAIL_FROM, write_from},
    {EAS_EMAIL_SUBJECT, write_subject},
    {EAS_EMAIL_REPLYTO, write_reply_to},
    {EAS_EMAIL_DATERECEIVED, write_received},
    {EAS_EMAIL_DISPLAYTO, write_display_to},
    {EAS_EMAIL_THREADTOPIC, write_topic},
    {EAS_EMAIL_IMPORTANCE, write_importance},
    {EAS_EMAIL_READ, write_read},
    {EAS_EMAIL_ATTACHMENTS, write_atts25},
    {EAS_AIRSYNCBASE_ATTACHMENTS, write_atts},
    {EAS_EMAIL_BODY, write_body25},
    {EAS_AIRSYNCBASE_BODY, write_body},
    {EAS_AIRSYNCBASE_BODYPART, write_bodypart},
    {EAS_EMAIL_MESSAGECLASS, write_class},
    {EAS_EMAIL_INTERNETCPID, write_cpid},
    {EAS_EMAIL_FLAG, write_flag},
    {EAS_EMAIL_CONTENTCLASS, write_content_class},
    {EAS_AIRSYNCBASE_NATIVEBODYTYPE, write_native},
    {EAS_EMAIL2_CONVERSATIONID, write_conversation},
    {EAS_EMAIL2_CONVERSATIONINDEX, write_index},
    {EAS_EMAIL2_LASTVERBEXECUTED, write_verb},
    {EAS_EMAIL2_SENDER, write_sender},
    {EAS_EMAIL2_ISDRAFT, write_draft},
    {EAS_EMAIL2_BCC, write_bcc},
    {EAS_EMAIL_CATEGORIES, write_categories},
};

static int exists(eas_tag_t tag, int version)
{
    int first, last;
    return eas_tag_versions(&first, &last, tag) && version >= first && (!last || version <= last);
}

static int named(eas_tag_t tag, const eas_tag_t *schema)
{
    if (!schema)
        return 1;
    while (*schema && *schema != tag)
        schema++;
    return *schema != 0;
}

static void write_all(mail_writer_t *mw, const eas_tag_t *schema)
{
    mw->fields = mail_fields(mw->view);
    for (unsigned i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
        if (exists(elements[i].tag, mw->opts->version) && named(elements[i].tag, schema))
            elements[i].write(mw, elements[i].tag);
}

/* ---- what the header promises ---- */

eas_err_t *eas_mail_write(eas_writer_t *w, const eas_mail_view_t *view, const eas_mail_opts_t *opts,
                          eas_fileref_fn fileref, void *baton, apr_pool_t *scratch_pool)
{
    mail_writer_t mw = {.w = w,
                        .view = view,
                        .opts = opts,
                        .fileref = fileref,
                        .baton = baton,
                        .pool = scratch_pool,
                        .data_pool = scratch_pool};
    write_all(&mw, NULL);
    return NULL;
}

eas_err_t *eas_mail_write_properties(eas_writer_t *w, eas_span_t *data, const eas_mail_view_t *view,
                                     const eas_mail_opts_t *opts, const eas_tag_t *schema,
                                     int multipart, int part_no, eas_fileref_fn fileref, void *baton,
                                     apr_pool_t *pool, apr_pool_t *scratch_pool)
{
    mail_writer_t mw = {.w = w,
                        .view = view,
                        .opts = opts,
                        .fileref = fileref,
                        .baton = baton,
                        .pool = scratch_pool,
                        .data_pool = pool,
                        .multipart = multipart,
                        .part_no = part_no,
                        .data = data};
    *data = (eas_span_t){NULL, 0};
    write_all(&mw, schema);
    return NULL;
}

void eas_mail_write_flags(eas_writer_t *w, const eas_item_t *item, int what, int version)
{
    if (what & EAS_MAIL_READ)
        eas_w_int(w, EAS_EMAIL_READ, eas_item_bool(item, EAS_P_MAIL_READ, 0));
    if ((what & EAS_MAIL_FLAG) && exists(EAS_EMAIL_FLAG, version))
        put_flag(w, EAS_EMAIL_FLAG, item, eas_item_time(item, EAS_P_MAIL_RECEIVED, 0));
}

/* The stand-in is a small mail of our own with the flags of the real one: so it obeys the same rules. */
void eas_mail_write_stub(eas_writer_t *w, const eas_item_t *item, const eas_mail_opts_t *opts,
                         const char *reason, apr_pool_t *scratch_pool)
{
    static const eas_prop_t bools[] = {EAS_P_MAIL_READ, EAS_P_MAIL_FLAGGED, EAS_P_MAIL_ANSWERED,
                                       EAS_P_MAIL_FORWARDED, EAS_P_MAIL_DRAFT};
    eas_item_t *stand_in = eas_item_create(scratch_pool);
    eas_mail_opts_t whole = *opts;
    eas_mail_view_t *view;
    const char *source;

    source = apr_pstrcat(scratch_pool,
                         "Subject: This message cannot be shown\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                         "This message cannot be shown on this device. Please open it in the web mail.\r\n"
                         "Reason: ",
                         reason ? reason : "not known", "\r\n", NULL);
    eas_item_set_span(stand_in, EAS_P_MAIL_SOURCE, source, strlen(source));
    eas_item_set_time(stand_in, EAS_P_MAIL_RECEIVED, eas_item_time(item, EAS_P_MAIL_RECEIVED, 0));
    for (unsigned i = 0; i < sizeof(bools) / sizeof(bools[0]); i++)
        eas_item_set_bool(stand_in, bools[i], eas_item_bool(item, bools[i], 0));
    whole.mime_support = 0;
    if (eas_mail_parse(&view, stand_in, scratch_pool) == NULL)
        eas_mail_write(w, view, &whole, NULL, NULL, scratch_pool);
}
