/* SPDX-License-Identifier: Apache-2.0 */
#include "auth_unit.h"
#include "eas_buf.h"

static const eas_auth_key_t key = {.id = {1, 2, 3}, .durable = 1};
static const eas_auth_key_t other = {.id = {1, 2, 4}, .durable = 1};

static auth_ticket_t sample(void)
{
    auth_ticket_t t = {.born = apr_time_from_sec(1700000000), .session = "S1", .session_len = 2};
    memset(t.password_mac, 0x5a, sizeof(t.password_mac));
    return t;
}

/* The name under which the store has the ticket of @a k. */
static const char *name_of(const eas_auth_key_t *k, apr_pool_t *pool)
{
    return hex(k->id, sizeof(k->id), pool);
}

/* Keeps @a text sealed as the ticket of @a k. */
static void keep_sealed(auth_fix_t *f, const eas_auth_key_t *k, const eas_keyring_t *keys,
                        const void *text, apr_size_t len)
{
    const void *sealed;
    OK(eas_seal(&sealed, &len, keys, "ticket", k->id, sizeof(k->id), text, len, f->pool));
    OK(f->store->v->keep(f->store, "ticket", name_of(k, f->pool), sealed, len, f->pool));
}

static const void *kept(auth_fix_t *f, const eas_auth_key_t *k, apr_size_t *len)
{
    const void *val;
    OK(f->store->v->recall(&val, len, f->store, "ticket", name_of(k, f->pool), f->pool));
    return val;
}

static void what_was_saved_is_loaded_from_cache_and_from_store(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample(), *got;

    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    for (int stored = 0; stored < 2; stored++) {
        OK(auth_ticket_load(&got, f->auth, &key, stored, f->pool));
        assert_non_null(got);
        assert_memory_equal(got->password_mac, t.password_mac, sizeof(t.password_mac));
        assert_memory_equal(got->serial, t.serial, sizeof(t.serial));
        assert_true(got->born == t.born);
        assert_int_equal(got->session_len, 2);
        assert_memory_equal(got->session, "S1", 2);
    }
    assert_int_equal(f->recalls, 1);
}

static void each_save_gives_another_serial(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample(), u = sample();

    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    OK(auth_ticket_save(f->auth, &key, &u, f->pool));
    assert_memory_not_equal(t.serial, u.serial, sizeof(t.serial));
}

static void a_dropped_ticket_is_gone_everywhere(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample(), *got;

    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    OK(auth_ticket_drop(f->auth, &key, f->pool));
    for (int stored = 0; stored < 2; stored++) {
        OK(auth_ticket_load(&got, f->auth, &key, stored, f->pool));
        assert_null(got);
    }
}

static void nothing_readable_lies_in_the_store(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample();
    const char *p;
    apr_size_t len;

    t.session = "SECRET-SESSION-ID";
    t.session_len = 17;
    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    p = kept(f, &key, &len);
    assert_true(len > 17);
    for (apr_size_t i = 0; i + 6 <= len; i++)
        assert_memory_not_equal(p + i, "SECRET", 6);
}

static void a_record_moved_to_another_place_does_not_open(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample(), *got;
    const void *val;
    apr_size_t len;

    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    val = kept(f, &key, &len);
    OK(f->store->v->keep(f->store, "ticket", name_of(&other, f->pool), val, len, f->pool));
    OK(auth_ticket_load(&got, f->auth, &other, 0, f->pool));
    assert_null(got);
}

static void a_record_with_any_byte_changed_or_cut_off_is_no_ticket(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t t = sample(), *got;
    apr_size_t len;

    OK(auth_ticket_save(f->auth, &key, &t, f->pool));
    const char *good = kept(f, &key, &len);
    for (apr_size_t i = 0; i < len; i++) {
        char *bad = apr_pmemdup(f->pool, good, len);
        bad[i] ^= 1;
        OK(f->store->v->keep(f->store, "ticket", name_of(&key, f->pool), bad, len, f->pool));
        OK(auth_ticket_load(&got, f->auth, &key, 1, f->pool));
        assert_null(got);
        OK(f->store->v->keep(f->store, "ticket", name_of(&key, f->pool), good, i, f->pool));
        OK(auth_ticket_load(&got, f->auth, &key, 1, f->pool));
        assert_null(got);
    }
}

static void sealed_rubbish_is_no_ticket(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t *got;
    char text[80];

    for (unsigned n = 0; n < sizeof(text); n++) {
        memset(text, 1, sizeof(text)); /* the right format, wrong lengths */
        keep_sealed(f, &key, f->conf.keys, text, n);
        OK(auth_ticket_load(&got, f->auth, &key, 1, f->pool));
        assert_null(got);
    }
}

static void a_session_that_the_backend_does_not_take_means_a_new_login(void **state)
{
    auth_fix_t *f = *state;
    eas_auth_verdict_t *v = try_login(f, "right");
    auth_ticket_t t = {.born = v->born, .session = "rubbish", .session_len = 7};

    memcpy(t.password_mac, v->password_mac, sizeof(t.password_mac));
    OK(auth_ticket_save(f->auth, &v->key, &t, f->pool));
    assert_int_equal(try_login(f, "right")->result, EAS_AUTH_GRANTED);
    assert_int_equal(f->logins, 2);
    assert_int_equal(try_login(f, "right")->result, EAS_AUTH_GRANTED);
    assert_int_equal(f->logins, 2);
}

static void a_ticket_of_a_later_format_is_not_overwritten(void **state)
{
    auth_fix_t *f = *state;
    eas_auth_verdict_t *v = try_login(f, "right");
    const eas_auth_key_t place = v->key;
    apr_size_t before, after;
    const void *a, *b;

    keep_sealed(f, &place, f->conf.keys, "\x02what a later version has to say", 32);
    a = kept(f, &place, &before);
    f->conf.cache = eas_mem_cache_create(f->pool);
    fix_restart(f);
    for (int i = 0; i < 2; i++) {
        v = try_login(f, "right");
        assert_int_equal(v->result, EAS_AUTH_UNAVAILABLE);
        assert_int_equal(v->err->kind, EAS_E_NEWER);
        assert_true(v->retry_after > 0);
    }
    b = kept(f, &place, &after);
    assert_int_equal(before, after);
    assert_memory_equal(a, b, before);
    assert_int_equal(f->logins, 1);
}

#define KEY_A "a 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_B "b ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"

static void use_keys(auth_fix_t *f, const char *text)
{
    eas_keyring_t *ring;
    OK(eas_keyring_parse(&ring, text, strlen(text), f->pool));
    f->conf.keys = ring;
    fix_restart(f);
}

/* The names are HMACs of the first key: after a change of it each phone logs in once. */
static void another_first_key_costs_one_login_per_phone(void **state)
{
    auth_fix_t *f = *state;

    use_keys(f, KEY_A);
    try_login(f, "right");
    use_keys(f, KEY_B KEY_A);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_login(f, "right")->result, EAS_AUTH_GRANTED);
    assert_int_equal(f->logins, 2);
}

/* Written by version 1 of the format with KEY_A for `key`. */
static const unsigned char golden[] = {
    0x01, 0x01, 0x61, 0xee, 0xea, 0x93, 0x8d, 0xf3, 0x86, 0xa9, 0x9a, 0xd9, 0xc0, 0xb3, 0x6f, 0x54,
    0x41, 0x46, 0xcb, 0x34, 0x08, 0x6e, 0xbb, 0xdd, 0x55, 0x02, 0xdf, 0x4d, 0x1e, 0xea, 0x93, 0x9a,
    0x9c, 0xd4, 0x13, 0x83, 0x3c, 0xc7, 0x3c, 0x44, 0x0c, 0x7f, 0x78, 0xc3, 0xc7, 0x34, 0xa1, 0xe4,
    0x00, 0x1b, 0x97, 0xd7, 0xce, 0x09, 0x58, 0x0f, 0x9e, 0xe0, 0x79, 0x17, 0xbf, 0xf0, 0x5b, 0x9d,
    0x10, 0x3d, 0x7e, 0x4f, 0xd8, 0xd6, 0xe9, 0x78, 0xae, 0xcd, 0xfd, 0xba, 0x07, 0xeb, 0x16, 0x10,
    0xef, 0x98,
};

static void a_ticket_of_format_1_is_read_for_ever(void **state)
{
    auth_fix_t *f = *state;
    auth_ticket_t *got, t = sample();

    use_keys(f, KEY_A);
    OK(f->store->v->keep(f->store, "ticket", name_of(&key, f->pool), golden, sizeof(golden),
                         f->pool));
    OK(auth_ticket_load(&got, f->auth, &key, 1, f->pool));
    assert_non_null(got);
    assert_true(got->born == t.born);
    assert_memory_equal(got->password_mac, t.password_mac, sizeof(t.password_mac));
    assert_int_equal(got->session_len, t.session_len);
    assert_memory_equal(got->session, t.session, t.session_len);
}

static const struct CMUnitTest tests[] = {
    AUTH_TEST(what_was_saved_is_loaded_from_cache_and_from_store),
    AUTH_TEST(each_save_gives_another_serial),
    AUTH_TEST(a_dropped_ticket_is_gone_everywhere),
    AUTH_TEST(nothing_readable_lies_in_the_store),
    AUTH_TEST(a_record_moved_to_another_place_does_not_open),
    AUTH_TEST(a_record_with_any_byte_changed_or_cut_off_is_no_ticket),
    AUTH_TEST(sealed_rubbish_is_no_ticket),
    AUTH_TEST(a_session_that_the_backend_does_not_take_means_a_new_login),
    AUTH_TEST(a_ticket_of_a_later_format_is_not_overwritten),
    AUTH_TEST(another_first_key_costs_one_login_per_phone),
    AUTH_TEST(a_ticket_of_format_1_is_read_for_ever),
};
RUN(tests)
