/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

static void everything_but_unreserved_characters_is_encoded(void **state)
{
    bench_t *bench = *state;
    assert_string_equal(ox_escape(bench->pool, "default0/INBOX"), "default0%2FINBOX");
    assert_string_equal(ox_escape(bench->pool, "a&b=c#d?e+f g%\xc3\xa4\r\n-._~"),
                        "a%26b%3Dc%23d%3Fe%2Bf%20g%25%C3%A4%0D%0A-._~");
}

static void quoted_text_comes_back_from_json(void **state)
{
    static const char *const texts[] = {"", "plain", "a\"b\\c/", "\x01\x1f\t\n",
                                        "\xd0\x9c\xc3\xa4"};
    bench_t *bench = *state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        json_t *value = json_loads(ox_json_quote(bench->pool, texts[i]), JSON_DECODE_ANY, NULL);
        assert_string_equal(json_string_value(value), texts[i]);
        json_decref(value);
    }
}

static eas_err_t *two(bench_t *bench, eas_session_t *session)
{
    json_t *answers;
    eas_err_t *err = ox_call_multiple(&answers, session, "ox.test", BYTES("[{},{}]"), 2,
                                      bench->pool);
    json_decref(answers);
    return err;
}

static void multiple_must_answer_every_part(void **state)
{
    static const char *const bad[] = {"[]", "[{\"data\":1}]", "[1,2,3]", "{\"data\":[]}", "{}"};
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        canned_json(bench->server, bad[i]);
        ASSERT_KIND(two(bench, session), EAS_E_UNAVAILABLE);
    }
    canned_json(bench->server, "[{\"data\":1},{\"data\":2}]");
    ASSERT_OK(two(bench, session));
    ASSERT_ASKED(bench, 6, "PUT /ajax/multiple?continue=true&session=");
    ASSERT_ASKED(bench, 6, "Content-Type: application/json; charset=utf-8\r\n");
    ASSERT_ASKED(bench, 6, "\r\n\r\n[{},{}]");
}

static void a_session_that_is_gone_in_one_part_is_renewed_for_all(void **state)
{
    bench_t *bench = *state;
    eas_session_t *session = bench_session(bench);
    canned_json(bench->server, "[{\"data\":1}," SESSION_GONE "]");
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, "[{\"data\":1},{\"data\":2}]");
    ASSERT_OK(two(bench, session));
    assert_int_equal(canned_count(bench->server), 4);
    canned_json(bench->server, SESSION_GONE);
    canned_json(bench->server, LOGIN_OK);
    canned_json(bench->server, "[{\"data\":1},{\"data\":2}]");
    ASSERT_OK(two(bench, session));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(everything_but_unreserved_characters_is_encoded),
        BENCH_TEST(quoted_text_comes_back_from_json),
        BENCH_TEST(multiple_must_answer_every_part),
        BENCH_TEST(a_session_that_is_gone_in_one_part_is_renewed_for_all),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
