/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include <stdlib.h>

#define TUPLE "{\"data\":{\"validity\":3,\"total\":2,\"unread\":1,\"next\":9}}"
#define ERR(code, number) "{\"error\":\"x\",\"code\":\"" code "\",\"category\":" #number "}"

static eas_err_t *login(bench_t *bench, eas_session_t **session)
{
    eas_backend_t *be = bench_backend(bench);
    return be->session->login(session, be, &bench->cred, bench->pool);
}

static eas_err_t *probe(bench_t *bench, eas_session_t *session)
{
    eas_mail_tuple_t tuple;
    return bench->be->mail->status(&tuple, session, "default0/INBOX", bench->pool);
}

static void login_sends_the_password_in_the_body_only(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    const eas_identity_t *id = bench->be->session->identity(session);
    ASSERT_ASKED(bench, 0, "POST /ajax/login?action=login&authId=");
    ASSERT_ASKED(bench, 0, "Content-Type: application/x-www-form-urlencoded\r\n");
    ASSERT_ASKED(bench, 0, "\r\n\r\nname=anna%40example.org&password=geh%26im%3D%C3%BC"
                 "&client=mod_eas&version=0.1");
    ASSERT_NOT_ASKED(bench, 0, "clientIP");
    assert_string_equal(id->backend, "ox1");
    assert_string_equal(id->context_id, "1");
    assert_string_equal(id->user_id, "4");
    assert_false(bench->be->session->changed(session));
}

static void the_phones_address_and_agent_are_told_where_configured(void **state)
{
    bench_t *bench = *state;
    bench->conf.send_client_ip = bench->conf.send_client_agent = 1;
    bench_session(bench);
    ASSERT_ASKED(bench, 0, "&clientIP=203.0.113.7&clientUserAgent=Phone%2F1");
}

static void ids_that_login_does_not_tell_are_asked_for(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session;
    canned_json(bench->server, "{\"session\":\"abc\",\"user\":\"anna\"}");
    canned_json(bench->server, "{\"data\":{\"context_id\":\"12\",\"user_id\":7}}");
    ASSERT_OK(login(bench, &session));
    ASSERT_ASKED(bench, 1, "GET /ajax/user/me?session=abc ");
    assert_string_equal(bench->be->session->identity(session)->context_id, "12");
    assert_string_equal(bench->be->session->identity(session)->user_id, "7");
}

static void what_a_failed_login_means(void **state)
{
    static const struct {
        const char *answer;
        int kind;
    } expected[] = {
        {ERR("LGI-0006", 1), EAS_E_CREDENTIALS}, {ERR("LGI-0001", 3), EAS_E_FORBIDDEN},
        {ERR("LGI-0011", 3), EAS_E_FORBIDDEN}, {ERR("LGI-0002", 4), EAS_E_UNAVAILABLE},
        {ERR("SES-0007", 1), EAS_E_UNAVAILABLE}, {ERR("SES-0204", 4), EAS_E_FORBIDDEN},
        {ERR("SES-0208", 8), EAS_E_UNAVAILABLE}, {ERR("CTX-0012", 1), EAS_E_UNAVAILABLE},
        {ERR("ABC-0001", 3), EAS_E_FORBIDDEN}, {ERR("ABC-0002", 8), EAS_E_UNAVAILABLE},
        {"{\"user\":\"anna\"}", EAS_E_UNAVAILABLE}, {"{\"session\":\"a b\"}", EAS_E_UNAVAILABLE},
        {"{\"session\":\"a&b=c\",\"user_id\":1,\"context_id\":1}", EAS_E_UNAVAILABLE},
    };
    bench_t *bench = *state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        eas_session_t *session;
        canned_json(bench->server, expected[i].answer);
        ASSERT_KIND(login(bench, &session), expected[i].kind);
    }
    eas_session_t *session;
    canned_answer(bench->server, 403, "Content-Type: text/html\r\n", "<html>no</html>");
    ASSERT_KIND(login(bench, &session), EAS_E_FORBIDDEN);
    canned_answer(bench->server, 429, "", "");
    ASSERT_KIND(login(bench, &session), EAS_E_UNAVAILABLE);
    assert_int_equal(canned_count(bench->server), 15);
}

static void a_used_auth_id_is_replaced_by_another(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session;
    canned_json(bench->server, ERR("SES-0008", 8));
    canned_json(bench->server, LOGIN_OK);
    ASSERT_OK(login(bench, &session));
    const char *first = strstr(canned_asked(bench->server, 0), "authId=");
    const char *second = strstr(canned_asked(bench->server, 1), "authId=");
    assert_non_null(first);
    assert_non_null(second);
    assert_int_not_equal(memcmp(first, second, 43), 0);
}

static void users_without_the_capability_are_refused_and_logged_out(void **state)
{
    bench_t *bench = *state;
    bench->conf.require_active_sync = 1;
    eas_session_t *session;
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, "{\"data\":{}}");
    canned_json(bench->server, "{}");
    ASSERT_KIND(login(bench, &session), EAS_E_FORBIDDEN);
    ASSERT_ASKED(bench, 1, "/ajax/capabilities?action=get&id=active_sync&session=0123");
    ASSERT_ASKED(bench, 2, "/ajax/login?action=logout&session=0123");
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, "{\"data\":{\"id\":\"active_sync\",\"attributes\":{}}}");
    ASSERT_OK(login(bench, &session));
}

static void an_expired_session_is_renewed_once_and_the_call_repeated(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, SESSION_GONE);
    canned_answer(bench->server, 200, "Content-Type: text/javascript\r\n"
                  "Set-Cookie: JSESSIONID=9.r9\r\n",
                  "{\"session\":\"fresh\",\"user_id\":4,\"context_id\":1}");
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
    ASSERT_NOT_ASKED(bench, 2, "Cookie:");
    ASSERT_ASKED(bench, 3, "&session=fresh ");
    ASSERT_ASKED(bench, 3, "Cookie: JSESSIONID=9.r9\r\n");
    assert_true(bench->be->session->changed(session));
    assert_int_equal(canned_count(bench->server), 4);
}

static void a_403_page_counts_as_an_expired_session(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_answer(bench->server, 403, "Content-Type: text/html\r\n", "<html>SES-0203</html>");
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
}

static void a_second_refusal_is_final(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, SESSION_GONE);
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, SESSION_GONE);
    ASSERT_KIND(probe(bench, session), EAS_E_SESSION);
    assert_int_equal(canned_count(bench->server), 4);
}

static void the_reason_of_a_failed_renewal_is_told(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, SESSION_GONE);
    canned_json(bench->server, ERR("LGI-0006", 1));
    ASSERT_KIND(probe(bench, session), EAS_E_CREDENTIALS);
    canned_json(bench->server, SESSION_GONE);
    canned_answer(bench->server, 503, "", "");
    ASSERT_KIND(probe(bench, session), EAS_E_UNAVAILABLE);
    assert_false(bench->be->session->changed(session));
}

static void a_renewal_never_changes_who_the_user_is(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, SESSION_GONE);
    canned_json(bench->server, "{\"session\":\"s2\",\"user_id\":5,\"context_id\":1}");
    canned_json(bench->server, "{}");
    ASSERT_KIND(probe(bench, session), EAS_E_SESSION);
    ASSERT_ASKED(bench, 3, "action=logout&session=s2 ");
}

static void a_kept_session_goes_on_without_a_login(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench), *again;
    const void *blob, *second;
    apr_size_t len, second_len;
    eas_backend_t *be = bench->be;
    ASSERT_OK(be->session->dump(&blob, &len, session, bench->pool));
    ASSERT_OK(be->session->resume(&again, be, blob, len, &bench->cred, bench->pool));
    assert_int_equal(canned_count(bench->server), 1);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, again));
    ASSERT_ASKED(bench, 1, "session=0123456789abcdef0123456789abcdef ");
    ASSERT_ASKED(bench, 1, "Cookie: JSESSIONID=1.r1; open-xchange-secret-h=sec\r\n");
    assert_string_equal(be->session->identity(again)->user_id, "4");
    assert_false(be->session->changed(again));
    ASSERT_OK(be->session->dump(&second, &second_len, again, bench->pool));
    assert_int_equal(len, second_len);
    assert_memory_equal(blob, second, len);
}

static void damaged_sessions_are_refused(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench), *again;
    const void *blob;
    apr_size_t len;
    eas_backend_t *be = bench->be;
    ASSERT_OK(be->session->dump(&blob, &len, session, bench->pool));
    for (apr_size_t n = 0; n < len; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, blob, n);
        ASSERT_KIND(be->session->resume(&again, be, cut, n, &bench->cred, bench->pool),
                    EAS_E_SESSION);
        free(cut);
    }
    char *bad = apr_pmemdup(bench->pool, blob, len);
    bad[0] = 2;
    ASSERT_KIND(be->session->resume(&again, be, bad, len, &bench->cred, bench->pool),
                EAS_E_SESSION);
    bad[0] = 1;
    bad[3] = '\n';
    ASSERT_KIND(be->session->resume(&again, be, bad, len, &bench->cred, bench->pool),
                EAS_E_SESSION);
    bad = apr_pmemdup(bench->pool, blob, len);
    bad[len - 1] = '\r';
    ASSERT_KIND(be->session->resume(&again, be, bad, len, &bench->cred, bench->pool),
                EAS_E_SESSION);
}

static void no_error_tells_password_or_session(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    const char *answers[] = {SESSION_GONE, ERR("LGI-0006", 1), "{", "<html>"};
    for (size_t i = 0; i < 4; i++) {
        canned_json(bench->server, answers[i]);
        canned_json(bench->server, answers[i]);
        const char *chain = eas_err_chain(probe(bench, session), bench->pool);
        assert_null(strstr(chain, "geh"));
        assert_null(strstr(chain, "0123456789abcdef"));
        assert_null(strstr(chain, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(login_sends_the_password_in_the_body_only),
        BENCH_TEST(the_phones_address_and_agent_are_told_where_configured),
        BENCH_TEST(ids_that_login_does_not_tell_are_asked_for),
        BENCH_TEST(what_a_failed_login_means),
        BENCH_TEST(a_used_auth_id_is_replaced_by_another),
        BENCH_TEST(users_without_the_capability_are_refused_and_logged_out),
        BENCH_TEST(an_expired_session_is_renewed_once_and_the_call_repeated),
        BENCH_TEST(a_403_page_counts_as_an_expired_session),
        BENCH_TEST(a_second_refusal_is_final),
        BENCH_TEST(the_reason_of_a_failed_renewal_is_told),
        BENCH_TEST(a_renewal_never_changes_who_the_user_is),
        BENCH_TEST(a_kept_session_goes_on_without_a_login),
        BENCH_TEST(damaged_sessions_are_refused),
        BENCH_TEST(no_error_tells_password_or_session),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
