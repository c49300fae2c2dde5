/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include "eas_buf.h"

#define INBOX "default0/INBOX"
#define MAIL(id, rest) "{\"data\":{\"id\":\"" #id "\",\"folder_id\":\"default0/INBOX\"" rest "}}"
#define PLAIN "{\"id\":\"1\",\"content_type\":\"text/plain\",\"content\":\"Hi\"," \
              "\"disp\":\"inline\"," \
              "\"size\":-1,\"truncated\":false,\"filename\":null,\"cid\":null}"

static eas_item_t *one(bench_t *bench, const char *mail)
{
    eas_session_t *session = bench_session(bench);
    eas_item_t *items[1];
    apr_uint32_t uid = 7;
    canned_json(bench->server, apr_pstrcat(bench->pool, "[", mail, "]", NULL));
    ASSERT_OK(bench->be->mail->preview(items, session, INBOX, &uid, 1, 512, bench->pool));
    return items[0];
}

static void envelope_body_and_flags_become_properties(void **state)
{
    bench_t *bench = *state;
    eas_item_t *item = one(bench, MAIL(7,
        ",\"subject\":\"Gr\xc3\xbc\xc3\x9f" "e\","
        "\"from\":[[\"Anna \\\"A\\\"\",\"anna@example.org\"]],"
        "\"to\":[[null,\"bob@example.org\"],[\"C\",\"c@example.org\"]],\"cc\":[],\"bcc\":null,"
        "\"sent_date\":1497461067000,\"received_date\":1497461068000,\"flags\":41,"
        "\"color_label\":3,\"priority\":1,\"size\":2411,\"content_type\":\"Multipart/Mixed; b=x\","
        "\"headers\":{\"Message-ID\":\"<1@x>\",\"References\":\"<0@x>\"},\"attachments\":[" PLAIN
        ",{\"id\":\"2\",\"content_type\":\"image/png; name=a\",\"disp\":\"attachment\",\"size\":99,"
        "\"filename\":\"a.png\",\"cid\":\"<c@x>\"}],\"nested_msgs\":[{\"id\":\"3\",\"size\":5}]"));
    assert_non_null(item);
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_SUBJECT, ""), "Gr\xc3\xbc\xc3\x9f" "e");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_FROM, ""),
                        "\"Anna \\\"A\\\"\" <anna@example.org>");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_TO, ""),
                        "<bob@example.org>, \"C\" <c@example.org>");
    assert_int_equal(eas_item_state(item, EAS_P_MAIL_CC), EAS_PS_ABSENT);
    assert_int_equal(eas_item_time(item, EAS_P_MAIL_SENT, 0), 1497461067000000LL);
    assert_int_equal(eas_item_time(item, EAS_P_MAIL_RECEIVED, 0), 1497461068000000LL);
    assert_true(eas_item_bool(item, EAS_P_MAIL_READ, 0));
    assert_true(eas_item_bool(item, EAS_P_MAIL_FLAGGED, 0));
    assert_true(eas_item_bool(item, EAS_P_MAIL_ANSWERED, 0));
    assert_false(eas_item_bool(item, EAS_P_MAIL_DRAFT, 1));
    assert_int_equal(eas_item_int(item, EAS_P_MAIL_LABEL, 0), 3);
    assert_int_equal(eas_item_int(item, EAS_P_MAIL_PRIORITY, 0), 1);
    assert_int_equal(eas_item_int(item, EAS_P_MAIL_SIZE, 0), 2411);
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_CONTENT_TYPE, ""), "multipart/mixed");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_MESSAGE_ID, ""), "<1@x>");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_REFERENCES, ""), "<0@x>");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_TEXT, ""), "Hi");
    assert_false(eas_item_bool(item, EAS_P_MAIL_TEXT_CUT, 1));
    assert_int_equal(eas_item_state(item, EAS_P_MAIL_HTML), EAS_PS_ABSENT);

    eas_span_t parts = eas_item_span(item, EAS_P_MAIL_PARTS);
    eas_rd_t r;
    eas_rd_init(&r, parts.data, parts.len);
    assert_int_equal(eas_rd_var(&r), 2);
    assert_string_equal(eas_rd_str(&r, bench->pool), "2");
    assert_string_equal(eas_rd_str(&r, bench->pool), "a.png");
    assert_string_equal(eas_rd_str(&r, bench->pool), "image/png");
    assert_string_equal(eas_rd_str(&r, bench->pool), "<c@x>");
    assert_int_equal(eas_rd_var(&r), 100);
    assert_int_equal(eas_rd_u8(&r), 0);
    assert_string_equal(eas_rd_str(&r, bench->pool), "3");
    assert_string_equal(eas_rd_str(&r, bench->pool), "");
    assert_string_equal(eas_rd_str(&r, bench->pool), "message/rfc822");
    assert_string_equal(eas_rd_str(&r, bench->pool), "");
    assert_int_equal(eas_rd_var(&r), 6);
    assert_int_equal(eas_rd_u8(&r), 0);
    assert_true(eas_rd_done(&r));
}

static void the_request_asks_for_raw_parts_and_leaves_the_mail_unread(void **state)
{
    bench_t *bench = *state;
    one(bench, MAIL(7, ""));
    ASSERT_ASKED(bench, 1, "[{\"module\":\"mail\",\"action\":\"get\",\"folder\":\"default0/INBOX\","
                 "\"id\":\"7\",\"view\":\"raw\",\"max_size\":\"10000\",\"unseen\":\"true\","
                 "\"timezone\":\"UTC\"}]");
}

static void a_cut_body_is_marked(void **state)
{
    bench_t *bench = *state;
    eas_item_t *item = one(bench, MAIL(7, ",\"attachments\":[" PLAIN ",{\"id\":\"2\","
        "\"content_type\":\"text/html\",\"content\":\"<p>\",\"truncated\":true,\"filename\":null}]"
        ",\"truncated\":true"));
    assert_non_null(item);
    assert_false(eas_item_bool(item, EAS_P_MAIL_TEXT_CUT, 1));
    assert_true(eas_item_bool(item, EAS_P_MAIL_HTML_CUT, 0));
}

static void a_cut_told_for_the_whole_mail_marks_every_body(void **state)
{
    bench_t *bench = *state;
    eas_item_t *item = one(bench, MAIL(7, ",\"attachments\":[" PLAIN "],\"truncated\":true"));
    assert_non_null(item);
    assert_true(eas_item_bool(item, EAS_P_MAIL_TEXT_CUT, 0));
}

static void mails_that_need_their_bytes_are_not_previewed(void **state)
{
    static const char *const mails[] = {
        MAIL(7, ",\"content_type\":\"multipart/signed\",\"attachments\":[" PLAIN "]"),
        MAIL(7, ",\"content_type\":\"application/pkcs7-mime\",\"attachments\":[]"),
        MAIL(7, ",\"attachments\":[" PLAIN "," PLAIN "]"),
        MAIL(8, ",\"attachments\":[" PLAIN "]"),
        MAIL(7, ""), "{\"data\":null}", "{}", "7",
        "{\"error\":\"x\",\"code\":\"MSG-0032\",\"category\":1}",
    };
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
        eas_item_t *items[1];
        apr_uint32_t uid = 7;
        canned_json(bench->server, apr_pstrcat(bench->pool, "[", mails[i], "]", NULL));
        ASSERT_OK(bench->be->mail->preview(items, session, INBOX, &uid, 1, 512, bench->pool));
        assert_null(items[0]);
    }
}

static void previews_go_out_in_batches_of_fifty(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_item_t *items[51];
    apr_uint32_t uids[51];
    const char *answer = "[";
    for (int i = 0; i < 51; i++) {
        uids[i] = (apr_uint32_t)i + 1;
        if (i < 50)
            answer = apr_psprintf(bench->pool, "%s%s{\"data\":{\"id\":\"%d\",\"attachments\":[]}}",
                                  answer, i ? "," : "", i + 1);
    }
    canned_json(bench->server, apr_pstrcat(bench->pool, answer, "]", NULL));
    canned_json(bench->server, "[{\"data\":{\"id\":51,\"attachments\":[]}}]");
    ASSERT_OK(bench->be->mail->preview(items, session, INBOX, uids, 51, 20000, bench->pool));
    for (int i = 0; i < 51; i++)
        assert_non_null(items[i]);
    assert_int_equal(canned_count(bench->server), 3);
    ASSERT_ASKED(bench, 1, "\"max_size\":\"20000\"");
}

static void texts_are_made_clean(void **state)
{
    bench_t *bench = *state;
    eas_item_t *item = one(bench, MAIL(7, ",\"subject\":\"a\\u0000\\u0007b\",\"from\":"
        "[[\"x\\r\\ny\",\"a@b\"],[\"n\",\"a@b>\\r\\n\"],[\"n\",null],null],\"attachments\":[]"));
    assert_non_null(item);
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_SUBJECT, ""), "ab");
    assert_string_equal(eas_item_str(item, EAS_P_MAIL_FROM, ""), "\"x  y\" <a@b>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(envelope_body_and_flags_become_properties),
        BENCH_TEST(the_request_asks_for_raw_parts_and_leaves_the_mail_unread),
        BENCH_TEST(a_cut_body_is_marked),
        BENCH_TEST(a_cut_told_for_the_whole_mail_marks_every_body),
        BENCH_TEST(mails_that_need_their_bytes_are_not_previewed),
        BENCH_TEST(previews_go_out_in_batches_of_fifty),
        BENCH_TEST(texts_are_made_clean),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
