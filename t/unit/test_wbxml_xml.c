/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

enum { PLENTY = 65536 };

static eas_node_t *tree_of(eas_writer_t *w, apr_pool_t *pool)
{
    eas_span_t doc = must_finish(w);
    return must_read(doc.data, doc.len, pool);
}

static void namespaces_stand_where_the_page_changes(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
    eas_w_str(w, EAS_EMAIL_IMPORTANCE, "1");
    eas_w_empty(w, EAS_EMAIL_FLAG);
    eas_w_open(w, EAS_AIRSYNCBASE_BODY);
    eas_w_int(w, EAS_AIRSYNCBASE_TYPE, 2);
    eas_w_close(w);
    eas_w_opaque(w, EAS_EMAIL2_CONVERSATIONID, "\0\1\2", 3);
    eas_w_close(w);
    eas_w_close(w);
    assert_string_equal(eas_node_xml(tree_of(w, *state), 0, PLENTY, *state),
                        "<Sync xmlns=\"AirSync\">\n"
                        "  <ApplicationData>\n"
                        "    <Importance xmlns=\"Email\">1</Importance>\n"
                        "    <Flag xmlns=\"Email\"/>\n"
                        "    <Body xmlns=\"AirSyncBase\">\n"
                        "      <Type>2</Type>\n"
                        "    </Body>\n"
                        "    <ConversationId xmlns=\"Email2\">AAEC</ConversationId>\n"
                        "  </ApplicationData>\n"
                        "</Sync>\n");
}

static void marks_and_control_characters_are_escaped(void **state)
{
    eas_node_t *root = must_read(
        BYTES(HEAD "\x4B\x03<a> & \x1B[2J\xC2\x9B\x7F\r\n\tz\xC3\xA4\0\x01"), *state);

    assert_string_equal(eas_node_xml(root, 0, PLENTY, *state),
                        "<SyncKey xmlns=\"AirSync\">&lt;a&gt; &amp; &#27;[2J&#155;&#127;&#13;\n\tz"
                        "\xC3\xA4</SyncKey>\n");
}

static void secrets_and_bodies_are_masked(void **state)
{
    static const eas_tag_t hidden[] = {
        EAS_SETTINGS_PASSWORD, EAS_ITEMOPERATIONS_PASSWORD, EAS_SEARCH_PASSWORD,
        EAS_EMAIL_SUBJECT, EAS_EMAIL_BODY, EAS_EMAIL_MIMEDATA, EAS_EMAIL_TO, EAS_EMAIL_FROM,
        EAS_EMAIL2_BCC, EAS_AIRSYNCBASE_DATA, EAS_AIRSYNCBASE_CONTENT, EAS_AIRSYNCBASE_PREVIEW,
        EAS_COMPOSEMAIL_MIME, EAS_ITEMOPERATIONS_DATA, EAS_PROVISION_DATA, EAS_CONTACTS_BODY,
        EAS_CALENDAR_SUBJECT, EAS_TASKS_BODY, EAS_NOTES_SUBJECT, EAS_FIND_DISPLAYBCC,
        EAS_CONTACTS_PICTURE, EAS_SETTINGS_REPLYMESSAGE,
    };
    static const eas_tag_t shown[] = {EAS_AIRSYNC_SYNCKEY, EAS_AIRSYNC_STATUS,
                                      EAS_PROVISION_DEVICEPASSWORDENABLED, EAS_EMAIL_READ};

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        for (int opaque = 0; opaque < 2; opaque++) {
            eas_writer_t *w = eas_writer_create(*state);
            if (opaque)
                eas_w_opaque(w, hidden[i], "geheim", 6);
            else
                eas_w_str(w, hidden[i], "geheim");
            eas_node_t *root = tree_of(w, *state);
            assert_non_null(strstr(eas_node_xml(root, 1, PLENTY, *state), ">[6 bytes]</"));
            assert_null(strstr(eas_node_xml(root, 0, PLENTY, *state), "bytes"));
        }
    }
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        eas_writer_t *w = eas_writer_create(*state);
        eas_w_str(w, shown[i], "offen");
        assert_non_null(strstr(eas_node_xml(tree_of(w, *state), 1, PLENTY, *state), ">offen</"));
    }
}

static void output_ends_at_the_size_and_not_inside_a_character(void **state)
{
    eas_node_t *root =
        must_read(BYTES(HEAD "\x4B\x03\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\0\x01"), *state);
    const char *whole = eas_node_xml(root, 0, PLENTY, *state);

    for (apr_size_t max = 0; max <= strlen(whole) + 1; max++) {
        const char *xml = eas_node_xml(root, 0, max, *state);
        size_t len = strlen(xml);
        assert_true(len <= max);
        assert_true(max < 2 || len + 2 >= max || len == strlen(whole));
        assert_memory_equal(xml, whole, len);
        assert_true(((unsigned char)whole[len] & 0xC0) != 0x80);
    }
}

static void deep_trees_are_printed_without_recursion_and_bounded(void **state)
{
    const eas_wbxml_limits_t limits = {.depth = 50000, .elements = 50000, .string = 9, .opaque = 9};
    enum { DEPTH = 50000 };
    char *doc = apr_palloc(*state, 4 + 2 * DEPTH);
    eas_node_t *root;

    memcpy(doc, HEAD, 4);
    memset(doc + 4, 0x45, DEPTH);
    memset(doc + 4 + DEPTH, 0x01, DEPTH);
    assert_null(eas_wbxml_read(&root, doc, 4 + 2 * DEPTH, &limits, *state));
    assert_true(strlen(eas_node_xml(root, 0, PLENTY, *state)) <= PLENTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(namespaces_stand_where_the_page_changes),
        UNIT_TEST(marks_and_control_characters_are_escaped),
        UNIT_TEST(secrets_and_bodies_are_masked),
        UNIT_TEST(output_ends_at_the_size_and_not_inside_a_character),
        UNIT_TEST(deep_trees_are_printed_without_recursion_and_bounded),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
