/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include "eas_protocol.h"

static eas_resp_t answer(int version, eas_cmd_t cmd, int status, int has_policy_key,
                         apr_pool_t *pool)
{
    eas_req_t req = {
        .pool = pool, .version = version, .cmd = cmd, .has_policy_key = has_policy_key};
    eas_resp_t resp = {.http_status = 200};

    eas_resp_error(&resp, &req, status);
    return resp;
}

static void from_14_on_a_global_error_is_the_root_with_its_status(void **state)
{
    static const int versions[] = {EAS_V140, EAS_V141, EAS_V160, EAS_V161};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        eas_resp_t resp = answer(versions[i], EAS_CMD_SYNC, 142, 1, *state);
        assert_int_equal(resp.http_status, 200);
        assert_string_equal(resp.content_type, "application/vnd.ms-sync.wbxml");
        assert_string_equal(resp.note, "status=142");
        assert_span(resp.body,
                    HEAD "\x45\x4E\x03"
                         "142\0"
                         "\x01\x01",
                    13);
    }
    eas_resp_t resp = answer(EAS_V141, EAS_CMD_FOLDERSYNC, 108, 1, *state);
    assert_span(resp.body,
                HEAD "\x00\x07\x56\x4C\x03"
                     "108\0"
                     "\x01\x01",
                15);
    resp = answer(EAS_V161, EAS_CMD_SENDMAIL, 120, 1, *state);
    assert_span(resp.body,
                HEAD "\x00\x15\x45\x52\x03"
                     "120\0"
                     "\x01\x01",
                15);
}

static void below_14_a_global_error_is_an_http_status(void **state)
{
    static const int versions[] = {EAS_V25, EAS_V120, EAS_V121};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        eas_resp_t resp = answer(versions[i], EAS_CMD_SYNC, 142, 1, *state);
        assert_int_equal(resp.http_status, 449);
        assert_null(resp.content_type);
        assert_int_equal(resp.body.len, 0);
        assert_int_equal(answer(versions[i], EAS_CMD_SYNC, 108, 1, *state).http_status, 400);
    }
    assert_int_equal(answer(EAS_V121, EAS_CMD_PING, 140, 1, *state).http_status, 449);
    assert_int_equal(answer(EAS_V121, EAS_CMD_PING, 140, 0, *state).http_status, 403);
}

static void a_commands_own_status_has_a_body_in_all_versions(void **state)
{
    eas_resp_t resp = answer(EAS_V25, EAS_CMD_FOLDERSYNC, 9, 0, *state);

    assert_int_equal(resp.http_status, 200);
    assert_span(resp.body,
                HEAD "\x00\x07\x56\x4C\x03"
                     "9\0"
                     "\x01\x01",
                13);
}

static void without_a_status_element_or_version_it_is_http(void **state)
{
    assert_int_equal(answer(EAS_V141, EAS_CMD_GETATTACHMENT, 137, 0, *state).http_status, 501);
    assert_int_equal(answer(EAS_V141, EAS_CMD_UNKNOWN, 137, 0, *state).http_status, 501);
    assert_int_equal(answer(EAS_V141, EAS_CMD_UNKNOWN, 103, 0, *state).http_status, 400);
    assert_int_equal(answer(0, EAS_CMD_SYNC, 138, 0, *state).http_status, 400);
    assert_int_equal(answer(0, EAS_CMD_SYNC, 138, 0, *state).body.len, 0);
}

static void options_headers_stand_there_once_without_blanks(void **state)
{
    char offered[EAS_CMD_COUNT] = {0};
    eas_resp_t resp = {.http_status = 200};

    offered[EAS_CMD_SYNC] = offered[EAS_CMD_FOLDERSYNC] = offered[EAS_CMD_ITEMOPERATIONS] = 1;
    eas_resp_options(&resp, offered, EAS_V141, 0, *state);
    eas_resp_options(&resp, offered, EAS_V141, 0, *state);
    assert_int_equal(apr_table_elts(resp.headers)->nelts, 5);
    assert_string_equal(apr_table_get(resp.headers, "MS-ASProtocolVersions"),
                        "2.5,12.0,12.1,14.0,14.1");
    assert_string_equal(apr_table_get(resp.headers, "MS-ASProtocolCommands"),
                        "Sync,FolderSync,ItemOperations");
    assert_string_equal(apr_table_get(resp.headers, "MS-Server-ActiveSync"), "14.1");
    assert_string_equal(apr_table_get(resp.headers, "Public"), "OPTIONS,POST");
    assert_string_equal(apr_table_get(resp.headers, "Allow"), "OPTIONS,POST");
}

static void folder_sync_of_key_0_also_says_rp(void **state)
{
    char offered[EAS_CMD_COUNT] = {[EAS_CMD_SYNC] = 1, [EAS_CMD_SETTINGS] = 1};
    eas_resp_t resp = {.http_status = 200};

    eas_resp_options(&resp, offered, EAS_V25, 1, *state);
    assert_string_equal(apr_table_get(resp.headers, "X-MS-RP"), "2.5");
    assert_string_equal(apr_table_get(resp.headers, "MS-ASProtocolVersions"), "2.5");
    assert_string_equal(apr_table_get(resp.headers, "MS-ASProtocolCommands"), "Sync");
    assert_null(apr_table_get(resp.headers, "Allow"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(from_14_on_a_global_error_is_the_root_with_its_status),
        UNIT_TEST(below_14_a_global_error_is_an_http_status),
        UNIT_TEST(a_commands_own_status_has_a_body_in_all_versions),
        UNIT_TEST(without_a_status_element_or_version_it_is_http),
        UNIT_TEST(options_headers_stand_there_once_without_blanks),
        UNIT_TEST(folder_sync_of_key_0_also_says_rp),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
