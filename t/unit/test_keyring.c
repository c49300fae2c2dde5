/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_crypto.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B64_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX_B "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static eas_keyring_t *ring_of(const char *text, apr_pool_t *pool)
{
    eas_keyring_t *ring;
    OK(eas_keyring_parse(&ring, text, strlen(text), pool));
    return ring;
}

static const char *mark(const eas_keyring_t *ring, apr_pool_t *pool)
{
    unsigned char out[EAS_HASH_LEN];
    eas_hmac(out, ring, "x", (const char *const[]){"a", NULL});
    return hex(out, sizeof(out), pool);
}

static void hex_and_base64_of_the_same_bytes_are_the_same_key(void **state)
{
    assert_string_equal(mark(ring_of("k1 " HEX_A "\n", *state), *state),
                        mark(ring_of("k2\t" B64_A, *state), *state));
    assert_string_not_equal(mark(ring_of("k1 " HEX_A, *state), *state),
                            mark(ring_of("k1 " HEX_B, *state), *state));
}

static void comments_blank_lines_and_crlf_are_fine(void **state)
{
    assert_string_equal(mark(ring_of("# keys\r\n\r\n  k1   " HEX_A "  \r\n", *state), *state),
                        mark(ring_of("k1 " HEX_A, *state), *state));
}

static void a_key_made_first_seals_while_the_old_one_still_opens(void **state)
{
    const void *sealed, *text;
    apr_size_t len, n;
    OK(eas_seal(&sealed, &len, ring_of("old " HEX_A, *state), "t", "", 0, "hi", 2, *state));
    eas_keyring_t *both = ring_of("new " HEX_B "\nold " HEX_A "\n", *state);
    OK(eas_unseal(&text, &n, both, "t", "", 0, sealed, len, *state));
    assert_string_equal(text, "hi");
    OK(eas_seal(&sealed, &len, both, "t", "", 0, "hi", 2, *state));
    OK(eas_unseal(&text, &n, ring_of("new " HEX_B, *state), "t", "", 0, sealed, len, *state));
    FAILS(EAS_E_INVALID,
          eas_unseal(&text, &n, ring_of("old " HEX_A, *state), "t", "", 0, sealed, len, *state));
}

static void errors_name_the_line_and_never_the_key(void **state)
{
    static const struct {
        const char *text, *line;
    } bad[] = {
        {"", "line 1:"},
        {"\n# nothing\n", "line 1:"},
        {"k1 " HEX_A "\nk2 SECRETSECRET\n", "line 2:"},
        {"k1 SECRET!SECRET!SECRET!SECRET!SECRET!SECRET!SECRET!SECRET!\n", "line 1:"},
        {"\n\nSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRET\n", "line 3:"},
        {"k1\n", "line 1:"},
        {"k/1 " HEX_A "\n", "line 1:"},
        {"a2345678901234567 " HEX_A "\n", "line 1:"},
        {"k1 " HEX_A "\nk1 " HEX_B "\n", "line 2:"},
        {"k1 00112233445566778899aabbccddeeff00112233445566778899aabbccddee\n", "line 1:"},
        {"k1 " HEX_A " trailing\n", "line 1:"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        eas_keyring_t *ring;
        eas_err_t *err = eas_keyring_parse(&ring, bad[i].text, strlen(bad[i].text), *state);
        assert_non_null(err);
        assert_null(ring);
        assert_int_equal(err->kind, EAS_E_INVALID);
        assert_non_null(strstr(err->message, bad[i].line));
        assert_null(strstr(err->message, "SECRET"));
        assert_null(strstr(err->message, "0011"));
    }
}

static void thirty_two_keys_are_taken_and_one_more_is_not(void **state)
{
    char *text = apr_pstrdup(*state, "");
    eas_keyring_t *ring;
    for (int i = 0; i < 32; i++)
        text = apr_psprintf(*state, "%sk%d " HEX_A "\n", text, i);
    OK(eas_keyring_parse(&ring, text, strlen(text), *state));
    text = apr_pstrcat(*state, text, "k32 " HEX_A "\n", NULL);
    FAILS(EAS_E_INVALID, eas_keyring_parse(&ring, text, strlen(text), *state));
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(hex_and_base64_of_the_same_bytes_are_the_same_key),
    POOL_TEST(comments_blank_lines_and_crlf_are_fine),
    POOL_TEST(a_key_made_first_seals_while_the_old_one_still_opens),
    POOL_TEST(errors_name_the_line_and_never_the_key),
    POOL_TEST(thirty_two_keys_are_taken_and_one_more_is_not),
};
RUN(tests)
