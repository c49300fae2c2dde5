/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include <stdlib.h>

#define INBOX "default0/INBOX"
#define ERR(code, number) "{\"error\":\"x\",\"code\":\"" code "\",\"category\":" #number "}"
#define BYTES_TYPE "Content-Type: application/octet-stream\r\n"

static void the_probe_gives_the_tuple(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_mail_tuple_t t;
    canned_json(bench->server, "{\"data\":{\"validity\":1600011401,\"total\":50,\"unread\":28,"
                "\"next\":51,\"modseq\":777}}");
    ASSERT_OK(bench->be->mail->status(&t, session, INBOX, bench->pool));
    assert_int_equal(t.validity, 1600011401);
    assert_int_equal(t.next, 51);
    assert_int_equal(t.total, 50);
    assert_int_equal(t.unread, 28);
    assert_int_equal(t.modseq, 777);
    canned_json(bench->server, ERR("IMAP-1002", 8));
    ASSERT_KIND(bench->be->mail->status(&t, session, INBOX, bench->pool), EAS_E_FOLDER_GONE);
}

static void without_examine_the_folder_is_asked_and_that_is_remembered(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_mail_tuple_t t;
    canned_json(bench->server, ERR("MSG-0087", 8));
    for (int i = 0; i < 2; i++) {
        canned_json(bench->server, "{\"data\":{\"id\":\"x\",\"total\":3,\"unread\":2}}");
        canned_json(bench->server, "{\"data\":[[\"17\",0,0,1000]]}");
        ASSERT_OK(bench->be->mail->status(&t, session, INBOX, bench->pool));
        assert_int_equal(t.total, 3);
        assert_int_equal(t.unread, 2);
        assert_int_equal(t.next, 18);
    }
    ASSERT_ASKED(bench, 2, "folders?action=get&id=default0%2FINBOX");
    ASSERT_ASKED(bench, 3, "&limit=1");
    assert_int_equal(canned_count(bench->server), 6);
    assert_true(bench->be->session->changed(session));
}

static void rows_come_from_one_call(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    const eas_mail_row_t *rows;
    apr_size_t count;
    canned_json(bench->server, "{\"data\":[[\"2\",32,0,2000],[\"1\",8,5,1000]],\"timestamp\":0}");
    ASSERT_OK(bench->be->mail->rows(&rows, &count, session, "default0/a b&c", 200, bench->pool));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].uid, 2);
    assert_int_equal(rows[1].label, 5);
    ASSERT_ASKED(bench, 1, "GET /ajax/mail?action=all&folder=default0%2Fa%20b%26c"
                 "&columns=600%2C611%2C102%2C610&sort=610&order=desc&deleted=false&timezone=UTC"
                 "&limit=200&session=");
}

static void rows_survive_a_renewal_in_between(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    const eas_mail_row_t *rows;
    apr_size_t count;
    canned_json(bench->server, SESSION_GONE);
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, "{\"data\":[[\"2\",32,0,2000]]}");
    ASSERT_OK(bench->be->mail->rows(&rows, &count, session, INBOX, 0, bench->pool));
    assert_int_equal(count, 1);
    canned_json(bench->server, ERR("MSG-0066", 8));
    ASSERT_KIND(bench->be->mail->rows(&rows, &count, session, INBOX, 0, bench->pool),
                EAS_E_FOLDER_GONE);
}

static void the_source_is_byte_exact(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_span_t source;
    static const char raw[] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                              "Content-Length: 12\r\n\r\nA: b\r\n\r\n\0\xff{}";
    canned_raw(bench->server, raw, sizeof(raw) - 1, 0);
    ASSERT_OK(bench->be->mail->source(&source, session, INBOX, 4294967295u, bench->pool));
    assert_int_equal(source.len, 12);
    assert_memory_equal(source.data, "A: b\r\n\r\n\0\xff{}", 12);
    ASSERT_ASKED(bench, 1, "action=get&folder=default0%2FINBOX&id=4294967295&src=1&save=1"
                 "&unseen=true");
    canned_answer(bench->server, 200, BYTES_TYPE, "");
    ASSERT_OK(bench->be->mail->source(&source, session, INBOX, 1, bench->pool));
    assert_int_equal(source.len, 0);
    canned_answer(bench->server, 200, BYTES_TYPE, "{\"error\":\"is the mail\"}");
    ASSERT_OK(bench->be->mail->source(&source, session, INBOX, 1, bench->pool));
    assert_int_equal(source.len, 23);
}

static void a_mail_that_is_gone_is_told_from_its_bytes(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_span_t source;
    canned_answer(bench->server, 200, "Content-Type: text/javascript; charset=UTF-8\r\n",
                  ERR("MSG-0032", 1));
    ASSERT_KIND(bench->be->mail->source(&source, session, INBOX, 1, bench->pool), EAS_E_NOT_FOUND);
    canned_answer(bench->server, 200, "Content-Type: text/html\r\n",
                  "<script>(parent.callback_x)(" SESSION_GONE ")</script>");
    canned_json(bench->server, LOGIN_OK);
    canned_answer(bench->server, 200, BYTES_TYPE, "From: x\r\n");
    ASSERT_OK(bench->be->mail->source(&source, session, INBOX, 1, bench->pool));
    assert_int_equal(source.len, 9);
    canned_json(bench->server, "{\"data\":\"From: x\"}");
    ASSERT_KIND(bench->be->mail->source(&source, session, INBOX, 1, bench->pool),
                EAS_E_UNAVAILABLE);
}

static void a_source_at_the_limit_and_one_more(void **state)
{
    bench_t *bench = *state;
    bench->conf.max_source = 300000;
    eas_session_t *session = bench_session(bench);
    eas_span_t source;
    char *body = malloc(300002);
    memset(body, 'm', 300001);
    body[300000] = '\0';
    canned_answer(bench->server, 200, BYTES_TYPE, body);
    ASSERT_OK(bench->be->mail->source(&source, session, INBOX, 1, bench->pool));
    assert_int_equal(source.len, 300000);
    assert_memory_equal(source.data, body, 300000);
    memcpy(body + 300000, "m", 2);
    canned_answer(bench->server, 200, BYTES_TYPE, body);
    ASSERT_KIND(bench->be->mail->source(&source, session, INBOX, 1, bench->pool),
                EAS_E_TOO_LARGE);
    free(body);
}

static void a_cut_source_is_not_half_a_mail(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_span_t source;
    canned_raw(bench->server, BYTES("HTTP/1.1 200 OK\r\n" BYTES_TYPE
                                    "Content-Length: 50\r\n\r\nFrom: x"), 1);
    ASSERT_KIND(bench->be->mail->source(&source, session, INBOX, 1, bench->pool),
                EAS_E_UNAVAILABLE);
}

/* An answer of `multiple` with @a n parts; part @a bad is an error. */
static const char *answers(bench_t *bench, int n, int bad, const char *error)
{
    const char *text = "[";
    for (int i = 0; i < n; i++)
        text = apr_pstrcat(bench->pool, text, i ? "," : "", i == bad ? error : "{\"data\":[]}",
                           NULL);
    return apr_pstrcat(bench->pool, text, "]", NULL);
}

static int occurrences(const char *text, const char *part)
{
    int n = 0;
    while ((text = strstr(text, part)) != NULL) {
        n++;
        text++;
    }
    return n;
}

static void flags_go_out_in_batches_of_fifty(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_mail_flags_t changes[102];
    for (int i = 0; i < 102; i++)
        changes[i] = (eas_mail_flags_t){.uid = (apr_uint32_t)i + 1, .set = EAS_MF_SEEN,
                                        .clear = i == 3 ? EAS_MF_FLAGGED : 0};
    changes[7].set = 0;
    canned_json(bench->server, answers(bench, 50, 2, ERR("MSG-0032", 1)));
    canned_json(bench->server, answers(bench, 50, -1, ""));
    canned_json(bench->server, "{\"data\":{\"folder_id\":\"default0/INBOX\",\"id\":\"102\"}}");
    ASSERT_OK(bench->be->mail->set_flags(session, INBOX, changes, 102, bench->pool));
    assert_int_equal(canned_count(bench->server), 4);
    assert_int_equal(occurrences(canned_asked(bench->server, 1), "\"set_flags\":32"), 50);
    assert_int_equal(occurrences(canned_asked(bench->server, 2), "\"set_flags\":32"), 50);
    ASSERT_ASKED(bench, 1, "{\"module\":\"mail\",\"action\":\"update\","
                 "\"folder\":\"default0/INBOX\","
                 "\"id\":\"4\",\"data\":{\"set_flags\":32,\"clear_flags\":8}}");
    ASSERT_ASKED(bench, 3, "PUT /ajax/mail?action=update&folder=default0%2FINBOX&id=102&session=");
    ASSERT_ASKED(bench, 3, "\r\n\r\n{\"set_flags\":32}");
    for (int i = 0; i < 102; i++) {
        if (i == 2)
            ASSERT_KIND(changes[i].result, EAS_E_NOT_FOUND);
        else
            assert_null(changes[i].result);
    }
}

static void flags_of_one_mail_that_is_gone_are_its_own_matter(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_mail_flags_t change = {.uid = 5, .clear = EAS_MF_SEEN};
    canned_json(bench->server, ERR("MSG-0032", 1));
    ASSERT_OK(bench->be->mail->set_flags(session, INBOX, &change, 1, bench->pool));
    ASSERT_KIND(change.result, EAS_E_NOT_FOUND);
    ASSERT_ASKED(bench, 1, "\r\n\r\n{\"clear_flags\":32}");
    canned_json(bench->server, ERR("MSG-0109", 5));
    ASSERT_KIND(bench->be->mail->set_flags(session, INBOX, &change, 1, bench->pool),
                EAS_E_UNAVAILABLE);
}

static void deletions_go_out_in_batches_and_tell_what_failed(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    apr_uint32_t uids[60];
    char failed[60];
    for (int i = 0; i < 60; i++)
        uids[i] = (apr_uint32_t)i + 1;
    canned_json(bench->server, "{\"data\":[{\"folder\":\"default0/INBOX\",\"id\":\"3\"},"
                "[\"default0/INBOX\",\"4\"],\"5\",6]}");
    canned_json(bench->server, "{\"data\":[]}");
    ASSERT_OK(bench->be->mail->remove(failed, session, INBOX, uids, 60, 0, bench->pool));
    for (int i = 0; i < 60; i++)
        assert_int_equal(failed[i], i >= 2 && i <= 5);
    ASSERT_ASKED(bench, 1, "PUT /ajax/mail?action=delete&session=");
    assert_int_equal(occurrences(canned_asked(bench->server, 1), "\"id\""), 50);
    assert_int_equal(occurrences(canned_asked(bench->server, 2), "\"id\""), 10);
    canned_json(bench->server, "{\"data\":[]}");
    ASSERT_OK(bench->be->mail->remove(failed, session, INBOX, uids, 1, 1, bench->pool));
    ASSERT_ASKED(bench, 3, "action=delete&harddelete=1&session=");
}

static void a_full_trash_fails_the_items_not_the_call(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    apr_uint32_t uids[2] = {1, 2};
    char failed[2];
    canned_json(bench->server, ERR("MSG-0039", 11));
    ASSERT_OK(bench->be->mail->remove(failed, session, INBOX, uids, 2, 0, bench->pool));
    assert_memory_equal(failed, "\1\1", 2);
    assert_int_equal(canned_count(bench->server), 2);
}

static void mails_that_are_gone_count_as_deleted(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    apr_uint32_t uids[3] = {1, 2, 3};
    char failed[3];
    canned_json(bench->server, ERR("MSG-0032", 1));
    ASSERT_OK(bench->be->mail->remove(failed, session, INBOX, uids, 1, 0, bench->pool));
    assert_int_equal(failed[0], 0);
    canned_json(bench->server, ERR("MSG-0032", 1));
    canned_json(bench->server, "[{\"data\":[]}," ERR("MSG-0032", 1) "," ERR("MSG-0039", 11) "]");
    ASSERT_OK(bench->be->mail->remove(failed, session, INBOX, uids, 3, 1, bench->pool));
    assert_memory_equal(failed, "\0\0\1", 3);
    ASSERT_ASKED(bench, 3, "\"action\":\"delete\",\"harddelete\":\"1\",\"data\":"
                 "[{\"folder\":\"default0/INBOX\",\"id\":\"2\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(the_probe_gives_the_tuple),
        BENCH_TEST(without_examine_the_folder_is_asked_and_that_is_remembered),
        BENCH_TEST(rows_come_from_one_call),
        BENCH_TEST(rows_survive_a_renewal_in_between),
        BENCH_TEST(the_source_is_byte_exact),
        BENCH_TEST(a_mail_that_is_gone_is_told_from_its_bytes),
        BENCH_TEST(a_source_at_the_limit_and_one_more),
        BENCH_TEST(a_cut_source_is_not_half_a_mail),
        BENCH_TEST(flags_go_out_in_batches_of_fifty),
        BENCH_TEST(flags_of_one_mail_that_is_gone_are_its_own_matter),
        BENCH_TEST(deletions_go_out_in_batches_and_tell_what_failed),
        BENCH_TEST(a_full_trash_fails_the_items_not_the_call),
        BENCH_TEST(mails_that_are_gone_count_as_deleted),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
