/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

static eas_err_t *verdict(const char *text, apr_pool_t *pool)
{
    json_t *root;
    ox_envelope_parse(&root, text, strlen(text));
    assert_non_null(root);
    eas_err_t *err = ox_envelope_check(root, "ox.test", pool);
    json_decref(root);
    return err;
}

static void success_is_no_error(void **state)
{
    bench_t *bench = *state;
    assert_null(verdict("{\"data\":[],\"timestamp\":1}", bench->pool));
    assert_null(verdict("{\"data\":{\"error\":\"inner\"}}", bench->pool));
}

static void category_13_is_success(void **state)
{
    bench_t *bench = *state;
    assert_null(verdict("{\"data\":[],\"error\":\"x\",\"code\":\"FLD-0003\",\"category\":13,"
                        "\"categories\":\"WARNING\"}", bench->pool));
    assert_null(verdict("{\"error\":\"x\",\"code\":\"FLD-0003\",\"categories\":[\"WARNING\"]}",
                        bench->pool));
}

static void the_name_of_the_category_wins_over_its_number(void **state)
{
    bench_t *bench = *state;
    ASSERT_KIND(verdict("{\"error\":\"x\",\"code\":\"ABC-1\",\"category\":8,"
                        "\"categories\":[\"CAPACITY\",\"ERROR\"]}", bench->pool), EAS_E_QUOTA);
    ASSERT_KIND(verdict("{\"error\":\"x\",\"code\":\"ABC-1\",\"category\":3}", bench->pool),
                EAS_E_PERMISSION);
    ASSERT_KIND(verdict("{\"error\":\"x\"}", bench->pool), EAS_E_INTERNAL);
}

static void the_detail_has_code_and_id_and_no_text_of_the_server(void **state)
{
    bench_t *bench = *state;
    eas_err_t *err = verdict("{\"error\":\"subject of a mail\",\"error_desc\":\"secret\","
                             "\"code\":\"MSG-0032\",\"error_id\":\"8244-5\",\"category\":1}",
                             bench->pool);
    ASSERT_KIND(err, EAS_E_NOT_FOUND);
    assert_string_equal(err->detail, "MSG-0032 id 8244-5");
    assert_null(strstr(eas_err_chain(err, bench->pool), "subject"));
    assert_null(strstr(eas_err_chain(err, bench->pool), "secret"));
}

static void hostile_codes_do_not_reach_the_log(void **state)
{
    bench_t *bench = *state;
    eas_err_t *err = verdict("{\"error\":\"x\",\"code\":\"A\\nB\",\"error_id\":\"x y\"}",
                             bench->pool);
    assert_non_null(err);
    assert_string_equal(err->detail, "no code");
}

static void the_callback_form_is_read(void **state)
{
    bench_t *bench = *state;
    ASSERT_KIND(verdict("<html><script>(parent[\"callback_x\"]||window.opener&&window.opener"
                        "[\"callback_x\"])({\"error\":\"a })b\",\"code\":\"SES-0203\"})</script>",
                        bench->pool), EAS_E_SESSION);
}

static void what_is_no_json_has_no_root(void **state)
{
    static const char *const bad[] = {"", "  ", "<html>", "({", "({)}", "})({", "{", "[1,", "nul",
                                      "{\"a\":1}x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        json_t *root;
        ox_envelope_parse(&root, bad[i], strlen(bad[i]));
        assert_null(root);
    }
}

static void numbers_may_be_strings(void **state)
{
    json_t *v = json_pack("[i,s,s,s,s,n,b,s]", 5, "17", "x", "", "99999999999999999999", 1, "-3");
    assert_int_equal(ox_json_num(json_array_get(v, 0), -1), 5);
    assert_int_equal(ox_json_num(json_array_get(v, 1), -1), 17);
    for (size_t i = 2; i < 7; i++)
        assert_int_equal(ox_json_num(json_array_get(v, i), -1), -1);
    assert_int_equal(ox_json_num(json_array_get(v, 7), -1), -3);
    assert_int_equal(ox_json_num(NULL, 9), 9);
    json_decref(v);
}

static void booleans_come_in_many_forms(void **state)
{
    json_t *v = json_pack("[b,b,i,i,s,s,{s:s},n,s]", 1, 0, 1, 0, "true", "false", "value",
                          "false", "maybe");
    static const int expected[] = {1, 0, 1, 0, 1, 0, 0, -1, -1};
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(ox_json_bool(json_array_get(v, i)), expected[i]);
    assert_int_equal(ox_json_bool(NULL), -1);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(success_is_no_error),
        BENCH_TEST(category_13_is_success),
        BENCH_TEST(the_name_of_the_category_wins_over_its_number),
        BENCH_TEST(the_detail_has_code_and_id_and_no_text_of_the_server),
        BENCH_TEST(hostile_codes_do_not_reach_the_log),
        BENCH_TEST(the_callback_form_is_read),
        cmocka_unit_test(what_is_no_json_has_no_root),
        cmocka_unit_test(numbers_may_be_strings),
        cmocka_unit_test(booleans_come_in_many_forms),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
