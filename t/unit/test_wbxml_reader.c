/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include <stdlib.h>

/* What the reader says to a document; NULL: accepted. */
static const char *complaint(const char *data, apr_size_t len, const eas_wbxml_limits_t *limits,
                             apr_pool_t *pool)
{
    eas_node_t *root;
    /* a copy of exactly that size, so that reading beyond the end is seen by sanitizers */
    char *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    eas_err_t *err = eas_wbxml_read(&root, copy, len, limits, pool);
    free(copy);
    if (!err)
        return NULL;
    assert_int_equal(err->kind, EAS_E_BAD_WBXML);
    assert_null(root);
    return err->message;
}

#define ASSERT_REFUSED(message, literal)                                                           \
    do {                                                                                           \
        const char *said = complaint(BYTES(literal), &eas_wbxml_limits, *state);                   \
        assert_non_null(said);                                                                     \
        assert_string_equal(said, message);                                                        \
    } while (0)
#define ASSERT_ACCEPTED(literal) assert_null(complaint(BYTES(literal), &eas_wbxml_limits, *state))

static void a_document_becomes_a_tree_that_points_into_it(void **state)
{
    static const char doc[] = HEAD "\x45\x5C\x4F\x4B\x03"
                                   "0\0"
                                   "\x01\x52\x03"
                                   "12\0"
                                   "\x01\x01\x01"
                                   "\x0F\x00\x11\x4B\xC3\x02\x00\xFF\x01\x01";
    eas_node_t *root = must_read(BYTES(doc), *state), *col, *node;

    assert_int_equal(root->tag, EAS_AIRSYNC_SYNC);
    assert_null(root->parent);
    node = eas_node_child(root, EAS_AIRSYNC_COLLECTIONS);
    col = eas_node_child(node, EAS_AIRSYNC_COLLECTION);
    assert_ptr_equal(col->parent, node);
    assert_string_equal(eas_node_child_str(col, EAS_AIRSYNC_SYNCKEY, *state), "0");
    node = eas_node_child(col, EAS_AIRSYNC_COLLECTIONID);
    assert_int_equal(node->len, 2);
    assert_ptr_equal(node->data, doc + 14);
    node = eas_node_child(root, EAS_AIRSYNCBASE_DATA);
    assert_ptr_equal(root->last, node);
    assert_int_equal(node->opaque, 1);
    assert_ptr_equal(node->data, doc + sizeof(doc) - 1 - 4);
    node = eas_node_child(root, EAS_AIRSYNC_COLLECTION);
    assert_int_equal(node->content, 0);
}

static void headers_of_all_allowed_kinds(void **state)
{
    ASSERT_ACCEPTED("\x01\x01\x6A\x00\x05");
    ASSERT_ACCEPTED("\x02\x01\x6A\x00\x05");
    ASSERT_ACCEPTED("\x03\x01\x6A\x00\x05");
    ASSERT_ACCEPTED("\x03\x00\x00\x6A\x02x\x00\x05"); /* public id by index */
    ASSERT_ACCEPTED("\x03\x84\x01\x6A\x00\x05");
    ASSERT_ACCEPTED("\x03\x01\x80\x6A\x00\x05"); /* leading zero septet */
    ASSERT_REFUSED("no document at byte 0", "");
    ASSERT_REFUSED("WBXML version 0x00 is not known at byte 0", "\x00\x01\x6A\x00\x05");
    ASSERT_REFUSED("WBXML version 0x04 is not known at byte 0", "\x04\x01\x6A\x00\x05");
    ASSERT_REFUSED("cut off inside a number at byte 1", "\x03");
    ASSERT_REFUSED("cut off inside a number at byte 2", "\x03\x01");
    ASSERT_REFUSED("cut off inside a number at byte 3", "\x03\x01\x6A");
    ASSERT_REFUSED("no document element at byte 4", HEAD);
    ASSERT_REFUSED("character set 4 is not UTF-8 at byte 2", "\x03\x01\x04\x00\x05");
    ASSERT_REFUSED("string table longer than the document at byte 3", "\x03\x01\x6A\x02\x05");
    ASSERT_REFUSED("invalid UTF-8 in the string table at byte 4", "\x03\x01\x6A\x02\xFF\x00\x05");
    ASSERT_REFUSED("number of more than 32 bits at byte 1", "\x03\x90\x80\x80\x80\x00\x6A\x00\x05");
    ASSERT_REFUSED("number of more than 32 bits at byte 1",
                   "\x03\x81\x81\x81\x81\x81\x01\x6A\x00\x05");
}

static void broken_tokens_are_named_with_their_place(void **state)
{
    ASSERT_REFUSED("unknown token 0x3f on page 0 (AirSync) at byte 5", HEAD "\x45\x7F\x01\x01");
    ASSERT_REFUSED("unknown page 26 at byte 5", HEAD "\x45\x00\x1A\x05\x01");
    ASSERT_REFUSED("unknown page 255 at byte 4", HEAD "\x00\xFF\x05");
    ASSERT_REFUSED("cut off inside a page switch at byte 4", HEAD "\x00");
    ASSERT_REFUSED("attributes (token 0xc5) do not exist in ActiveSync at byte 4",
                   HEAD "\xC5\x01\x01");
    ASSERT_REFUSED("attributes (token 0x85) do not exist in ActiveSync at byte 4", HEAD "\x85\x01");
    ASSERT_REFUSED("attributes (token 0xff) do not exist in ActiveSync at byte 4",
                   HEAD "\xFF\x01\x01");
    ASSERT_REFUSED("global token 0x04 does not exist in ActiveSync at byte 4", HEAD "\x04\x00");
    static const unsigned char globals[] = {0x04, 0x40, 0x41, 0x42, 0x43, 0x44, 0x80,
                                            0x81, 0x82, 0x84, 0xC0, 0xC1, 0xC2, 0xC4};
    for (size_t i = 0; i < sizeof(globals); i++) {
        char doc[] = HEAD "\x45_\x01\x01";
        doc[5] = (char)globals[i];
        const char *said = complaint(BYTES(doc), &eas_wbxml_limits, *state);
        assert_non_null(said);
        assert_non_null(strstr(said, "does not exist in ActiveSync at byte 5"));
    }
}

static void broken_structure_is_named_with_its_place(void **state)
{
    ASSERT_REFUSED("END without an element at byte 4", HEAD "\x01");
    ASSERT_REFUSED("cut off inside an element at byte 5", HEAD "\x45");
    ASSERT_REFUSED("cut off inside an element at byte 7", HEAD "\x45\x4B\x01");
    ASSERT_REFUSED("data behind the document element at byte 5", HEAD "\x05\x05");
    ASSERT_REFUSED("data behind the document element at byte 6", HEAD "\x45\x01\x01");
    ASSERT_REFUSED("data behind the document element at byte 5", HEAD "\x05\x00\x00");
    ASSERT_REFUSED("text outside of the document element at byte 4", HEAD "\x03x\x00\x05");
    ASSERT_REFUSED("string without an end at byte 6", HEAD "\x45\x4B\x03"
                                                           "abc");
    ASSERT_REFUSED("string without an end at byte 6", HEAD "\x45\x4B\x03");
    ASSERT_REFUSED("string without an end at byte 6", HEAD "\x45\x4B\x03"
                                                           "abcdefgh\xC3\xA4");
    ASSERT_REFUSED("text beside an element at byte 6", HEAD "\x45\x0B\x03x\x00\x01");
    ASSERT_REFUSED("an element beside text at byte 8", HEAD "\x45\x03x\x00\x0B\x01");
    ASSERT_REFUSED("opaque data of 3 bytes longer than the document at byte 6",
                   HEAD "\x45\x4B\xC3\x03"
                        "ab");
    ASSERT_REFUSED("cut off inside a number at byte 7", HEAD "\x45\x4B\xC3");
    /* empty text beside elements says nothing */
    ASSERT_ACCEPTED(HEAD "\x45\x03\x00\x0B\x03\x00\x01");
}

static void the_twelve_bytes_that_abort_libwbxml_are_refused(void **state)
{
    ASSERT_REFUSED("entity 4294967295 is no character at byte 5",
                   "\x03\x01\x6a\x00\x45\x02\x8f\xff\xff\xff\x7f\x01");
}

static void only_strict_utf8_is_accepted(void **state)
{
    static const struct {
        const char *text;
        int ok;
    } cases[] = {
        {"plain ASCII that is longer than eight bytes", 1},
        {"\xC3\xA4", 1},
        {"12345678\xE2\x82\xAC", 1},
        {"\xF0\x9F\x98\x80", 1},
        {"\xEF\xBF\xBF", 1},
        {"\xC0\xAF", 0}, /* overlong */
        {"\xE0\x80\xAF", 0},
        {"\xED\xA0\x80", 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xC3", 0},
        {"1234567\xE2\x82", 0},
        {"\x80", 0},
        {"abcdefghijklmnop\xFF", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char doc[80] = HEAD "\x45\x03";
        size_t n = 6;
        memcpy(doc + n, cases[i].text, strlen(cases[i].text) + 1);
        n += strlen(cases[i].text) + 1;
        doc[n++] = 0x01;
        const char *said = complaint(doc, n, &eas_wbxml_limits, *state);
        if (cases[i].ok)
            assert_null(said);
        else
            assert_string_equal(said, "invalid UTF-8 in a string at byte 5");
    }
}

static void several_runs_of_text_become_one(void **state)
{
    eas_node_t *root;

    root = must_read(BYTES(HEAD "\x45\x03"
                                "ab\0"
                                "\x03"
                                "cd\0"
                                "\xC3\x02"
                                "ef"
                                "\x01"),
                     *state);
    assert_string_equal(eas_node_str(root, *state), "abcdef");
    assert_int_equal(root->opaque, 1);
    root =
        must_read(BYTES(HEAD "\x45\x02\x26\x02\x81\x64\x02\xC1\x2C\x02\x87\xEC\x00\x01"), *state);
    assert_string_equal(eas_node_str(root, *state), "&\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    /* two elements with joined text do not share a buffer */
    root = must_read(BYTES(HEAD "\x45\x4B\x03"
                                "a\0"
                                "\x03"
                                "b\0"
                                "\x01"
                                "\x4B\x03"
                                "c\0"
                                "\x00\x00\x03"
                                "d\0"
                                "\x01\x01"),
                     *state);
    assert_string_equal(eas_node_str(root->first, *state), "ab");
    assert_string_equal(eas_node_str(root->last, *state), "cd");
    /* an empty run does not count, in front or behind */
    root = must_read(BYTES(HEAD "\x45\x03\0\x03"
                                "x\0"
                                "\x03\0\x01"),
                     *state);
    assert_string_equal(eas_node_str(root, *state), "x");
}

static void entities_that_are_no_characters_are_refused(void **state)
{
    ASSERT_REFUSED("entity 0 is no character at byte 5", HEAD "\x45\x02\x00\x01");
    ASSERT_REFUSED("entity 55296 is no character at byte 5", HEAD "\x45\x02\x83\xB0\x00\x01");
    ASSERT_REFUSED("entity 1114112 is no character at byte 5", HEAD "\x45\x02\xC4\x80\x00\x01");
    ASSERT_ACCEPTED(HEAD "\x45\x02\xC3\xFF\x7F\x01");
    ASSERT_REFUSED("text outside of the document element at byte 4", HEAD "\x02\x26\x05");
}

static void strings_out_of_the_table(void **state)
{
    eas_node_t *root = must_read(BYTES("\x03\x01\x6A\x07"
                                       "one\0"
                                       "t\xC3\xA4"
                                       "\x45\x4B\x83\x00\x01\x4B\x83\x01\x01\x01"),
                                 *state);
    assert_string_equal(eas_node_str(root->first, *state), "one");
    assert_string_equal(eas_node_str(root->last, *state), "ne");
    ASSERT_REFUSED("reference behind the end of the string table at byte 5",
                   HEAD "\x45\x83\x00\x01");
    ASSERT_REFUSED("string without an end at byte 7", "\x03\x01\x6A\x02"
                                                      "ab\x45\x83\x00\x01");
    ASSERT_REFUSED("reference into the middle of a character at byte 8",
                   "\x03\x01\x6A\x03\xC3\xA4\0\x45\x83\x01\x01");
}

/* Two bytes may name a megabyte, again and again: that must end somewhere. */
static void repeated_table_strings_cannot_blow_up(void **state)
{
    enum { TABLE = 4096, REFS = 64 };
    apr_pool_t *pool = *state;
    char *doc = apr_palloc(pool, 8 + TABLE + 4 * REFS), *p = doc;

    memcpy(p, "\x03\x01\x6A\xA0\x00", 5);
    p += 5;
    memset(p, 'x', TABLE);
    p[TABLE - 1] = '\0';
    p += TABLE;
    *p++ = 0x45;
    for (int i = 0; i < REFS; i++) {
        memcpy(p, "\x83\x00", 2);
        p += 2;
    }
    *p++ = 0x01;
    const char *said = complaint(doc, p - doc, &eas_wbxml_limits, pool);
    assert_non_null(said);
    assert_non_null(strstr(said, "more text out of the string table than the document has bytes"));
}

static void empty_elements_of_all_three_forms(void **state)
{
    eas_node_t *root = must_read(BYTES(HEAD "\x45\x13\x53\x01\x53\x03\x00\x01\x01"), *state);
    int n = 0;

    for (eas_node_t *c = root->first; c; c = c->next, n++) {
        assert_int_equal(c->tag, EAS_AIRSYNC_GETCHANGES);
        assert_int_equal(c->len, 0);
        assert_string_equal(eas_node_str(c, *state), "");
    }
    assert_int_equal(n, 3);
}

static void redundant_and_foreign_pages_are_tolerated(void **state)
{
    ASSERT_ACCEPTED(HEAD "\x00\x00\x00\x00\x45\x00\x11\x00\x11\x0A\x00\x00\x01");
    ASSERT_ACCEPTED(HEAD "\x45\x00\x03\x05\x01");                            /* retired AirNotify */
    ASSERT_ACCEPTED(HEAD "\x45\x00\xFE\x45\x46\x47\x03n\0\x01\x01\x01\x01"); /* Outlook.com */
    /* the page stays across END */
    eas_node_t *root = must_read(BYTES(HEAD "\x45\x00\x11\x4A\x01\x05\x01"), *state);
    assert_int_equal(root->last->tag, EAS_AIRSYNCBASE_BODYPREFERENCE);
}

static const char *nested(int depth, apr_size_t *len, apr_pool_t *pool)
{
    char *doc = apr_palloc(pool, 4 + 2 * depth);

    memcpy(doc, HEAD, 4);
    memset(doc + 4, 0x45, depth);
    memset(doc + 4 + depth, 0x01, depth);
    *len = 4 + 2 * depth;
    return doc;
}

static void depth_at_the_limit_and_one_more(void **state)
{
    apr_size_t len;
    const char *doc = nested(64, &len, *state);

    assert_null(complaint(doc, len, &eas_wbxml_limits, *state));
    doc = nested(65, &len, *state);
    assert_string_equal(complaint(doc, len, &eas_wbxml_limits, *state),
                        "nested deeper than 64 at byte 68");
    doc = nested(200000, &len, *state);
    assert_string_equal(complaint(doc, len, &eas_wbxml_limits, *state),
                        "nested deeper than 64 at byte 68");
}

static void elements_at_the_limit_and_one_more(void **state)
{
    apr_size_t len = 4 + 1 + 100000 + 1;
    char *doc = apr_palloc(*state, len);

    memcpy(doc, HEAD "\x45", 5);
    memset(doc + 5, 0x0B, len - 5);
    doc[len - 2] = 0x01; /* with the document element exactly 100,000 */
    assert_null(complaint(doc, len - 1, &eas_wbxml_limits, *state));
    doc[len - 2] = 0x0B;
    doc[len - 1] = 0x01;
    assert_string_equal(complaint(doc, len, &eas_wbxml_limits, *state),
                        "more than 100000 elements at byte 100004");
}

static void strings_at_the_limit_and_one_more(void **state)
{
    const eas_wbxml_limits_t limits = {.depth = 4, .elements = 9, .string = 8, .opaque = 16};
    static const char over[] = "string over the limit of 8 bytes at byte ";
    const char *said;

    assert_null(complaint(BYTES(HEAD "\x45\x03"
                                     "12345678\0"
                                     "\x01"),
                          &limits, *state));
    said = complaint(BYTES(HEAD "\x45\x03"
                                "123456789\0"
                                "\x01"),
                     &limits, *state);
    assert_memory_equal(said, over, sizeof(over) - 1);
    /* runs together, too */
    assert_null(complaint(BYTES(HEAD "\x45\x03"
                                     "1234\0"
                                     "\x03"
                                     "5678\0"
                                     "\x01"),
                          &limits, *state));
    said = complaint(BYTES(HEAD "\x45\x03"
                                "1234\0"
                                "\x03"
                                "56789\0"
                                "\x01"),
                     &limits, *state);
    assert_memory_equal(said, over, sizeof(over) - 1);
    said = complaint(BYTES(HEAD "\x45\x03"
                                "12345678\0"
                                "\x02\x26\x01"),
                     &limits, *state);
    assert_memory_equal(said, over, sizeof(over) - 1);
    assert_null(complaint(BYTES("\x03\x01\x6A\x08"
                                "1234567\0"
                                "\x05"),
                          &limits, *state));
    assert_string_equal(complaint(BYTES("\x03\x01\x6A\x09"
                                        "12345678\0"
                                        "\x05"),
                                  &limits, *state),
                        "string table over the limit of 8 bytes at byte 3");
}

static void opaque_at_the_limit_and_one_more(void **state)
{
    const eas_wbxml_limits_t limits = {.depth = 4, .elements = 9, .string = 8, .opaque = 16};

    assert_null(complaint(BYTES(HEAD "\x45\xC3\x10"
                                     "0123456789abcdef"
                                     "\x01"),
                          &limits, *state));
    assert_string_equal(complaint(BYTES(HEAD "\x45\xC3\x11"
                                             "0123456789abcdef0"
                                             "\x01"),
                                  &limits, *state),
                        "opaque data over the limit of 16 bytes at byte 5");
    assert_string_equal(complaint(BYTES(HEAD "\x45\xC3\x08"
                                             "01234567"
                                             "\xC3\x09"
                                             "012345678"
                                             "\x01"),
                                  &limits, *state),
                        "opaque data over the limit of 16 bytes at byte 15");
}

static void without_limits_given_the_defaults_hold(void **state)
{
    apr_size_t len;
    const char *doc = nested(65, &len, *state);
    eas_node_t *root;

    assert_non_null(eas_wbxml_read(&root, doc, len, NULL, *state));
}

/* Every cut of a good document is refused, and no cut is read beyond its end. */
static void every_cut_of_a_document_is_refused(void **state)
{
    static const char doc[] = HEAD "\x45\x5C\x4F\x4B\x03"
                                   "0\0"
                                   "\x01\x52\x03"
                                   "\xC3\xA4\0"
                                   "\x01\x01\x01"
                                   "\x0F\x00\x11\x4B\xC3\x02\x00\xFF\x01\x01";

    for (size_t n = 0; n < sizeof(doc) - 1; n++)
        assert_non_null(complaint(doc, n, &eas_wbxml_limits, *state));
    assert_null(complaint(doc, sizeof(doc) - 1, &eas_wbxml_limits, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_document_becomes_a_tree_that_points_into_it),
        UNIT_TEST(headers_of_all_allowed_kinds),
        UNIT_TEST(broken_tokens_are_named_with_their_place),
        UNIT_TEST(broken_structure_is_named_with_its_place),
        UNIT_TEST(the_twelve_bytes_that_abort_libwbxml_are_refused),
        UNIT_TEST(only_strict_utf8_is_accepted),
        UNIT_TEST(several_runs_of_text_become_one),
        UNIT_TEST(entities_that_are_no_characters_are_refused),
        UNIT_TEST(strings_out_of_the_table),
        UNIT_TEST(repeated_table_strings_cannot_blow_up),
        UNIT_TEST(empty_elements_of_all_three_forms),
        UNIT_TEST(redundant_and_foreign_pages_are_tolerated),
        UNIT_TEST(depth_at_the_limit_and_one_more),
        UNIT_TEST(elements_at_the_limit_and_one_more),
        UNIT_TEST(strings_at_the_limit_and_one_more),
        UNIT_TEST(opaque_at_the_limit_and_one_more),
        UNIT_TEST(without_limits_given_the_defaults_hold),
        UNIT_TEST(every_cut_of_a_document_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
