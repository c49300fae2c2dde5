/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_text.h"

#define R "\xEF\xBF\xBD"

/* Text, valid?, clean?, sanitized (NULL: as it is). Ill-formed ones from the Unicode Standard 15,
 * tables 3-7 to 3-11. */
static const struct {
    const char *s;
    size_t len;
    int valid, clean;
    const char *sane;
} rows[] = {
    {BYTES(""), 1, 1, NULL},
    {BYTES("plain ASCII of more than eight bytes"), 1, 1, NULL},
    {BYTES("tab\tcr\rlf\n and words behind"), 1, 1, NULL},
    {BYTES("Gr\xC3\xBC\xC3\x9F""e \xE2\x82\xAC \xF0\x9F\x98\x80"), 1, 1, NULL},
    {BYTES("\xF4\x8F\xBF\xBD"), 1, 1, NULL},
    {BYTES("\xED\x9F\xBF\xEE\x80\x80"), 1, 1, NULL},
    {BYTES("nul\0inside it"), 1, 0, "nulinside it"},
    {BYTES("12345678\x01"), 1, 0, "12345678"},
    {BYTES("1234567\x01" "9abcdefgh"), 1, 0, "12345679abcdefgh"},
    {BYTES("del\x7f and c1 \xC2\x85."), 1, 0, "del and c1 ."},
    {BYTES("\xEF\xBF\xBE\xEF\xBF\xBF"), 1, 0, R R},
    {BYTES("\x80"), 0, 0, R},
    {BYTES("\xC0\xAF"), 0, 0, R R},
    {BYTES("\xC1\xBF"), 0, 0, R R},
    {BYTES("\xE0\x80\xBF"), 0, 0, R R R},
    {BYTES("\xED\xA0\x80"), 0, 0, R R R},
    {BYTES("\xF4\x90\x80\x80"), 0, 0, R R R R},
    {BYTES("\xF5\x80"), 0, 0, R R},
    {BYTES("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), 0, 0, R R R R "A"},
    {BYTES("\xF0\x80\x80\x41"), 0, 0, R R R "A"},
    {BYTES("end cut \xE2\x82"), 0, 0, "end cut " R},
    {BYTES("12345678\xFF" "12345678"), 0, 0, "12345678" R "12345678"},
};

static void valid_clean_and_sanitized_agree_with_the_table(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_size_t n;
        const char *out = eas_text_sanitize(&n, rows[i].s, rows[i].len, *state);
        assert_int_equal(eas_utf8_valid(rows[i].s, rows[i].len), rows[i].valid);
        assert_int_equal(eas_text_clean(rows[i].s, rows[i].len), rows[i].clean);
        assert_string_equal(out, rows[i].sane ? rows[i].sane : rows[i].s);
        assert_int_equal(n, strlen(out));
    }
}

static void a_control_character_is_found_at_every_place(void **state)
{
    static const char bad[] = {0, 1, 8, 11, 12, 14, 31, 127};
    char s[40];
    for (size_t b = 0; b < sizeof(bad); b++)
        for (size_t len = 1; len <= sizeof(s); len++)
            for (size_t at = 0; at < len; at++) {
                memset(s, '~', sizeof(s));
                assert_true(eas_text_clean(s, len));
                s[at] = bad[b];
                assert_false(eas_text_clean(s, len));
            }
}

static void sanitized_text_is_always_clean(void **state)
{
    unsigned seed = 12345;
    apr_pool_t *sub;
    apr_pool_create(&sub, *state);
    for (int i = 0; i < 20000; i++) {
        char s[24];
        apr_size_t n;
        for (size_t k = 0; k < sizeof(s); k++) {
            seed = seed * 1103515245 + 12345;
            /* mostly bytes that start or continue sequences */
            s[k] = (char)(seed >> 16 & (seed & 0x8000 ? 0x7f : 0xff)) | (seed & 0x4000 ? 0x80 : 0);
        }
        const char *out = eas_text_sanitize(&n, s, sizeof(s), sub);
        assert_true(eas_text_clean(out, n));
        apr_pool_clear(sub);
    }
}

static void a_cut_does_not_split_a_character(void **state)
{
    const char *s = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* at 0, 1, 3, 6, 10; length 11 */
    static const apr_size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (apr_size_t max = 0; max < 13; max++)
        assert_int_equal(eas_utf8_cut(s, 11, max), want[max]);
    assert_int_equal(eas_utf8_cut("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 6);
}

static void lengths_count_characters(void **state)
{
    const char *s = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const apr_size_t want[] = {0, 1, 3, 6, 10, 11, 11};
    assert_int_equal(eas_utf8_chars(s, 11), 5);
    for (apr_size_t n = 0; n < 7; n++)
        assert_int_equal(eas_utf8_prefix(s, 11, n), want[n]);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(valid_clean_and_sanitized_agree_with_the_table),
    POOL_TEST(a_control_character_is_found_at_every_place),
    POOL_TEST(sanitized_text_is_always_clean),
    POOL_TEST(a_cut_does_not_split_a_character),
    POOL_TEST(lengths_count_characters),
};
RUN(tests)
