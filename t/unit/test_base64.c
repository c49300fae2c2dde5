/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_text.h"

/* RFC 4648, section 10. */
static const struct {
    const char *plain, *b64, *url, *b32;
} rfc[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "my"},
    {"fo", "Zm8=", "Zm8", "mzxq"},
    {"foo", "Zm9v", "Zm9v", "mzxw6"},
    {"foob", "Zm9vYg==", "Zm9vYg", "mzxw6yq"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "mzxw6ytb"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "mzxw6ytboi"},
};

static void the_vectors_of_the_rfc_hold(void **state)
{
    for (size_t i = 0; i < sizeof(rfc) / sizeof(rfc[0]); i++) {
        apr_size_t n = strlen(rfc[i].plain), len;
        unsigned char *data;
        assert_string_equal(eas_base64(rfc[i].plain, n, *state), rfc[i].b64);
        assert_string_equal(eas_base64url(rfc[i].plain, n, *state), rfc[i].url);
        assert_string_equal(eas_base32((const unsigned char *)rfc[i].plain, n, *state), rfc[i].b32);
        assert_true(eas_base64_decode(&data, &len, rfc[i].b64, *state));
        assert_string_equal(data, rfc[i].plain);
        assert_int_equal(len, n);
        assert_true(eas_base64_decode(&data, &len, rfc[i].url, *state));
        assert_string_equal(data, rfc[i].plain);
    }
}

static void both_alphabets_decode(void **state)
{
    unsigned char *data;
    apr_size_t len;
    assert_string_equal(eas_base64("\xFB\xEF\xFF", 3, *state), "++//");
    assert_string_equal(eas_base64url("\xFB\xEF\xFF", 3, *state), "--__");
    assert_true(eas_base64_decode(&data, &len, "++//", *state));
    assert_memory_equal(data, "\xFB\xEF\xFF", 3);
    assert_true(eas_base64_decode(&data, &len, "--__", *state));
    assert_memory_equal(data, "\xFB\xEF\xFF", 3);
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg=",   "Zg===",    "Zm9v=", "Zm9v====", "Z m8=", "Zm8\n", "=Zm8",
        "Zg=g", "Zm9vY", "Zm9v\x80", "Zh==",  "Zm9=",     "=",     "==",    "\"Zm8="};
    unsigned char *data;
    apr_size_t len;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (eas_base64_decode(&data, &len, bad[i], *state))
            fail_msg("taken: %s", bad[i]);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(the_vectors_of_the_rfc_hold),
    POOL_TEST(both_alphabets_decode),
    POOL_TEST(what_is_not_base64_is_refused),
};
RUN(tests)
