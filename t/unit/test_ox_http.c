/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

#include <pthread.h>
#include <stdlib.h>

#define TUPLE "{\"data\":{\"validity\":3,\"total\":2,\"unread\":1,\"next\":9}}"
#define CHUNKED                                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nTransfer-Encoding: chunked\r\n\r\n"

static eas_err_t *probe(bench_t *bench, eas_session_t *session)
{
    eas_mail_tuple_t tuple = {0};
    eas_err_t *err = bench->be->mail->status(&tuple, session, "default0/INBOX", bench->pool);
    if (!err)
        assert_int_equal(tuple.next, 9);
    return err;
}

static int reached_backend(const eas_err_t *err)
{
    for (; err; err = err->cause)
        if (strcmp(err->tag, "ox.http") == 0)
            return 1;
    return 0;
}

static void one_connection_serves_many_calls(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_ox_stats_t stats;
    for (int i = 0; i < 5; i++) {
        canned_json(bench->server, TUPLE);
        ASSERT_OK(probe(bench, session));
    }
    eas_ox_stats(&stats, bench->be);
    assert_int_equal(stats.connects, 1);
    assert_int_equal(stats.calls, 6);
}

static void every_request_carries_the_same_agent_accept_and_the_cookies(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
    for (int i = 0; i < 2; i++) {
        ASSERT_ASKED(bench, i, "User-Agent: Open-Xchange USM HTTP Client (mod_eas/0.1)\r\n");
        ASSERT_ASKED(bench, i, "Accept: application/json, text/javascript\r\n");
        ASSERT_NOT_ASKED(bench, i, "Expect:");
    }
    ASSERT_NOT_ASKED(bench, 0, "Cookie:");
    ASSERT_ASKED(bench, 1, "Cookie: JSESSIONID=1.r1; open-xchange-secret-h=sec\r\n");
    ASSERT_ASKED(bench, 1, "GET /ajax/mail?action=examine&folder=default0%2FINBOX"
                 "&session=0123456789abcdef0123456789abcdef HTTP/1.1\r\n");
}

static void a_chunked_answer_is_read(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_raw(bench->server, BYTES(CHUNKED "15\r\n{\"data\":{\"validity\":3\r\n"
               "22\r\n,\"total\":2,\"unread\":1,\"next\":\"9\"}}\r\n0\r\n\r\n"), 0);
    ASSERT_OK(probe(bench, session));
}

static void a_redirect_is_not_followed(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_err_t *err;
    canned_answer(bench->server, 302, apr_psprintf(bench->pool,
                  "Location: http://127.0.0.1:%d/evil\r\n", canned_port(bench->server)), "");
    err = probe(bench, session);
    ASSERT_KIND(err, EAS_E_UNAVAILABLE);
    assert_true(reached_backend(err));
    assert_int_equal(canned_count(bench->server), 2);
}

static void too_many_requests_tells_when_to_come_again(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    eas_err_t *err;
    canned_answer(bench->server, 429, "Retry-After: 17\r\n", "slow down");
    err = probe(bench, session);
    ASSERT_KIND(err, EAS_E_UNAVAILABLE);
    assert_int_equal(err->retry_after, 17);
    canned_answer(bench->server, 429, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "");
    err = probe(bench, session);
    assert_int_equal(err->retry_after, 60);
}

static void statuses_that_are_no_answer_of_the_api(void **state)
{
    static const struct {
        int status, kind;
    } expected[] = {
        {500, EAS_E_UNAVAILABLE}, {502, EAS_E_UNAVAILABLE}, {503, EAS_E_UNAVAILABLE},
        {404, EAS_E_UNAVAILABLE}, {401, EAS_E_UNAVAILABLE}, {413, EAS_E_TOO_LARGE},
    };
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        canned_answer(bench->server, expected[i].status, "Content-Type: text/html\r\n", "<html>");
        ASSERT_KIND(probe(bench, session), expected[i].kind);
    }
    assert_int_equal(canned_count(bench->server), 7);
    canned_answer(bench->server, 500, "Content-Type: text/html\r\n", TUPLE);
    ASSERT_KIND(probe(bench, session), EAS_E_UNAVAILABLE);
}

static void what_is_no_json_is_no_answer(void **state)
{
    static const char *const bodies[] = {"", "{", "<html>Welcome</html>", "{\"data\":{\"next\":",
                                         "{\"data\":{}}", "{\"data\":null}", "[]", "{}"};
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        canned_json(bench->server, bodies[i]);
        eas_err_t *err = probe(bench, session);
        ASSERT_KIND(err, EAS_E_UNAVAILABLE);
        assert_int_not_equal(err->retry_after, 0);
    }
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
}

static void a_connection_closed_while_idle_is_opened_again(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_raw(bench->server, "", 0, 1);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
    assert_int_equal(canned_count(bench->server), 3);
}

static void a_cut_answer_is_an_error_and_the_next_call_works(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_raw(bench->server, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"data\":"), 1);
    eas_err_t *err = probe(bench, session);
    ASSERT_KIND(err, EAS_E_UNAVAILABLE);
    assert_true(reached_backend(err));
    canned_raw(bench->server, BYTES(CHUNKED "15\r\n{\"data\":"), 1);
    ASSERT_KIND(probe(bench, session), EAS_E_UNAVAILABLE);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
}

static void json_at_the_limit_and_one_more(void **state)
{
    bench_t *bench = *state;
    bench->conf.max_json = 65536;
    eas_session_t *session = bench_session(bench);
    char *body = malloc(65538);
    for (size_t size = 65536; size <= 65537; size++) {
        memset(body, ' ', size);
        memcpy(body, TUPLE, sizeof(TUPLE) - 1);
        body[size] = '\0';
        canned_json(bench->server, body);
        eas_err_t *err = probe(bench, session);
        if (size == 65536)
            ASSERT_OK(err);
        else
            ASSERT_KIND(err, EAS_E_TOO_LARGE);
    }
    free(body);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
}

static void a_server_that_says_nothing_is_given_up(void **state)
{
    bench_t *bench = *state;
    bench->conf.total_timeout = apr_time_from_msec(150);
    eas_session_t *session = bench_session(bench);
    canned_stall(bench->server, 5000);
    apr_time_t start = apr_time_now();
    eas_err_t *err = probe(bench, session);
    ASSERT_KIND(err, EAS_E_UNAVAILABLE);
    assert_true(reached_backend(err));
    assert_true(apr_time_now() - start < apr_time_from_sec(3));
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
    bench_t *bench = *state;
    canned_t *gone = canned_start();
    bench->conf.url = apr_psprintf(bench->pool, "http://127.0.0.1:%d/ajax", canned_port(gone));
    canned_stop(gone);
    eas_session_t *session;
    eas_backend_t *be = bench_backend(bench);
    eas_err_t *err = be->session->login(&session, be, &bench->cred, bench->pool);
    ASSERT_KIND(err, EAS_E_UNAVAILABLE);
    assert_int_not_equal(err->retry_after, 0);
    assert_true(reached_backend(err));
}

static void proxies_of_the_environment_are_not_used(void **state)
{
    bench_t *bench = *state;
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("all_proxy", "http://127.0.0.1:1/", 1);
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

typedef struct held_t {
    bench_t *bench;
    eas_session_t *session;
    eas_err_t *err;
    apr_pool_t *pool;
} held_t;

static void *hold(void *baton)
{
    held_t *held = baton;
    eas_mail_tuple_t tuple;
    held->err = held->bench->be->mail->status(&tuple, held->session, "default0/INBOX", held->pool);
    return NULL;
}

static void when_all_handles_are_in_use_the_call_is_busy(void **state)
{
    bench_t *bench = *state;
    bench->conf.max_handles = 1;
    bench->conf.wait_timeout = apr_time_from_msec(50);
    bench->conf.total_timeout = apr_time_from_msec(1500);
    held_t held = {.bench = bench, .session = bench_session(bench)};
    pthread_t thread;
    const void *blob;
    apr_size_t len;
    eas_session_t *second;
    eas_backend_t *be = bench->be;

    ASSERT_OK(be->session->dump(&blob, &len, held.session, bench->pool));
    ASSERT_OK(be->session->resume(&second, be, blob, len, &bench->cred, bench->pool));
    apr_pool_create(&held.pool, NULL);
    canned_stall(bench->server, 5000);
    assert_int_equal(pthread_create(&thread, NULL, hold, &held), 0);
    while (canned_count(bench->server) < 2)
        apr_sleep(1000);
    eas_err_t *err = probe(bench, second);
    ASSERT_KIND(err, EAS_E_BUSY);
    assert_false(reached_backend(err));
    pthread_join(thread, NULL);
    ASSERT_KIND(held.err, EAS_E_UNAVAILABLE);
    apr_pool_destroy(held.pool);
}

static void an_answer_with_endless_headers_is_given_up(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    char *text = apr_pstrdup(bench->pool, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 300; i++)
        text = apr_pstrcat(bench->pool, text, "X-Header: 1\r\n", NULL);
    text = apr_pstrcat(bench->pool, text, "Content-Length: 0\r\n\r\n", NULL);
    canned_raw(bench->server, text, strlen(text), 0);
    ASSERT_KIND(probe(bench, session), EAS_E_UNAVAILABLE);
}

static void a_new_route_is_kept_and_marks_the_session_changed(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_answer(bench->server, 200, "Content-Type: text/javascript\r\n"
                  "set-cookie: JSESSIONID=2.r2; Path=/\r\nSet-Cookie: x=a b\r\n", TUPLE);
    ASSERT_OK(probe(bench, session));
    assert_true(bench->be->session->changed(session));
    canned_json(bench->server, TUPLE);
    ASSERT_OK(probe(bench, session));
    ASSERT_ASKED(bench, 2, "Cookie: JSESSIONID=2.r2; open-xchange-secret-h=sec\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(one_connection_serves_many_calls),
        BENCH_TEST(every_request_carries_the_same_agent_accept_and_the_cookies),
        BENCH_TEST(a_chunked_answer_is_read),
        BENCH_TEST(a_redirect_is_not_followed),
        BENCH_TEST(too_many_requests_tells_when_to_come_again),
        BENCH_TEST(statuses_that_are_no_answer_of_the_api),
        BENCH_TEST(what_is_no_json_is_no_answer),
        BENCH_TEST(a_connection_closed_while_idle_is_opened_again),
        BENCH_TEST(a_cut_answer_is_an_error_and_the_next_call_works),
        BENCH_TEST(json_at_the_limit_and_one_more),
        BENCH_TEST(a_server_that_says_nothing_is_given_up),
        BENCH_TEST(a_server_that_is_not_there_is_unavailable),
        BENCH_TEST(proxies_of_the_environment_are_not_used),
        BENCH_TEST(when_all_handles_are_in_use_the_call_is_busy),
        BENCH_TEST(an_answer_with_endless_headers_is_given_up),
        BENCH_TEST(a_new_route_is_kept_and_marks_the_session_changed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
