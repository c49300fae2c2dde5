/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_crypto.h"

static void sha256_of_the_standard(void **state)
{
    unsigned char out[EAS_HASH_LEN]; /* FIPS 180-2, appendix B */
    eas_sha256(out, BYTES("abc"));
    assert_string_equal(hex(out, 32, *state),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    eas_sha256(out, "", 0);
    assert_string_equal(hex(out, 32, *state),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_of_rfc_4231(void **state)
{
    unsigned char out[EAS_HASH_LEN], key[131];
    eas_hmac_key(out, "Jefe", 4, BYTES("what do ya want for nothing?")); /* case 2 */
    assert_string_equal(hex(out, 32, *state),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key)); /* case 6 */
    eas_hmac_key(out, key, sizeof(key),
                 BYTES("Test Using Larger Than Block-Size Key - Hash Key First"));
    assert_string_equal(hex(out, 32, *state),
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hkdf_of_rfc_5869(void **state)
{
    unsigned char ikm[80], salt[80], info[80], out[82];
    memset(ikm, 0x0b, 22); /* case 1 */
    for (int i = 0; i < 13; i++)
        salt[i] = (unsigned char)i;
    for (int i = 0; i < 10; i++)
        info[i] = (unsigned char)(0xf0 + i);
    eas_hkdf(out, 42, ikm, 22, salt, 13, info, 10);
    assert_string_equal(hex(out, 42, *state),
                        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d5"
                        "6ecc4c5bf34007208d5b887185865");
    for (int i = 0; i < 80; i++) { /* case 2 */
        ikm[i] = (unsigned char)i;
        salt[i] = (unsigned char)(0x60 + i);
        info[i] = (unsigned char)(0xb0 + i);
    }
    eas_hkdf(out, 82, ikm, 80, salt, 80, info, 80);
    assert_string_equal(hex(out, 82, *state),
                        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                        "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    memset(ikm, 0x0b, 22); /* case 3: no salt, no info */
    eas_hkdf(out, 42, ikm, 22, NULL, 0, NULL, 0);
    assert_string_equal(hex(out, 42, *state),
                        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5"
                        "f3c738d2d9d201395faa4b61a96c8");
}

static void parts_of_an_hmac_do_not_run_together(void **state)
{
    unsigned char a[EAS_HASH_LEN], b[EAS_HASH_LEN];
    eas_keyring_t *ring, *other;
    OK(eas_keyring_random(&ring, *state));
    OK(eas_keyring_random(&other, *state));
    eas_hmac(a, ring, "ticket", (const char *const[]){"ab", "c", NULL});
    eas_hmac(b, ring, "ticket", (const char *const[]){"ab", "c", NULL});
    assert_true(eas_equal(a, b, sizeof(a)));
    eas_hmac(b, ring, "ticket", (const char *const[]){"a", "bc", NULL});
    assert_false(eas_equal(a, b, sizeof(a)));
    eas_hmac(b, ring, "ticket", (const char *const[]){"ab", "c", "", NULL});
    assert_false(eas_equal(a, b, sizeof(a)));
    eas_hmac(b, ring, "csrf", (const char *const[]){"ab", "c", NULL});
    assert_false(eas_equal(a, b, sizeof(a)));
    eas_hmac(b, other, "ticket", (const char *const[]){"ab", "c", NULL});
    assert_false(eas_equal(a, b, sizeof(a)));
}

static void wiped_memory_is_zero_and_uuids_are_version_4(void **state)
{
    char secret[] = "secret";
    static const char zero[sizeof(secret)];
    eas_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zero, sizeof(secret));
    const char *a = eas_uuid(*state), *b = eas_uuid(*state);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
    assert_string_not_equal(a, b);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(sha256_of_the_standard),
    POOL_TEST(hmac_of_rfc_4231),
    POOL_TEST(hkdf_of_rfc_5869),
    POOL_TEST(parts_of_an_hmac_do_not_run_together),
    POOL_TEST(wiped_memory_is_zero_and_uuids_are_version_4),
};
RUN(tests)
