/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_unit.h"

#include "eas_spool.h"

static void elements_text_numbers_and_pages(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_int(w, EAS_AIRSYNC_STATUS, 1);
    eas_w_str(w, EAS_AIRSYNCBASE_DATA, "x");
    eas_w_str(w, EAS_AIRSYNCBASE_PREVIEW, "");
    eas_w_empty(w, EAS_AIRSYNC_MOREAVAILABLE);
    eas_w_close(w);
    eas_span_t doc = must_finish(w);
    assert_span(doc,
                HEAD "\x45\x4E\x03"
                     "1\0"
                     "\x01\x00\x11\x4B\x03"
                     "x\0"
                     "\x01\x18\x00\x00\x14\x01",
                22);
}

static void numbers_at_the_ends(void **state)
{
    eas_writer_t *w = eas_writer_fragment(0, *state);

    eas_w_int(w, EAS_AIRSYNC_STATUS, INT64_MIN);
    eas_w_int(w, EAS_AIRSYNC_STATUS, INT64_MAX);
    eas_span_t out = must_finish(w);
    assert_span(out,
                "\x4E\x03-9223372036854775808\0\x01\x4E\x03"
                "9223372036854775807\0\x01",
                47);
}

static void an_element_opened_and_closed_is_an_empty_one(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_open(w, EAS_AIRSYNC_COLLECTIONS);
    eas_w_close(w);
    eas_w_text_begin(w, EAS_AIRSYNC_CLASS);
    eas_w_text_piece(w, "", 0);
    eas_w_text_end(w);
    eas_w_close(w);
    eas_span_t doc = must_finish(w);
    assert_span(doc, HEAD "\x45\x1C\x10\x01", 8);
}

static void opaque_lengths_of_one_to_four_bytes(void **state)
{
    static const struct {
        apr_size_t len;
        const char *head;
        apr_size_t headlen;
    } cases[] = {
        {0, "\x4B\xC3\x00", 3},
        {1, "\x4B\xC3\x01", 3},
        {127, "\x4B\xC3\x7F", 3},
        {128, "\x4B\xC3\x81\x00", 4},
        {16383, "\x4B\xC3\xFF\x7F", 4},
        {16384, "\x4B\xC3\x81\x80\x00", 5},
        {2097152, "\x4B\xC3\x81\x80\x80\x00", 6},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        eas_writer_t *w = eas_writer_create(*state);
        char *data = apr_pcalloc(*state, cases[i].len + 1);
        eas_w_opaque(w, EAS_AIRSYNC_SYNCKEY, data, cases[i].len);
        eas_span_t doc = must_finish(w);
        assert_memory_equal(doc.data + 4, cases[i].head, cases[i].headlen);
        assert_int_equal(doc.len, 4 + cases[i].headlen + cases[i].len + 1);
        eas_node_t *root = must_read(doc.data, doc.len, *state);
        assert_int_equal(root->len, cases[i].len);
        assert_int_equal(root->opaque, 1);
    }
}

static const char *text_back(eas_writer_t *w, apr_pool_t *pool)
{
    eas_span_t doc = must_finish(w);
    return eas_node_str(must_read(doc.data, doc.len, pool), pool);
}

static void text_that_is_not_clean_is_made_so(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_strn(w, EAS_EMAIL_SUBJECT,
               BYTES("a\0b\x01"
                     "c\xFF\t\r\n\xC3\xA4"));
    assert_string_equal(text_back(w, *state), "abc\xEF\xBF\xBD\t\r\n\xC3\xA4");
}

static void large_dirty_text_is_cleaned_in_pieces(void **state)
{
    enum { CHARS = 200000 };
    char *text = apr_palloc(*state, 2 * CHARS + 1);
    eas_writer_t *w = eas_writer_create(*state);

    text[0] = '\x01';
    for (int i = 0; i < CHARS; i++)
        memcpy(text + 1 + 2 * i, "\xC3\xA4", 2);
    eas_w_strn(w, EAS_EMAIL_SUBJECT, text, 2 * CHARS + 1);
    eas_span_t doc = must_finish(w);
    eas_node_t *root = must_read(doc.data, doc.len, *state);
    assert_int_equal(root->len, 2 * CHARS);
    assert_memory_equal(root->data, text + 1, 2 * CHARS);
}

static void pieces_may_cut_characters_anywhere(void **state)
{
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";

    for (size_t size = 1; size < sizeof(text); size++) {
        eas_writer_t *w = eas_writer_create(*state);
        eas_w_text_begin(w, EAS_EMAIL_SUBJECT);
        for (size_t at = 0; at < sizeof(text) - 1; at += size) {
            size_t left = sizeof(text) - 1 - at;
            eas_w_text_piece(w, text + at, left < size ? left : size);
        }
        eas_w_text_end(w);
        assert_string_equal(text_back(w, *state), text);
    }
    /* a character that never ends, at the end and in front of another */
    eas_writer_t *w = eas_writer_create(*state);
    eas_w_text_begin(w, EAS_EMAIL_SUBJECT);
    eas_w_text_piece(w, "a\xE2\x82", 3);
    eas_w_text_piece(w, "b\xF0\x9F", 3);
    eas_w_text_end(w);
    assert_string_equal(text_back(w, *state), "a\xEF\xBF\xBD"
                                              "b\xEF\xBF\xBD");
}

static void base64_of_all_lengths(void **state)
{
    static const char *const want[] = {"", "AA==", "AAE=", "AAEC", "AAECAw=="};
    unsigned char big[10000];
    eas_writer_t *w;

    for (size_t n = 0; n < 5; n++) {
        w = eas_writer_create(*state);
        eas_w_base64(w, EAS_AIRSYNCBASE_DATA, "\0\1\2\3", n);
        assert_string_equal(text_back(w, *state), want[n]);
    }
    memset(big, 0, sizeof(big));
    w = eas_writer_create(*state);
    eas_w_base64(w, EAS_AIRSYNCBASE_DATA, big, sizeof(big));
    eas_span_t doc = must_finish(w);
    eas_node_t *root = must_read(doc.data, doc.len, *state);
    assert_int_equal(root->len, 13336);
    for (size_t i = 0; i < root->len; i++)
        assert_int_equal(root->data[i], i < 13334 ? 'A' : '=');
}

static void reset_forgets_what_came_since_the_mark(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_str(w, EAS_AIRSYNC_SYNCKEY, "1");
    eas_w_open(w, EAS_AIRSYNC_COMMANDS);
    eas_w_mark_t mark = eas_w_mark(w);
    eas_w_open(w, EAS_AIRSYNC_ADD);
    eas_w_open(w, EAS_EMAIL_SUBJECT);
    eas_w_reset(w, mark);
    eas_w_close(w); /* Commands is an empty element again */
    mark = eas_w_mark(w);
    eas_w_str(w, EAS_EMAIL_SUBJECT, "gone");
    eas_w_reset(w, mark);
    eas_w_empty(w, EAS_AIRSYNC_MOREAVAILABLE); /* still page 0 */
    eas_w_close(w);
    assert_span(must_finish(w),
                HEAD "\x45\x4B\x03"
                     "1\0"
                     "\x01\x16\x14\x01",
                13);
}

static void content_after_a_reset_to_an_empty_element(void **state)
{
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_mark_t mark = eas_w_mark(w);
    for (int i = 0; i < 3; i++) {
        eas_w_reset(w, mark);
        eas_w_str(w, EAS_EMAIL_SUBJECT, "gone");
    }
    eas_w_reset(w, mark);
    eas_w_int(w, EAS_AIRSYNC_STATUS, 5);
    eas_w_close(w);
    assert_span(must_finish(w),
                HEAD "\x45\x4E\x03"
                     "5\0"
                     "\x01\x01",
                11);
}

static void a_fragment_is_spliced_with_the_right_pages(void **state)
{
    eas_writer_t *mail = eas_writer_fragment(EAS_PAGE_EMAIL, *state);
    eas_writer_t *nothing = eas_writer_fragment(EAS_PAGE_TASKS, *state);
    eas_writer_t *w = eas_writer_create(*state);

    eas_w_str(mail, EAS_EMAIL_SUBJECT, "s");
    eas_w_str(mail, EAS_AIRSYNCBASE_DATA, "d");
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
    eas_w_splice(w, nothing);
    eas_w_splice(w, mail);
    eas_w_splice(w, mail);
    eas_w_close(w);
    eas_w_open(w, EAS_AIRSYNC_COMMANDS);
    eas_w_splice(w, nothing);
    eas_w_close(w);
    eas_w_close(w);
    assert_span(must_finish(w),
                HEAD "\x45\x5D\x00\x02\x54\x03s\0\x01\x00\x11\x4B\x03"
                     "d\0\x01"
                     "\x00\x02\x54\x03s\0\x01\x00\x11\x4B\x03"
                     "d\0\x01\x01\x00\x00\x16\x01",
                39);
}

static void broken_use_is_an_error_at_the_end(void **state)
{
    eas_writer_t *w = eas_writer_create(*state), *open = eas_writer_fragment(0, *state);
    eas_span_t out;

    eas_w_open(w, EAS_AIRSYNC_SYNC);
    assert_int_equal(eas_w_finish(&out, w)->kind, EAS_E_INTERNAL);
    w = eas_writer_create(*state);
    eas_w_empty(w, EAS_AIRSYNC_SYNC);
    eas_w_close(w);
    assert_int_equal(eas_w_finish(&out, w)->kind, EAS_E_INTERNAL);
    w = eas_writer_create(*state);
    eas_w_open(open, EAS_AIRSYNC_SYNC);
    eas_w_splice(w, open);
    assert_int_equal(eas_w_finish(&out, w)->kind, EAS_E_INTERNAL);
}

/* A document of that many mails with a body of that size, and what it must read like. */
static void write_mails(eas_writer_t *w, int count, const char *body, apr_size_t len)
{
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    for (int i = 0; i < count; i++) {
        eas_w_open(w, EAS_AIRSYNC_ADD);
        eas_w_int(w, EAS_AIRSYNC_SERVERID, i);
        eas_w_strn(w, EAS_AIRSYNCBASE_DATA, body, len);
        eas_w_close(w);
    }
    eas_w_close(w);
}

static void check_mails(eas_span_t doc, int count, const char *body, apr_size_t len,
                        apr_pool_t *pool)
{
    eas_node_t *add = must_read(doc.data, doc.len, pool)->first, *data;
    apr_int64_t id;

    for (int i = 0; i < count; i++, add = add->next) {
        assert_true(eas_node_int(&id, eas_node_child(add, EAS_AIRSYNC_SERVERID), i, i));
        data = eas_node_child(add, EAS_AIRSYNCBASE_DATA);
        assert_int_equal(data->len, len);
        assert_memory_equal(data->data, body, len);
    }
    assert_null(add);
}

static void answers_of_all_sizes_come_out_whole(void **state)
{
    static const struct {
        int count;
        apr_size_t body;
    } cases[] = {
        {100, 2000}, {125, 2085}, {200, 2000}, {3, 300000}, {1, 3000000}, {40, 100000}, {30000, 8},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        eas_writer_t *w = eas_writer_create(*state);
        char *body = apr_palloc(*state, cases[i].body);
        for (apr_size_t k = 0; k < cases[i].body; k++)
            body[k] = (char)('a' + k % 23);
        write_mails(w, cases[i].count, body, cases[i].body);
        apr_size_t size = eas_w_size(w);
        eas_span_t doc = must_finish(w);
        assert_int_equal(doc.len, size);
        check_mails(doc, cases[i].count, body, cases[i].body, *state);
    }
}

/* Every position of the memory limit within the tokens around it. */
static void the_change_to_the_disk_may_fall_anywhere(void **state)
{
    apr_size_t len = EAS_SPOOL_MEM + 4096 - 64;
    char *body = apr_palloc(*state, len + 100);
    apr_pool_t *pool;

    memset(body, 'b', len + 100);
    apr_pool_create(&pool, *state);
    for (apr_size_t n = len; n < len + 80; n++) {
        eas_writer_t *w = eas_writer_create(pool);
        eas_w_open(w, EAS_AIRSYNC_SYNC);
        eas_w_strn(w, EAS_AIRSYNCBASE_DATA, body, n);
        eas_w_open(w, EAS_AIRSYNC_COMMANDS);
        eas_w_mark_t mark = eas_w_mark(w);
        eas_w_str(w, EAS_EMAIL_SUBJECT, "a subject of some length that is gone afterwards");
        eas_w_reset(w, mark);
        eas_w_close(w);
        mark = eas_w_mark(w);
        write_mails(w, 3, body, n);
        eas_w_reset(w, mark);
        eas_w_int(w, EAS_AIRSYNC_STATUS, 4);
        eas_w_open(w, EAS_AIRSYNC_COLLECTIONS);
        eas_w_opaque(w, EAS_EMAIL2_CONVERSATIONID, "0123456789abcdef", 16);
        eas_w_close(w);
        eas_w_close(w);
        eas_span_t doc = must_finish(w);
        eas_node_t *node = must_read(doc.data, doc.len, pool)->first;
        assert_int_equal(node->len, n);
        node = node->next;
        assert_int_equal(node->tag, EAS_AIRSYNC_COMMANDS);
        assert_int_equal(node->content, 0);
        node = node->next;
        assert_int_equal(node->tag, EAS_AIRSYNC_STATUS);
        node = node->next;
        assert_int_equal(node->first->tag, EAS_EMAIL2_CONVERSATIONID);
        assert_memory_equal(node->first->data, "0123456789abcdef", 16);
        assert_null(node->next);
        apr_pool_clear(pool);
    }
}

static void a_large_fragment_is_spliced_from_its_file(void **state)
{
    apr_size_t len = 400000;
    char *body = apr_palloc(*state, len);
    eas_writer_t *fragment = eas_writer_fragment(0, *state), *w = eas_writer_create(*state);

    memset(body, 'x', len);
    eas_w_strn(fragment, EAS_AIRSYNCBASE_DATA, body, len);
    eas_w_str(fragment, EAS_AIRSYNC_SERVERID, "7");
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_splice(w, fragment);
    eas_w_splice(w, fragment);
    eas_w_close(w);
    eas_span_t doc = must_finish(w);
    eas_node_t *node = must_read(doc.data, doc.len, *state)->first;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(node->len, len);
        node = node->next;
        assert_string_equal(eas_node_str(node, *state), "7");
        node = node->next;
    }
    assert_null(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(elements_text_numbers_and_pages),
        UNIT_TEST(numbers_at_the_ends),
        UNIT_TEST(an_element_opened_and_closed_is_an_empty_one),
        UNIT_TEST(opaque_lengths_of_one_to_four_bytes),
        UNIT_TEST(text_that_is_not_clean_is_made_so),
        UNIT_TEST(large_dirty_text_is_cleaned_in_pieces),
        UNIT_TEST(pieces_may_cut_characters_anywhere),
        UNIT_TEST(base64_of_all_lengths),
        UNIT_TEST(reset_forgets_what_came_since_the_mark),
        UNIT_TEST(content_after_a_reset_to_an_empty_element),
        UNIT_TEST(a_fragment_is_spliced_with_the_right_pages),
        UNIT_TEST(broken_use_is_an_error_at_the_end),
        UNIT_TEST(answers_of_all_sizes_come_out_whole),
        UNIT_TEST(the_change_to_the_disk_may_fall_anywhere),
        UNIT_TEST(a_large_fragment_is_spliced_from_its_file),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
