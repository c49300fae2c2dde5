/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "store_int.h"

static const char *wrapped(const char *key, const char *val, apr_size_t len, apr_pool_t *pool)
{
    unsigned char *p = apr_palloc(pool, EAS_ENVELOPE_LEN + len);
    eas_envelope_make(p, key, val, len);
    memcpy(p + EAS_ENVELOPE_LEN, val, len);
    return (const char *)p;
}

static void what_is_wrapped_opens(void **state)
{
    const void *val;
    apr_size_t len;
    for (apr_size_t n = 0; n < 40; n++) {
        const char *text = "0123456789012345678901234567890123456789";
        assert_int_equal(eas_envelope_open(&val, &len, "k", wrapped("k", text, n, *state), n + 5),
                         EAS_ENV_OK);
        assert_int_equal(len, n);
        assert_memory_equal(val, text, n);
    }
}

static void every_changed_bit_every_cut_and_another_key_is_damage(void **state)
{
    const void *val;
    apr_size_t len;
    const char *row = wrapped("c/1", "some value", 10, *state);
    for (int i = 8; i < 15 * 8; i++) { /* the version byte has its own test */
        char *copy = apr_pmemdup(*state, row, 15);
        copy[i / 8] ^= (char)(1 << i % 8);
        assert_int_equal(eas_envelope_open(&val, &len, "c/1", copy, 15), EAS_ENV_DAMAGED);
        assert_null(val);
    }
    for (apr_size_t cut = 0; cut < 15; cut++)
        assert_int_equal(eas_envelope_open(&val, &len, "c/1", row, cut), EAS_ENV_DAMAGED);
    assert_int_equal(eas_envelope_open(&val, &len, "c/2", row, 15), EAS_ENV_DAMAGED);
    assert_int_equal(eas_envelope_open(&val, &len, "", row, 15), EAS_ENV_DAMAGED);
}

static void a_later_version_is_told_apart_from_damage(void **state)
{
    const void *val;
    apr_size_t len;
    char *row = apr_pmemdup(*state, wrapped("k", "v", 1, *state), 6);
    row[0] = 2;
    assert_int_equal(eas_envelope_open(&val, &len, "k", row, 6), EAS_ENV_NEWER);
    row[0] = 0;
    assert_int_equal(eas_envelope_open(&val, &len, "k", row, 6), EAS_ENV_DAMAGED);
}

/* Files of this version must open in all later ones; the values are from a second implementation
 * in Python of what row_envelope.c says. */
static void the_format_stays(void **state)
{
    assert_string_equal(hex(wrapped("c/1", "hello, golden row", 17, *state), 22, *state),
                        "0167daa22d68656c6c6f2c20676f6c64656e20726f77");
    assert_string_equal(hex(wrapped("", "", 0, *state), 5, *state), "01f093bb45");
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(what_is_wrapped_opens),
    POOL_TEST(every_changed_bit_every_cut_and_another_key_is_damage),
    POOL_TEST(a_later_version_is_told_apart_from_damage),
    POOL_TEST(the_format_stays),
};
RUN(tests)
