/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_crypto.h"

static void what_is_sealed_opens_again(void **state)
{
    static const apr_size_t sizes[] = {0, 1, 15, 16, 17, 100000};
    eas_keyring_t *ring;
    char *text = apr_pcalloc(*state, 100001);
    OK(eas_keyring_random(&ring, *state));
    memset(text, 'x', 100000);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const void *sealed, *out;
        apr_size_t len, n;
        OK(eas_seal(&sealed, &len, ring, "ticket", "owner", 5, text, sizes[i], *state));
        OK(eas_unseal(&out, &n, ring, "ticket", "owner", 5, sealed, len, *state));
        assert_int_equal(n, sizes[i]);
        assert_memory_equal(out, text, n);
        assert_null(memmem(sealed, len, "xxxx", 4));
    }
}

static void the_same_text_never_seals_to_the_same_bytes(void **state)
{
    eas_keyring_t *ring;
    const void *a, *b;
    apr_size_t na, nb;
    OK(eas_keyring_random(&ring, *state));
    OK(eas_seal(&a, &na, ring, "t", "", 0, "hello", 5, *state));
    OK(eas_seal(&b, &nb, ring, "t", "", 0, "hello", 5, *state));
    assert_int_equal(na, nb);
    assert_memory_not_equal(a, b, na);
}

static void every_changed_bit_and_every_cut_is_noticed(void **state)
{
    eas_keyring_t *ring;
    const void *sealed, *out;
    apr_size_t len, n;
    OK(eas_keyring_random(&ring, *state));
    OK(eas_seal(&sealed, &len, ring, "t", "aad", 3, "hello", 5, *state));
    for (apr_size_t i = 0; i < len * 8; i++) {
        char *copy = apr_pmemdup(*state, sealed, len);
        copy[i / 8] ^= (char)(1 << i % 8);
        FAILS(EAS_E_INVALID, eas_unseal(&out, &n, ring, "t", "aad", 3, copy, len, *state));
        assert_null(out);
    }
    for (apr_size_t cut = 0; cut < len; cut++)
        FAILS(EAS_E_INVALID, eas_unseal(&out, &n, ring, "t", "aad", 3, sealed, cut, *state));
}

static void a_sealed_thing_serves_one_use_one_owner_one_ring(void **state)
{
    eas_keyring_t *ring, *other;
    const void *sealed, *out;
    apr_size_t len, n;
    OK(eas_keyring_random(&ring, *state));
    OK(eas_keyring_random(&other, *state));
    OK(eas_seal(&sealed, &len, ring, "ticket", "anna", 4, "hello", 5, *state));
    FAILS(EAS_E_INVALID, eas_unseal(&out, &n, ring, "reference", "anna", 4, sealed, len, *state));
    FAILS(EAS_E_INVALID, eas_unseal(&out, &n, ring, "ticket", "bert", 4, sealed, len, *state));
    FAILS(EAS_E_INVALID, eas_unseal(&out, &n, ring, "ticket", "", 0, sealed, len, *state));
    FAILS(EAS_E_INVALID, eas_unseal(&out, &n, other, "ticket", "anna", 4, sealed, len, *state));
}

/* Made by another implementation: Python's hmac and the AES-GCM of `cryptography`. Tickets on disk
 * must open in all later versions. */
static void a_thing_sealed_by_the_first_version_still_opens(void **state)
{
    static const unsigned char golden[] = {
        0x01, 0x02, 0x6b, 0x31, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
        0xa8, 0xa9, 0xaa, 0xab, 0x7b, 0x02, 0xaa, 0x26, 0x0f, 0xf2, 0xf7, 0x56,
        0x82, 0xe7, 0x2c, 0x88, 0x57, 0xd3, 0xf4, 0x49, 0x2c, 0x86, 0x1d, 0x75,
        0x70, 0x15, 0xa8, 0xe0, 0xb5, 0xd2, 0x1c, 0x7c, 0x19, 0xc0};
    static const char ring_text[] =
        "k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    eas_keyring_t *ring;
    const void *out;
    apr_size_t n;
    OK(eas_keyring_parse(&ring, BYTES(ring_text), *state));
    OK(eas_unseal(&out, &n, ring, "ticket", BYTES("ox/1/2"), golden, sizeof(golden), *state));
    assert_string_equal(out, "session ticket");
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(what_is_sealed_opens_again),
    POOL_TEST(the_same_text_never_seals_to_the_same_bytes),
    POOL_TEST(every_changed_bit_and_every_cut_is_noticed),
    POOL_TEST(a_sealed_thing_serves_one_use_one_owner_one_ring),
    POOL_TEST(a_thing_sealed_by_the_first_version_still_opens),
};
RUN(tests)
