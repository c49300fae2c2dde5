/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

/* A node as the reader makes it for one element with that text. */
static eas_node_t with_text(const char *text, apr_size_t len, int opaque)
{
    return (eas_node_t){
        .tag = EAS_AIRSYNC_WINDOWSIZE, .data = text, .len = len, .opaque = (unsigned char)opaque};
}

static void children_are_found_by_tag_or_any(void **state)
{
    eas_node_t *root = must_read(BYTES(HEAD "\x45\x07\x08\x07\x01"), *state), *node;

    assert_int_equal(eas_node_child(root, 0)->tag, EAS_AIRSYNC_ADD);
    assert_int_equal(eas_node_child(root, EAS_AIRSYNC_CHANGE)->tag, EAS_AIRSYNC_CHANGE);
    assert_null(eas_node_child(root, EAS_AIRSYNC_DELETE));
    node = eas_node_child(root, EAS_AIRSYNC_ADD);
    assert_int_equal(eas_node_next(node, 0)->tag, EAS_AIRSYNC_CHANGE);
    assert_ptr_equal(eas_node_next(node, EAS_AIRSYNC_ADD), root->last);
    assert_null(eas_node_next(root->last, 0));
    assert_null(eas_node_child(NULL, 0));
    assert_null(eas_node_next(NULL, EAS_AIRSYNC_ADD));
}

static void text_of_nothing_is_null_and_of_an_empty_element_is_empty(void **state)
{
    eas_node_t *root = must_read(BYTES(HEAD "\x45\x0B\x4C\x03" "ab\0" "\x01\x01"), *state);

    assert_null(eas_node_str(NULL, *state));
    assert_null(eas_node_child_str(root, EAS_AIRSYNC_SERVERID, *state));
    assert_null(eas_node_child_str(NULL, EAS_AIRSYNC_SERVERID, *state));
    assert_string_equal(eas_node_child_str(root, EAS_AIRSYNC_SYNCKEY, *state), "");
    assert_string_equal(eas_node_child_str(root, EAS_AIRSYNC_CLIENTID, *state), "ab");
}

static void opaque_bytes_asked_as_text_come_out_clean(void **state)
{
    eas_node_t node = with_text(BYTES("a\0b\xFF" "c"), 1);

    assert_string_equal(eas_node_str(&node, *state), "ab\xEF\xBF\xBD" "c");
    node = with_text(BYTES("plain"), 1);
    assert_string_equal(eas_node_str(&node, *state), "plain");
}

static void numbers_are_whole_decimal_and_in_range(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t lo, hi, value;
        int ok;
    } cases[] = {
        {"0", 0, 512, 0, 1},         {"512", 0, 512, 512, 1},   {"513", 0, 512, 0, 0},
        {"-1", -1, 0, -1, 1},        {"-2", -1, 0, 0, 0},       {"007", 0, 9, 7, 1},
        {"", 0, 9, 0, 0},            {"-", 0, 9, 0, 0},         {"+1", 0, 9, 0, 0},
        {" 1", 0, 9, 0, 0},          {"1 ", 0, 9, 0, 0},        {"0x1", 0, 9, 0, 0},
        {"1.0", 0, 9, 0, 0},         {"1e1", 0, 99, 0, 0},      {"--1", -9, 9, 0, 0},
        {"4294967295", 0, 0xFFFFFFFFLL, 0xFFFFFFFFLL, 1},
        {"999999999999999999", 0, INT64_MAX, 999999999999999999LL, 1},
        {"99999999999999999999", 0, INT64_MAX, 0, 0},
        {"18446744073709551617", 0, INT64_MAX, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        eas_node_t node = with_text(cases[i].text, strlen(cases[i].text), 0);
        apr_int64_t value = 4711;
        assert_int_equal(eas_node_int(&value, &node, cases[i].lo, cases[i].hi), cases[i].ok);
        assert_true(value == (cases[i].ok ? cases[i].value : 4711));
    }
    apr_int64_t value;
    assert_int_equal(eas_node_int(&value, NULL, 0, 9), 0);
}

static void booleans_are_0_1_or_an_empty_element(void **state)
{
    eas_node_t node = with_text("0", 1, 0);

    assert_int_equal(eas_node_bool(&node, 7), 0);
    node = with_text("1", 1, 0);
    assert_int_equal(eas_node_bool(&node, 7), 1);
    node = with_text(NULL, 0, 0);
    assert_int_equal(eas_node_bool(&node, 7), 1);
    node = with_text("true", 4, 0);
    assert_int_equal(eas_node_bool(&node, 7), -1);
    node = with_text("2", 1, 0);
    assert_int_equal(eas_node_bool(&node, 7), -1);
    assert_int_equal(eas_node_bool(NULL, 7), 7);
    node = *must_read(BYTES(HEAD "\x45\x13\x01"), *state);
    assert_int_equal(eas_node_bool(&node, 7), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(children_are_found_by_tag_or_any),
        UNIT_TEST(text_of_nothing_is_null_and_of_an_empty_element_is_empty),
        UNIT_TEST(opaque_bytes_asked_as_text_come_out_clean),
        UNIT_TEST(numbers_are_whole_decimal_and_in_range),
        UNIT_TEST(booleans_are_0_1_or_an_empty_element),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
