/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

static eas_session_t *empty(bench_t *bench)
{
    eas_session_t *session = apr_pcalloc(bench->pool, sizeof(*session));
    session->pool = bench->pool;
    return session;
}

static void set(eas_session_t *session, const char *header)
{
    ox_cookie_set(session, header, strlen(header));
}

static void cookies_are_sent_back_in_order(void **state)
{
    eas_session_t *session = empty(*state);
    assert_null(ox_cookie_line(session));
    set(session, "JSESSIONID=123.APP1; Path=/; HttpOnly");
    set(session, " open-xchange-secret-abc = \"v1\" ;Secure;SameSite=None");
    assert_string_equal(ox_cookie_line(session),
                        "JSESSIONID=123.APP1; open-xchange-secret-abc=\"v1\"");
    assert_true(session->changed);
}

static void the_same_value_again_changes_nothing(void **state)
{
    eas_session_t *session = empty(*state);
    set(session, "a=1; Path=/");
    session->changed = 0;
    set(session, "a=1; Path=/x");
    assert_false(session->changed);
    set(session, "a=2");
    assert_true(session->changed);
    assert_string_equal(ox_cookie_line(session), "a=2");
}

static void cookies_end_with_max_age_zero_or_an_empty_value(void **state)
{
    eas_session_t *session = empty(*state);
    set(session, "a=1");
    set(session, "b=2");
    set(session, "c=3");
    set(session, "a=x; Path=/; max-age=0");
    set(session, "b=");
    assert_string_equal(ox_cookie_line(session), "c=3");
    set(session, "never=1; Max-Age=-1");
    assert_string_equal(ox_cookie_line(session), "c=3");
    set(session, "d=4; Max-Age=604800");
    assert_string_equal(ox_cookie_line(session), "c=3; d=4");
}

static void values_that_are_no_tokens_are_ignored(void **state)
{
    static const char *const bad[] = {
        "a=b\r\nX-Evil: 1", "a=b\nc", "a=b c", "a=b,c", "a=\"b", "a=b\\c", "a b=c", "=b", "a",
        "a;b=c", "a=\xc3\xa4", "a\x01=b", "a=\x7f", "a:b=c", "",
    };
    eas_session_t *session = empty(*state);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        set(session, bad[i]);
    ox_cookie_set(session, "a=b\0c", 5);
    assert_int_equal(session->ncookies, 0);
    assert_false(session->changed);
}

static void number_and_size_are_bounded(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = empty(bench);
    char *big = apr_palloc(bench->pool, OX_MAX_COOKIE_VALUE + 4);
    memset(big, 'x', OX_MAX_COOKIE_VALUE + 3);
    big[1] = '=';
    big[OX_MAX_COOKIE_VALUE + 3] = '\0';
    set(session, big);
    assert_int_equal(session->ncookies, 0);
    big[OX_MAX_COOKIE_VALUE + 2] = '\0';
    set(session, big);
    assert_int_equal(session->ncookies, 1);
    for (int i = 0; i < 40; i++)
        set(session, apr_psprintf(bench->pool, "n%d=1", i));
    assert_int_equal(session->ncookies, OX_MAX_COOKIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(cookies_are_sent_back_in_order),
        BENCH_TEST(the_same_value_again_changes_nothing),
        BENCH_TEST(cookies_end_with_max_age_zero_or_an_empty_value),
        BENCH_TEST(values_that_are_no_tokens_are_ignored),
        BENCH_TEST(number_and_size_are_bounded),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
