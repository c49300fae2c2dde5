/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_text.h"

#define R "\xEF\xBF\xBD"

/* Expected values: Python's codecs. */
static const struct {
    const char *charset, *s;
    size_t len;
    const char *want;
} rows[] = {
    {"utf-8", BYTES("Gr\xC3\xBC\xC3\x9F""e"), "Gr\xC3\xBC\xC3\x9F""e"},
    {"UTF8", BYTES("\xC3\xBC"), "\xC3\xBC"},
    {"iso-8859-1", BYTES("Gr\xFC\xDF""e"), "Gr\xC3\xBC\xC3\x9F""e"},
    {"ISO-8859-1", BYTES("\x80 \x93q\x94"), "\xE2\x82\xAC \xE2\x80\x9Cq\xE2\x80\x9D"}, /* as 1252 */
    {"latin1", BYTES("\xE9"), "\xC3\xA9"},
    {"windows-1252", BYTES("\x99"), "\xE2\x84\xA2"},
    {"iso-8859-15", BYTES("\xA4"), "\xE2\x82\xAC"},
    {"iso-8859-2", BYTES("\xB1"), "\xC4\x85"},
    {"koi8-r", BYTES("\xF0\xD2"), "\xD0\x9F\xD1\x80"},
    {"windows-1251", BYTES("\xCF\xF0"), "\xD0\x9F\xD1\x80"},
    {"iso-2022-jp", BYTES("\x1b$B$3$s\x1b(Bx"), "\xE3\x81\x93\xE3\x82\x93x"},
    {"shift_jis", BYTES("\x82\xB1\x87\x40"), "\xE3\x81\x93\xE2\x91\xA0"}, /* vendor row: CP932 */
    {"euc-jp", BYTES("\xA4\xB3"), "\xE3\x81\x93"},
    {"gb2312", BYTES("\xC4\xE3\x81\x41"), "\xE4\xBD\xA0\xE4\xB8\x84"}, /* GBK character */
    {"big5", BYTES("\xA7\x41"), "\xE4\xBD\xA0"},
    {"ks_c_5601-1987", BYTES("\xB0\xA1\x81\x41"), "\xEA\xB0\x80\xEA\xB0\x82"}, /* CP949 character */
    {"utf-7", BYTES("A+AOk-B"), "A\xC3\xA9""B"},
    {"utf-16", BYTES("\xFF\xFE\xFC\x00"), "\xC3\xBC"},
    {"utf-16", BYTES("\xFE\xFF\x00\xFC"), "\xC3\xBC"},
    {"utf-16", BYTES("a\x00"), "a"},
    /* dressed up labels */
    {" \"iso-8859-1\" ", BYTES("\xFC"), "\xC3\xBC"},
    {"'utf-8'; x", BYTES("\xC3\xBC"), "\xC3\xBC"},
    /* labels that say nothing: UTF-8 if it is, else 1252 */
    {NULL, BYTES("\xC3\xBC"), "\xC3\xBC"},
    {NULL, BYTES("\xFC"), "\xC3\xBC"},
    {"us-ascii", BYTES("\xFC"), "\xC3\xBC"},
    {"x-unknown", BYTES("\xC3\xBC"), "\xC3\xBC"},
    {"no-such-charset", BYTES("\x80"), "\xE2\x82\xAC"},
    {"", BYTES("\xFC"), "\xC3\xBC"},
    {"utf-8//TRANSLIT", BYTES("\xFC"), "\xC3\xBC"},
    {"../../etc", BYTES("\xFC"), "\xC3\xBC"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", BYTES("\xFC"), "\xC3\xBC"},
    /* damage */
    {"utf-8", BYTES("a\xE2\x82"), "a" R},
    {"gb2312", BYTES("\xC4\xE3\xC4"), "\xE4\xBD\xA0" R},
    {"iso-2022-jp", BYTES("\x1b$B$3$"), "\xE3\x81\x93" R},
    {"windows-1252", BYTES("a\x81""b"), "a" R "b"},
    {"shift_jis", BYTES("\xFF" "a"), R "a"},
    {"utf-16le", BYTES("a\x00\x00\xD8" "b\x00"), "a" R "b"},
    /* control characters vanish */
    {"iso-8859-1", BYTES("a\x00\x07""b"), "ab"},
};

static void mail_reads_as_its_writer_meant(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_size_t n;
        const char *out = eas_charset_to_utf8(&n, rows[i].charset, rows[i].s, rows[i].len, *state);
        if (strcmp(out, rows[i].want) != 0)
            fail_msg("row %zu (%s): %s, want %s", i, rows[i].charset, hex(out, n, *state),
                     hex(rows[i].want, strlen(rows[i].want), *state));
        assert_int_equal(n, strlen(out));
    }
}

static void any_bytes_in_any_charset_come_out_clean(void **state)
{
    static const char *const sets[] = {
        "utf-8",   "iso-8859-1", "iso-2022-jp", "iso-2022-kr", "shift_jis",  "gb18030",   "big5",
        "euc-kr",  "utf-7",      "utf-16",      "utf-32",      "hz-gb-2312", "iso-8859-6", "tscii",
        "euc-tw",  "johab",      "viscii",      "windows-1255", "iso-2022-cn", NULL};
    apr_pool_t *sub;
    unsigned seed = 99;
    apr_pool_create(&sub, *state);
    for (size_t c = 0; c < sizeof(sets) / sizeof(sets[0]); c++)
        for (int round = 0; round < 300; round++) {
            char s[64];
            apr_size_t n;
            for (size_t k = 0; k < sizeof(s); k++) {
                seed = seed * 1103515245 + 12345;
                s[k] = (char)(seed >> 16);
                if ((seed >> 8 & 7) == 0)
                    s[k] = "\x1b$(B~{"[seed >> 24 & 3];
            }
            const char *out = eas_charset_to_utf8(&n, sets[c], s, round % (sizeof(s) + 1), sub);
            assert_true(eas_text_clean(out, n));
            assert_true(n <= 12 * sizeof(s));
            apr_pool_clear(sub);
        }
}

static void a_megabyte_converts_whole(void **state)
{
    apr_size_t len = 1024 * 1024, n;
    char *s = apr_palloc(*state, len);
    memset(s, 0x80, len);
    const char *out = eas_charset_to_utf8(&n, "windows-1252", s, len, *state);
    assert_int_equal(n, 3 * len);
    assert_memory_equal(out + n - 3, "\xE2\x82\xAC", 3);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(mail_reads_as_its_writer_meant),
    POOL_TEST(any_bytes_in_any_charset_come_out_clean),
    POOL_TEST(a_megabyte_converts_whole),
};
RUN(tests)
