/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_buf.h"

static void a_record_has_the_documented_bytes(void **state)
{
    eas_buf_t b;
    eas_buf_init(&b, 0, *state);
    eas_buf_u8(&b, 0x1FF);
    eas_buf_u32(&b, 0x01020304);
    eas_buf_var(&b, 0);
    eas_buf_var(&b, 127);
    eas_buf_var(&b, 300);
    eas_buf_str(&b, "ab");
    eas_buf_str(&b, NULL);
    eas_buf_blob(&b, "\0x", 2);
    assert_string_equal(hex(b.data, b.len, *state), "ff04030201007fac020261620002" "0078");
}

static void what_is_written_reads_back(void **state)
{
    eas_buf_t b;
    eas_rd_t r;
    apr_size_t len;
    eas_buf_init(&b, 1, *state);
    for (int i = 0; i < 64; i++)
        eas_buf_var(&b, (apr_uint64_t)1 << i);
    eas_buf_var(&b, ~(apr_uint64_t)0);
    eas_buf_str(&b, "Gr\xC3\xBC\xC3\x9F");
    eas_buf_blob(&b, "", 0);
    eas_buf_u32(&b, 0xFFFFFFFF);
    eas_rd_init(&r, b.data, b.len);
    for (int i = 0; i < 64; i++)
        assert_true(eas_rd_var(&r) == (apr_uint64_t)1 << i);
    assert_true(eas_rd_var(&r) == ~(apr_uint64_t)0);
    assert_string_equal(eas_rd_str(&r, *state), "Gr\xC3\xBC\xC3\x9F");
    assert_non_null(eas_rd_blob(&len, &r));
    assert_int_equal(len, 0);
    assert_false(eas_rd_done(&r));
    assert_true(eas_rd_u32(&r) == 0xFFFFFFFF);
    assert_true(eas_rd_done(&r));
}

static void a_record_cut_anywhere_is_bad_and_reads_as_zeros(void **state)
{
    eas_buf_t b;
    eas_buf_init(&b, 16, *state);
    eas_buf_u8(&b, 7);
    eas_buf_u32(&b, 9);
    eas_buf_var(&b, 1u << 20);
    eas_buf_str(&b, "hello");
    for (apr_size_t cut = 0; cut < b.len; cut++) {
        eas_rd_t r;
        char *copy = malloc(cut + 1); /* so that a checker sees a byte too many */
        memcpy(copy, b.data, cut);
        eas_rd_init(&r, copy, cut);
        eas_rd_u8(&r);
        eas_rd_u32(&r);
        eas_rd_var(&r);
        assert_string_equal(eas_rd_str(&r, *state), "");
        assert_true(r.bad);
        assert_false(eas_rd_done(&r));
        assert_int_equal(eas_rd_u8(&r), 0); /* stays bad */
        free(copy);
    }
}

static void numbers_above_64_bits_and_lengths_beyond_the_end_are_bad(void **state)
{
    eas_rd_t r;
    apr_size_t len;
    eas_rd_init(&r, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
    eas_rd_var(&r);
    assert_true(r.bad);
    eas_rd_init(&r, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    eas_rd_var(&r);
    assert_true(r.bad);
    eas_rd_init(&r, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"));
    assert_non_null(eas_rd_blob(&len, &r));
    assert_int_equal(len, 0);
    assert_true(r.bad);
    eas_rd_init(&r, BYTES("\x03" "a\0b"));
    assert_string_equal(eas_rd_str(&r, *state), "");
    assert_true(r.bad);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(a_record_has_the_documented_bytes),
    POOL_TEST(what_is_written_reads_back),
    POOL_TEST(a_record_cut_anywhere_is_bad_and_reads_as_zeros),
    POOL_TEST(numbers_above_64_bits_and_lengths_beyond_the_end_are_bad),
};
RUN(tests)
