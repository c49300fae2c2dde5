/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_unit.h"

#define MAIL \
    "From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <j@example.org>" CRLF \
    "To: Bob <bob@example.com>, carol@example.net" CRLF \
    "Cc: \"Doe, Dan\" <dan@example.com>" CRLF \
    "Bcc: secret@example.com" CRLF \
    "Sender: Office <office@example.org>" CRLF \
    "Reply-To: a@example.org, B <b@example.org>" CRLF \
    "Subject: Re: =?iso-8859-1?Q?Gr=FC=DFe?=" CRLF \
    "Date: Mon, 9 Mar 2026 08:15:00 +0000" CRLF \
    "Message-ID: <1@example.org>" CRLF \
    "Importance: high" CRLF \
    "Content-Type: multipart/mixed; boundary=b" CRLF CRLF \
    "--b" CRLF "Content-Type: text/plain; charset=utf-8" CRLF CRLF "Hello" CRLF \
    "--b" CRLF "Content-Type: application/pdf; name=\"a.pdf\"" CRLF \
    "Content-Transfer-Encoding: base64" CRLF CRLF "JVBERi0xLjQgdGlueQ==" CRLF "--b--" CRLF

/* Elements and their order by version (protocol digest 7.1). */
static void elements_by_version(void **state)
{
    static const struct {
        int version;
        const char *names;
    } expected[] = {
        {25, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
             "Attachments "
             "BodyTruncated BodySize Body MessageClass InternetCPID"},
        {120, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType"},
        {121, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType"},
        {140, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType ConversationId "
              "ConversationIndex Sender Categories"},
        {141, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType ConversationId "
              "ConversationIndex Sender Categories"},
        {160, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType ConversationId "
              "ConversationIndex Sender Bcc IsDraft Categories"},
        {161, "To Cc From Subject ReplyTo DateReceived DisplayTo ThreadTopic Importance Read "
              "Attachments "
              "Body MessageClass InternetCPID Flag ContentClass NativeBodyType ConversationId "
              "ConversationIndex Sender Bcc IsDraft Categories"},
    };
    apr_pool_t *pool = *state;

    for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        assert_string_equal(
            names_of_children(written(MAIL, opts_of(expected[i].version), pool), pool),
            expected[i].names);
}

static void values(void **state)
{
    apr_pool_t *pool = *state;
    eas_node_t *d = written(MAIL, opts_of(161), pool);

    assert_field(d, EAS_EMAIL_FROM, "\"Jürgen Müller\" <j@example.org>");
    assert_field(d, EAS_EMAIL_TO, "\"Bob\" <bob@example.com>, carol@example.net");
    assert_field(d, EAS_EMAIL_CC, "\"Doe, Dan\" <dan@example.com>");
    assert_field(d, EAS_EMAIL2_BCC, "secret@example.com");
    assert_field(d, EAS_EMAIL2_SENDER, "\"Office\" <office@example.org>");
    assert_field(d, EAS_EMAIL_REPLYTO, "a@example.org; \"B\" <b@example.org>");
    assert_field(d, EAS_EMAIL_DISPLAYTO, "Bob; carol@example.net");
    assert_field(d, EAS_EMAIL_SUBJECT, "Re: Grüße");
    assert_field(d, EAS_EMAIL_THREADTOPIC, "Grüße");
    assert_field(d, EAS_EMAIL_DATERECEIVED, "2026-03-09T08:15:22.000Z");
    assert_field(d, EAS_EMAIL_IMPORTANCE, "2");
    assert_field(d, EAS_EMAIL_READ, "0");
    assert_field(d, EAS_EMAIL_MESSAGECLASS, "IPM.Note");
    assert_field(d, EAS_EMAIL_INTERNETCPID, "65001");
    assert_field(d, EAS_EMAIL_CONTENTCLASS, "urn:content-classes:message");
    assert_field(d, EAS_AIRSYNCBASE_NATIVEBODYTYPE, "1");
    assert_field(d, EAS_EMAIL2_ISDRAFT, "0");
    assert_null(eas_node_child(d, EAS_EMAIL_CATEGORIES)->first);
    assert_int_equal(eas_node_child(d, EAS_EMAIL2_CONVERSATIONID)->len, 16);
    assert_true(eas_node_child(d, EAS_EMAIL2_CONVERSATIONID)->opaque);
}

static void body_of_25(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_of(25);
    eas_node_t *d = written(MAIL, o, pool), *a;

    assert_field(d, EAS_EMAIL_BODY, "Hello");
    assert_field(d, EAS_EMAIL_BODYSIZE, "5");
    assert_field(d, EAS_EMAIL_BODYTRUNCATED, "0");
    a = eas_node_child(eas_node_child(d, EAS_EMAIL_ATTACHMENTS), EAS_EMAIL_ATTACHMENT);
    assert_string_equal(names_of_children(a, pool), "AttName AttSize AttMethod DisplayName");
    assert_field(a, EAS_EMAIL_ATTNAME, "ref:2");
    assert_field(a, EAS_EMAIL_ATTSIZE, "13");
    assert_field(a, EAS_EMAIL_ATTMETHOD, "1");
    assert_field(a, EAS_EMAIL_DISPLAYNAME, "a.pdf");
    o.truncation = 0; /* no body at all */
    d = written(MAIL, o, pool);
    assert_null(eas_node_child(d, EAS_EMAIL_BODY));
    assert_field(d, EAS_EMAIL_BODYTRUNCATED, "1");
    o.mime_support = 2;
    d = written(MAIL, o, pool);
    assert_field(d, EAS_EMAIL_MIMEDATA, MAIL);
    assert_field(d, EAS_EMAIL_MIMETRUNCATED, "0");
    assert_field(d, EAS_EMAIL_MIMESIZE, apr_psprintf(pool, "%d", (int)strlen(MAIL)));
    assert_null(eas_node_child(d, EAS_EMAIL_BODY));
}

static void flags_of_item(void **state)
{
    apr_pool_t *pool = *state;
    eas_item_t *item = item_of(MAIL, strlen(MAIL), pool);
    eas_mail_opts_t o = opts_of(161);
    eas_node_t *d, *flag;

    eas_item_set_bool(item, EAS_P_MAIL_READ, 1);
    eas_item_set_bool(item, EAS_P_MAIL_FLAGGED, 1);
    eas_item_set_bool(item, EAS_P_MAIL_ANSWERED, 1);
    eas_item_set_bool(item, EAS_P_MAIL_DRAFT, 1);
    d = written_view(view_of_item(item, pool), &o, pool);
    assert_field(d, EAS_EMAIL_READ, "1");
    assert_field(d, EAS_EMAIL2_LASTVERBEXECUTED, "1");
    assert_field(d, EAS_EMAIL2_ISDRAFT, "1");
    flag = eas_node_child(d, EAS_EMAIL_FLAG);
    assert_string_equal(names_of_children(flag, pool),
                        "Status FlagType StartDate DueDate UtcStartDate UtcDueDate ReminderSet");
    assert_field(flag, EAS_EMAIL_STATUS, "2");
    assert_field(flag, EAS_EMAIL_FLAGTYPE, "Flag for follow up");
    assert_field(flag, EAS_TASKS_UTCSTARTDATE, "2026-03-09T00:00:00.000Z");
    assert_field(flag, EAS_TASKS_REMINDERSET, "0");
    eas_item_set_bool(item, EAS_P_MAIL_ANSWERED, 0);
    eas_item_set_bool(item, EAS_P_MAIL_FORWARDED, 1);
    d = written_view(view_of_item(item, pool), &o, pool);
    assert_field(d, EAS_EMAIL2_LASTVERBEXECUTED, "3");
}

/* A minimal Change holds what changed and nothing else. */
static void only_flags(void **state)
{
    static const struct {
        int what, version;
        const char *names;
    } expected[] = {
        {EAS_MAIL_READ, 25, "Read"},
        {EAS_MAIL_READ, 161, "Read"},
        {EAS_MAIL_FLAG, 120, "Flag"},
        {EAS_MAIL_FLAG, 25, ""},
        {EAS_MAIL_READ | EAS_MAIL_FLAG, 141, "Read Flag"},
    };
    apr_pool_t *pool = *state;
    eas_item_t *item = item_of(MAIL, strlen(MAIL), pool);

    for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        eas_writer_t *w = eas_writer_create(pool);
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        eas_mail_write_flags(w, item, expected[i].what, expected[i].version);
        eas_w_close(w);
        assert_string_equal(names_of_children(read_back(w, pool), pool), expected[i].names);
    }
}

static void stub_is_a_mail(void **state)
{
    apr_pool_t *pool = *state;
    eas_item_t *item = eas_item_create(pool);

    eas_item_set_time(item, EAS_P_MAIL_RECEIVED, apr_time_from_sec(RECEIVED));
    eas_item_set_bool(item, EAS_P_MAIL_READ, 1);
    for EACH_VERSION(v) {
        int version = all_versions[i_v];
        eas_mail_opts_t o = opts_type(version, 1, -1);
        eas_writer_t *w = eas_writer_create(pool);
        eas_node_t *d;
        const char *body;
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        eas_mail_write_stub(w, item, &o, "It is too large.", pool);
        eas_w_close(w);
        d = read_back(w, pool);
        assert_field(d, EAS_EMAIL_SUBJECT, "This message cannot be shown");
        assert_field(d, EAS_EMAIL_DATERECEIVED, "2026-03-09T08:15:22.000Z");
        assert_field(d, EAS_EMAIL_READ, "1");
        assert_field(d, EAS_EMAIL_MESSAGECLASS, "IPM.Note");
        body = version == 25 ? text_at(d, EAS_EMAIL_BODY, pool)
                             : text_at(body_of(d), EAS_AIRSYNCBASE_DATA, pool);
        assert_non_null(body);
        assert_non_null(strstr(body, "It is too large."));
    }
}

static void properties_follow_the_schema(void **state)
{
    static const eas_tag_t schema[] = {EAS_EMAIL_SUBJECT, EAS_AIRSYNCBASE_BODY, EAS_EMAIL_FROM, 0};
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_type(141, 1, -1);
    eas_writer_t *w = eas_writer_create(pool);
    eas_span_t data;
    eas_node_t *d;

    eas_w_open(w, EAS_ITEMOPERATIONS_PROPERTIES);
    assert_null(eas_mail_write_properties(w, &data, view_of(MAIL, pool), &o, schema, 1, 7, test_ref,
                                          NULL, pool, pool));
    eas_w_close(w);
    d = read_back(w, pool);
    assert_string_equal(names_of_children(d, pool), "From Subject Body");
    assert_string_equal(names_of_children(body_of(d), pool), "Type EstimatedDataSize Part");
    assert_field(body_of(d), EAS_ITEMOPERATIONS_PART, "7");
    assert_int_equal(data.len, 5);
    assert_memory_equal(data.data, "Hello", 5);

    w = eas_writer_create(pool);
    eas_w_open(w, EAS_ITEMOPERATIONS_PROPERTIES);
    assert_null(eas_mail_write_properties(w, &data, view_of(MAIL, pool), &o, NULL, 0, 0, test_ref,
                                          NULL, pool, pool));
    eas_w_close(w);
    d = read_back(w, pool);
    assert_field(body_of(d), EAS_AIRSYNCBASE_DATA, "Hello");
    assert_non_null(eas_node_child(d, EAS_EMAIL_TO));
    assert_null(data.data);
}

static void no_message_no_item(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_view_t *view;
    eas_err_t *err = eas_mail_parse(&view, eas_item_create(pool), pool);

    assert_non_null(err);
    assert_int_equal(err->kind, EAS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(elements_by_version), UNIT_TEST(values),         UNIT_TEST(body_of_25),
        UNIT_TEST(flags_of_item),       UNIT_TEST(only_flags),     UNIT_TEST(stub_is_a_mail),
        UNIT_TEST(properties_follow_the_schema), UNIT_TEST(no_message_no_item),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
