/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

static void urls_that_could_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = {
        NULL, "", "ftp://h/ajax", "file:///etc", "http://", "http:///ajax", "http://:80/",
        "http://user:pw@h/ajax", "http://h/ajax?x=1", "http://h/ajax#x", "http://h/a b",
        "http://h/\r\nX: y", "//h/ajax",
    };
    bench_t *bench = *state;
    eas_backend_t *be;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        bench->conf.url = bad[i];
        ASSERT_KIND(eas_ox_create(&be, &bench->conf, bench->pool), EAS_E_INVALID);
    }
    bench->conf.url = "https://ox.example.org:8443/appsuite/api/";
    ASSERT_OK(eas_ox_create(&be, &bench->conf, bench->pool));
    assert_string_equal(be->name, "ox1");
}

static void client_id_equal_to_user_agent_is_refused(void **state)
{
    bench_t *bench = *state;
    eas_backend_t *be;
    bench->conf.client_id = bench->conf.user_agent;
    ASSERT_KIND(eas_ox_create(&be, &bench->conf, bench->pool), EAS_E_INVALID);
}

static void header_values_with_line_ends_are_refused(void **state)
{
    bench_t *bench = *state;
    eas_backend_t *be;
    bench->conf.user_agent = "a\r\nCookie: x=y";
    ASSERT_KIND(eas_ox_create(&be, &bench->conf, bench->pool), EAS_E_INVALID);
}

static void counters_tell_what_happened(void **state)
{
    bench_t *bench = *state;
    eas_ox_stats_t stats;
    eas_mail_tuple_t tuple;
    eas_session_t *session = bench_session(bench);
    canned_answer(bench->server, 502, "", "bad gateway");
    ASSERT_KIND(bench->be->mail->status(&tuple, session, "default0/INBOX", bench->pool),
                EAS_E_UNAVAILABLE);
    eas_ox_stats(&stats, bench->be);
    assert_int_equal(stats.calls, 2);
    assert_int_equal(stats.logins, 1);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(stats.connects, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(urls_that_could_lead_elsewhere_are_refused),
        BENCH_TEST(client_id_equal_to_user_agent_is_refused),
        BENCH_TEST(header_values_with_line_ends_are_refused),
        BENCH_TEST(counters_tell_what_happened),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
