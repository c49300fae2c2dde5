/* SPDX-License-Identifier: Apache-2.0 */
#include "ox_canned.h"

static int kind(const char *code, const char *category, int number)
{
    return ox_errors_lookup(code, category, number).kind;
}

static void codes_mean_what_the_reaction_table_says(void **state)
{
    static const struct {
        const char *code;
        int kind;
    } expected[] = {
        {"LGI-0006", EAS_E_CREDENTIALS}, {"LGI-0001", EAS_E_FORBIDDEN},
        {"LGI-0026", EAS_E_FORBIDDEN}, {"LGI-0005", EAS_E_UNAVAILABLE},
        {"SVL-0016", EAS_E_FORBIDDEN}, {"SVL-0019", EAS_E_UNAVAILABLE},
        {"FLD-0008", EAS_E_FOLDER_GONE}, {"FLD-0003", EAS_E_FOLDER_GONE},
        {"IMAP-1002", EAS_E_FOLDER_GONE}, {"MSG-0066", EAS_E_FOLDER_GONE},
        {"MSG-0032", EAS_E_NOT_FOUND}, {"MSG-0039", EAS_E_QUOTA},
        {"MSG-0087", EAS_E_UNSUPPORTED}, {"SVL-0001", EAS_E_UNSUPPORTED},
        {"CON-0119", EAS_E_CONFLICT}, {"TSK-0019", EAS_E_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        assert_int_equal(kind(expected[i].code, "ERROR", 8), expected[i].kind);
}

static void every_session_code_ends_the_session(void **state)
{
    static const char *const codes[] = {"SES-0001", "SES-0203", "SES-0206", "SES-9999"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        assert_int_equal(kind(codes[i], "PERMISSION_DENIED", 3), EAS_E_SESSION);
}

static void unknown_codes_follow_their_category(void **state)
{
    static const struct {
        const char *name;
        int number, kind;
    } expected[] = {
        {"USER_INPUT", 1, EAS_E_INVALID}, {"CONFIGURATION", 2, EAS_E_UNAVAILABLE},
        {"PERMISSION_DENIED", 3, EAS_E_PERMISSION}, {"TRY_AGAIN", 4, EAS_E_UNAVAILABLE},
        {"SERVICE_DOWN", 5, EAS_E_UNAVAILABLE}, {"CONNECTIVITY", 6, EAS_E_UNAVAILABLE},
        {"ERROR", 8, EAS_E_INTERNAL}, {"CONFLICT", 9, EAS_E_CONFLICT},
        {"CAPACITY", 11, EAS_E_QUOTA}, {"TRUNCATED", 12, EAS_E_INVALID}, {"WARNING", 13, 0},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        assert_int_equal(kind("NEW-0001", expected[i].name, 0), expected[i].kind);
        assert_int_equal(kind(NULL, NULL, expected[i].number), expected[i].kind);
    }
    assert_int_equal(kind("NEW-0001", "SOMETHING", 77), EAS_E_INTERNAL);
}

static void only_login_codes_can_ask_for_a_password(void **state)
{
    static const char *const rest[] = {"SES-0203", "MSG-0013", "USR-0018", "CTX-0012", "IMAP-1001"};
    for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
        for (int number = 0; number < 14; number++)
            assert_int_not_equal(kind(rest[i], NULL, number), EAS_E_CREDENTIALS);
}

static void a_code_is_found_along_the_chain(void **state)
{
    bench_t *bench = *state;
    eas_err_t *err = eas_err_create(bench->pool, EAS_E_INTERNAL, "x", "m");
    err->detail = "MSG-0087 id 5-5";
    err = eas_err_wrap(bench->pool, err, "y", "n");
    assert_true(ox_errors_is(err, "MSG-0087"));
    assert_false(ox_errors_is(err, "MSG-008"));
    assert_false(ox_errors_is(err, "MSG-0088"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_mean_what_the_reaction_table_says),
        cmocka_unit_test(every_session_code_ends_the_session),
        cmocka_unit_test(unknown_codes_follow_their_category),
        cmocka_unit_test(only_login_codes_can_ask_for_a_password),
        BENCH_TEST(a_code_is_found_along_the_chain),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
