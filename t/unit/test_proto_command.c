/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include "eas_protocol.h"

/* In the order of their codes, as OPTIONS lists them (digest 1.2). */
static const char all[] =
    "Sync,SendMail,SmartForward,SmartReply,GetAttachment,GetHierarchy,CreateCollection,"
    "DeleteCollection,MoveCollection,FolderSync,FolderCreate,FolderDelete,FolderUpdate,MoveItems,"
    "GetItemEstimate,MeetingResponse,Search,Settings,Ping,ItemOperations,Provision,"
    "ResolveRecipients,ValidateCert,Find";

static void the_list_holds_what_is_offered_up_to_the_ceiling(void **state)
{
    char offered[EAS_CMD_COUNT];

    memset(offered, 1, sizeof(offered));
    assert_string_equal(eas_cmds_list(offered, EAS_V161, *state), all);
    assert_null(strstr(eas_cmds_list(offered, EAS_V160, *state), "Find"));
    assert_non_null(
        strstr(eas_cmds_list(offered, EAS_V120, *state), ",Settings,Ping,ItemOperations,"));
    assert_null(strstr(eas_cmds_list(offered, EAS_V25, *state), "Settings"));
    assert_null(strstr(eas_cmds_list(offered, EAS_V25, *state), "ItemOperations"));
    memset(offered, 0, sizeof(offered));
    assert_string_equal(eas_cmds_list(offered, EAS_V161, *state), "");
    offered[EAS_CMD_FOLDERSYNC] = offered[EAS_CMD_SYNC] = 1;
    assert_string_equal(eas_cmds_list(offered, EAS_V161, *state), "Sync,FolderSync");
}

static void names_are_found_in_any_case(void **state)
{
    assert_int_equal(eas_cmd_lookup("foldersync"), EAS_CMD_FOLDERSYNC);
    assert_int_equal(eas_cmd_lookup("SYNC"), EAS_CMD_SYNC);
    assert_int_equal(eas_cmd_lookup("Find"), 23);
    assert_int_equal(eas_cmd_lookup("Provision"), 20);
    assert_int_equal(eas_cmd_lookup("Sync "), EAS_CMD_UNKNOWN);
    assert_int_equal(eas_cmd_lookup(""), EAS_CMD_UNKNOWN);
    assert_int_equal(eas_cmd_lookup(NULL), EAS_CMD_UNKNOWN);
    for (int cmd = 0; cmd < EAS_CMD_COUNT; cmd++)
        assert_int_equal(eas_cmd_lookup(eas_cmd_name(cmd)), cmd);
    assert_null(eas_cmd_name(EAS_CMD_UNKNOWN));
    assert_null(eas_cmd_name(EAS_CMD_COUNT));
}

static void commands_belong_to_versions(void **state)
{
    static const struct {
        eas_cmd_t cmd;
        int version, has;
    } cases[] = {
        {EAS_CMD_SYNC, EAS_V25, 1},           {EAS_CMD_SYNC, EAS_V161, 1},
        {EAS_CMD_SETTINGS, EAS_V25, 0},       {EAS_CMD_SETTINGS, EAS_V120, 1},
        {EAS_CMD_ITEMOPERATIONS, EAS_V25, 0}, {EAS_CMD_ITEMOPERATIONS, EAS_V120, 1},
        {EAS_CMD_GETATTACHMENT, EAS_V121, 1}, {EAS_CMD_GETATTACHMENT, EAS_V140, 0},
        {EAS_CMD_GETHIERARCHY, EAS_V121, 1},  {EAS_CMD_GETHIERARCHY, EAS_V140, 0},
        {EAS_CMD_FIND, EAS_V160, 0},          {EAS_CMD_FIND, EAS_V161, 1},
        {EAS_CMD_UNKNOWN, EAS_V141, 0},       {EAS_CMD_COUNT, EAS_V141, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(eas_cmd_in_version(cases[i].cmd, cases[i].version), cases[i].has);
}

static void root_and_status_stand_on_the_commands_own_page(void **state)
{
    for (int cmd = 0; cmd < EAS_CMD_COUNT; cmd++) {
        eas_tag_t root = eas_cmd_root(cmd), status = eas_cmd_status(cmd);
        if (root)
            assert_int_equal(eas_cmd_of_tag(root), cmd);
        if (!status)
            continue;
        assert_int_equal(root >> 8, status >> 8);
        assert_string_equal(eas_tag_name(root), eas_cmd_name(cmd));
        assert_string_equal(eas_tag_name(status), "Status");
    }
    assert_int_equal(eas_cmd_status(EAS_CMD_GETATTACHMENT), 0);
    assert_int_equal(eas_cmd_status(EAS_CMD_GETHIERARCHY), 0);
    assert_int_equal(eas_cmd_root(EAS_CMD_GETHIERARCHY), EAS_FOLDERHIERARCHY_FOLDERS);
    assert_int_equal(eas_cmd_of_tag(EAS_AIRSYNC_COLLECTION), EAS_CMD_UNKNOWN);
    assert_int_equal(eas_cmd_of_tag(0), EAS_CMD_UNKNOWN);
    assert_int_equal(eas_cmd_root(EAS_CMD_UNKNOWN), 0);
    assert_int_equal(eas_cmd_status(EAS_CMD_UNKNOWN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_list_holds_what_is_offered_up_to_the_ceiling),
        UNIT_TEST(names_are_found_in_any_case),
        UNIT_TEST(commands_belong_to_versions),
        UNIT_TEST(root_and_status_stand_on_the_commands_own_page),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
