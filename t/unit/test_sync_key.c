/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "sync_priv.h"

static void keys_come_back_as_written(void **state)
{
    static const apr_uint64_t numbers[] = {1, 9, 10, 4294967296u, 9999999999u};
    sync_key_t k;

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const char *text =
            sync_key_text("0f8fad5b-d9cb-469f-a165-70867728950e", numbers[i], *state);
        assert_true(strlen(text) <= 64);
        assert_true(sync_key_parse(&k, text, *state));
        assert_string_equal(k.uuid, "0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_true(k.n == numbers[i]);
    }
}

static void anything_else_is_no_key(void **state)
{
    static const char *const bad[] = {
        "", "0", "1", "{}1", "{abcdefab}", "{abcdefab}0", "{abcdefab}01", "{abcdefab}-1",
        "{abcdefab}+1", "{abcdefab}1 ", " {abcdefab}1", "{abcdefab}1x", "{abcdefab}12345678901",
        "{abcdefa}1", "{ABCDEFAB}1", "{abcdefab1", "abcdefab}1", "{abcd\n\nab}1",
        "{abcdefababcdefababcdefababcdefababcdefabf}1",
        "{0f8fad5b-d9cb-469f-a165-70867728950e}1111111111111111111111111111",
    };
    sync_key_t k;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (sync_key_parse(&k, bad[i], *state))
            fail_msg("'%s' was taken for a key", bad[i]);
    assert_false(sync_key_parse(&k, NULL, *state));
}

static void server_ids_belong_to_their_collection(void **state)
{
    static const struct {
        const char *cid, *id;
        apr_uint32_t uid; /* 0: none */
    } cases[] = {
        {"2", "2:17", 17},
        {"2", "2:4294967295", 4294967295u},
        {"2", "2:4294967296", 0},
        {"2", "2:0", 0},
        {"2", "2:017", 0},
        {"2", "22:1", 0},
        {"22", "2:1", 0},
        {"2", "2", 0},
        {"2", "2:", 0},
        {"2", "2:1x", 0},
        {"2", "2: 1", 0},
        {"2", "2:-1", 0},
        {"mabc", "mabc:5", 5},
        {"2", "", 0},
        {"2", "2:99999999999999999999", 0},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_uint32_t uid = 0;
        int good = eas_server_id_parse(&uid, cases[i].cid, cases[i].id);
        if (good != (cases[i].uid != 0) || (good && uid != cases[i].uid))
            fail_msg("'%s' in %s", cases[i].id, cases[i].cid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(keys_come_back_as_written),
        POOL_TEST(anything_else_is_no_key),
        POOL_TEST(server_ids_belong_to_their_collection),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
