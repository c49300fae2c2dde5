/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include "eas_protocol.h"

static void below_14_every_status_has_its_http_status(void **state)
{
    /* protocol digest 1.8, range by range */
    static const struct {
        int first, last, http;
    } rows[] = {
        {101, 109, 400}, {110, 110, 500}, {111, 111, 503}, {112, 112, 403}, {113, 113, 507},
        {114, 114, 503}, {115, 122, 500}, {123, 131, 403}, {132, 132, 403}, {133, 133, 503},
        {134, 136, 500}, {137, 137, 501}, {138, 138, 400}, {139, 144, 449}, {147, 147, 400},
        {150, 150, 500}, {177, 177, 403}, {180, 182, 500}, {999, 999, 500},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int status = rows[i].first; status <= rows[i].last; status++)
            assert_int_equal(eas_status_http(status, EAS_CMD_SYNC), rows[i].http);
    }
    assert_int_equal(eas_status_http(EAS_STATUS_INVALID_IDS, EAS_CMD_SENDMAIL), 500);
    assert_int_equal(eas_status_http(EAS_STATUS_SYNC_STATE_NOT_FOUND, EAS_CMD_PROVISION), 500);
}

static void a_structural_error_is_the_commands_own(void **state)
{
    static const struct {
        eas_cmd_t cmd;
        int status;
    } rows[] = {
        {EAS_CMD_SYNC, 4},          {EAS_CMD_FOLDERSYNC, 10},       {EAS_CMD_FOLDERCREATE, 10},
        {EAS_CMD_FOLDERUPDATE, 10}, {EAS_CMD_FOLDERDELETE, 10},     {EAS_CMD_PING, 4},
        {EAS_CMD_SETTINGS, 2},      {EAS_CMD_ITEMOPERATIONS, 2},    {EAS_CMD_PROVISION, 2},
        {EAS_CMD_SENDMAIL, 103},    {EAS_CMD_GETITEMESTIMATE, 103}, {EAS_CMD_UNKNOWN, 103},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(eas_status_of_kind(EAS_E_BAD_REQUEST, rows[i].cmd), rows[i].status);
}

static void lost_state_makes_the_phone_begin_anew(void **state)
{
    assert_int_equal(eas_status_of_kind(EAS_E_STATE, EAS_CMD_SYNC), 3);
    assert_int_equal(eas_status_of_kind(EAS_E_STATE, EAS_CMD_FOLDERSYNC), 9);
    assert_int_equal(eas_status_of_kind(EAS_E_STATE, EAS_CMD_SEARCH),
                     EAS_STATUS_SYNC_STATE_NOT_FOUND);
    assert_int_equal(eas_status_of_kind(EAS_E_STATE, EAS_CMD_UNKNOWN),
                     EAS_STATUS_SYNC_STATE_NOT_FOUND);
}

static void kinds_lead_to_status_and_http(void **state)
{
    static const struct {
        eas_kind_t kind;
        int status, http;
    } rows[] = {
        {EAS_E_INTERNAL, 110, 500},  {EAS_E_BAD_WBXML, 102, 400},   {EAS_E_BAD_REQUEST, 103, 400},
        {EAS_E_TOO_LARGE, 101, 413}, {EAS_E_UNSUPPORTED, 137, 501}, {EAS_E_CREDENTIALS, 130, 401},
        {EAS_E_FORBIDDEN, 130, 403}, {EAS_E_UNAVAILABLE, 111, 503}, {EAS_E_BUSY, 111, 503},
        {EAS_E_SESSION, 111, 503},   {EAS_E_NOT_FOUND, 150, 500},   {EAS_E_PERMISSION, 130, 403},
        {EAS_E_INVALID, 101, 400},   {EAS_E_QUOTA, 113, 507},       {EAS_E_NEWER, 111, 503},
        {(eas_kind_t)0, 110, 500},   {(eas_kind_t)99, 110, 500},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(eas_status_of_kind(rows[i].kind, EAS_CMD_SENDMAIL), rows[i].status);
        assert_int_equal(eas_http_of_kind(rows[i].kind), rows[i].http);
    }
}

static void only_wrong_credentials_may_give_401(void **state)
{
    for (int kind = EAS_E_INTERNAL; kind <= EAS_E_NEWER; kind++)
        assert_int_equal(eas_http_of_kind(kind) == 401, kind == EAS_E_CREDENTIALS);
    for (int status = 1; status < 200; status++)
        assert_int_not_equal(eas_status_http(status, EAS_CMD_SYNC), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(below_14_every_status_has_its_http_status),
        UNIT_TEST(a_structural_error_is_the_commands_own),
        UNIT_TEST(lost_state_makes_the_phone_begin_anew),
        UNIT_TEST(kinds_lead_to_status_and_http),
        UNIT_TEST(only_wrong_credentials_may_give_401),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
