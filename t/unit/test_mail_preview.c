/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_buf.h"
#include "mail_unit.h"

static eas_item_t *preview_item(apr_pool_t *pool)
{
    eas_item_t *it = eas_item_create(pool);
    eas_buf_t b;

    eas_item_set_time(it, EAS_P_MAIL_RECEIVED, apr_time_from_sec(RECEIVED));
    eas_item_set_str(it, EAS_P_MAIL_SUBJECT, "Re: Grüße");
    eas_item_set_str(it, EAS_P_MAIL_FROM, "\"Jürgen\" <j@example.org>");
    eas_item_set_str(it, EAS_P_MAIL_TO, "\"Bob\" <bob@example.com>, c@example.net");
    eas_item_set_str(it, EAS_P_MAIL_MESSAGE_ID, "<2@x>");
    eas_item_set_str(it, EAS_P_MAIL_REFERENCES, "<1@x>");
    eas_item_set_int(it, EAS_P_MAIL_PRIORITY, 1);
    eas_item_set_int(it, EAS_P_MAIL_SIZE, 60000);
    eas_item_set_str(it, EAS_P_MAIL_TEXT, "line\nnext");
    eas_buf_init(&b, 64, pool);
    eas_buf_var(&b, 1);
    eas_buf_str(&b, "2");
    eas_buf_str(&b, "a/b.pdf");
    eas_buf_str(&b, "application/pdf");
    eas_buf_str(&b, "");
    eas_buf_var(&b, 50001);
    eas_buf_u8(&b, 0);
    eas_item_set_span(it, EAS_P_MAIL_PARTS, b.data, b.len);
    return it;
}

static void looks_like_the_source(void **state)
{
    static const char mail[] =
        "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>" CRLF
        "To: Bob <bob@example.com>, c@example.net" CRLF
        "Subject: Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=" CRLF "Message-ID: <2@x>" CRLF
        "References: <1@x>" CRLF "X-Priority: 1" CRLF
        "Content-Type: multipart/mixed; boundary=b" CRLF CRLF "--b" CRLF CRLF "line" CRLF
        "next" CRLF "--b" CRLF "Content-Type: application/pdf; name=\"a/b.pdf\"" CRLF CRLF "x" CRLF
        "--b--";
    static const eas_tag_t same[] = {EAS_EMAIL_FROM,
                                     EAS_EMAIL_TO,
                                     EAS_EMAIL_SUBJECT,
                                     EAS_EMAIL_THREADTOPIC,
                                     EAS_EMAIL_DISPLAYTO,
                                     EAS_EMAIL_IMPORTANCE,
                                     EAS_EMAIL_MESSAGECLASS,
                                     EAS_EMAIL_DATERECEIVED,
                                     EAS_AIRSYNCBASE_NATIVEBODYTYPE,
                                     EAS_EMAIL2_CONVERSATIONID,
                                     EAS_EMAIL2_CONVERSATIONINDEX};
    apr_pool_t *pool = *state;

    for EACH_VERSION(v) {
        eas_mail_opts_t o = opts_type(all_versions[i_v], 1, -1);
        eas_node_t *p = written_view(view_of_item(preview_item(pool), pool), &o, pool);
        eas_node_t *s = written(mail, o, pool);
        assert_string_equal(names_of_children(p, pool), names_of_children(s, pool));
        for (unsigned i = 0; i < sizeof(same) / sizeof(*same); i++)
            assert_text(text_at(p, same[i], pool), text_at(s, same[i], pool));
        assert_text(text_at(body_of(p), EAS_AIRSYNCBASE_DATA, pool),
                    text_at(body_of(s), EAS_AIRSYNCBASE_DATA, pool));
    }
}

static void attachment_of_a_preview(void **state)
{
    apr_pool_t *pool = *state;
    eas_mail_opts_t o = opts_of(141);
    eas_mail_view_t *view = view_of_item(preview_item(pool), pool);
    eas_node_t *a = eas_node_child(
        eas_node_child(written_view(view, &o, pool), EAS_AIRSYNCBASE_ATTACHMENTS), 0);
    const char *type;
    eas_span_t data;

    assert_field(a, EAS_AIRSYNCBASE_DISPLAYNAME, "a_b.pdf");
    assert_field(a, EAS_AIRSYNCBASE_FILEREFERENCE, "ref:2");
    assert_field(a, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, "50000");
    assert_int_equal(eas_mail_attachment(&data, &type, view, "2", pool)->kind, EAS_E_NOT_FOUND);
}

/* Only the beginning of the text is known: the size is the mail's less its files. */
static void cut_text(void **state)
{
    apr_pool_t *pool = *state;
    eas_item_t *it = preview_item(pool);
    eas_mail_opts_t o = opts_type(141, 1, 4);
    eas_node_t *b;

    eas_item_set_bool(it, EAS_P_MAIL_TEXT_CUT, 1);
    b = body_of(written_view(view_of_item(it, pool), &o, pool));
    assert_field(b, EAS_AIRSYNCBASE_DATA, "line");
    assert_field(b, EAS_AIRSYNCBASE_TRUNCATED, "1");
    assert_field(b, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE, "10000");
}

static void damaged_parts(void **state)
{
    apr_pool_t *pool = *state;
    eas_item_t *it = preview_item(pool);
    eas_span_t parts = eas_item_span(it, EAS_P_MAIL_PARTS);
    eas_mail_opts_t o = opts_of(141);

    eas_item_set_span(it, EAS_P_MAIL_PARTS, parts.data, parts.len - 1);
    assert_null(eas_node_child(written_view(view_of_item(it, pool), &o, pool),
                               EAS_AIRSYNCBASE_ATTACHMENTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(looks_like_the_source),
                                       UNIT_TEST(attachment_of_a_preview), UNIT_TEST(cut_text),
                                       UNIT_TEST(damaged_parts)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
