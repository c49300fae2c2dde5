/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include "eas_protocol.h"

static const struct {
    int version;
    const char *text, *list, *server;
} versions[] = {
    {EAS_V25, "2.5", "2.5", "6.5.7638.1"},
    {EAS_V120, "12.0", "2.5,12.0", "8.0"},
    {EAS_V121, "12.1", "2.5,12.0,12.1", "8.1"},
    {EAS_V140, "14.0", "2.5,12.0,12.1,14.0", "14.0"},
    {EAS_V141, "14.1", "2.5,12.0,12.1,14.0,14.1", "14.1"},
    {EAS_V160, "16.0", "2.5,12.0,12.1,14.0,14.1,16.0", "16.0"},
    {EAS_V161, "16.1", "2.5,12.0,12.1,14.0,14.1,16.0,16.1", "16.1"},
};

static void every_version_has_a_text_a_list_and_a_server_name(void **state)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        assert_int_equal(eas_version_parse(versions[i].text), versions[i].version);
        assert_string_equal(eas_version_text(versions[i].version), versions[i].text);
        assert_string_equal(eas_versions_list(versions[i].version, *state), versions[i].list);
        assert_string_equal(eas_server_version(versions[i].version), versions[i].server);
    }
}

static void other_versions_are_not_known(void **state)
{
    static const char *const texts[] = {"",     "1.0",  "2.0",   "2.1",      "3.0",
                                        "12",   "12.2", "14.1 ", " 14.1",    "14.10",
                                        "16.2", "141",  "14,1",  "14.1\r\n", "20.0"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(eas_version_parse(texts[i]), 0);
    assert_int_equal(eas_version_parse(NULL), 0);
    assert_null(eas_version_text(0));
    assert_null(eas_version_text(142));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(every_version_has_a_text_a_list_and_a_server_name),
        UNIT_TEST(other_versions_are_not_known),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
