/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <pthread.h>
#include "auth_priv.h"

static const eas_auth_rate_t three_a_minute = {3, APR_USEC_PER_SEC * 60};

static eas_auth_shared_t *make_shared(apr_pool_t *pool)
{
    void *mem = apr_palloc(pool, EAS_AUTH_SHARED_MIN);
    memset(mem, 0xAA, EAS_AUTH_SHARED_MIN);
    return eas_auth_shared_init(mem, EAS_AUTH_SHARED_MIN);
}

static void a_bucket_holds_count_tokens_and_gets_one_each_window_by_count(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);
    apr_uint64_t now = 1000000;

    for (int i = 0; i < 3; i++)
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
    assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now), 20000);
    assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now + 19999), 1);
    assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now + 20000), 0);
    assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now + 20000), 20000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now + 100000), 0);
}

static void a_token_given_back_can_be_taken_again(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);
    apr_uint64_t now = 1000000;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
        auth_limit_give(sh, 77, &three_a_minute, now);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
    assert_int_not_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
}

static void tokens_given_back_twice_do_not_add_up(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);
    apr_uint64_t now = 1000000;

    auth_limit_take(sh, 77, &three_a_minute, now);
    for (int i = 0; i < 5; i++)
        auth_limit_give(sh, 77, &three_a_minute, now);
    for (int i = 0; i < 3; i++)
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
    assert_int_not_equal(auth_limit_take(sh, 77, &three_a_minute, now), 0);
}

static void keys_do_not_share_tokens(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);

    /* one set of the table (8 words) has room for these, whatever else they have in common */
    for (apr_uint64_t key = 1; key <= 8; key++)
        for (int i = 0; i < 3; i++)
            assert_int_equal(auth_limit_take(sh, key, &three_a_minute, 1000000), 0);
    for (apr_uint64_t key = 1; key <= 8; key++)
        assert_int_not_equal(auth_limit_take(sh, key, &three_a_minute, 1000000), 0);
}

static void count_zero_is_no_limit(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);
    const eas_auth_rate_t none = {0, 0};

    for (int i = 0; i < 10000; i++)
        assert_int_equal(auth_limit_take(sh, 77, &none, 1000000), 0);
}

static void a_clock_set_back_by_a_day_locks_nobody_out(void **state)
{
    eas_auth_shared_t *sh = make_shared(*state);
    apr_uint64_t now = 200000000;

    for (int i = 0; i < 4; i++)
        auth_limit_take(sh, 77, &three_a_minute, now);
    for (int i = 0; i < 3; i++)
        assert_int_equal(auth_limit_take(sh, 77, &three_a_minute, now - 86400000), 0);
    assert_int_not_equal(auth_limit_take(sh, 77, &three_a_minute, now - 86400000), 0);
}

static void networks_are_24_bits_of_ipv4_and_64_of_ipv6(void **state)
{
    static const struct {
        const char *ip, *net;
    } rows[] = {
        {"192.0.2.7", "192.0.2.0/24"},
        {"::ffff:192.0.2.99", "192.0.2.0/24"},
        {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
        {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
        {"::1", "0:0:0:0::/64"},
        {"unix socket", "unix socket"},
        {NULL, ""},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(auth_limit_network(rows[i].ip, *state), rows[i].net);
}

typedef struct crowd_t {
    eas_auth_shared_t *sh;
    int got;
} crowd_t;

static void *grab(void *data)
{
    static const eas_auth_rate_t thousand = {1000, APR_USEC_PER_SEC * 3600};
    crowd_t *c = data;

    for (int i = 0; i < 1000; i++)
        if (!auth_limit_take(c->sh, 77, &thousand, 1000000))
            __atomic_add_fetch(&c->got, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void eight_threads_get_exactly_the_tokens_there_are(void **state)
{
    crowd_t c = {make_shared(*state), 0};
    pthread_t t[8];

    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, grab, &c), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    assert_in_range(c.got, 1000, 1008); /* the first moment may make more than one word of a key */
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(a_bucket_holds_count_tokens_and_gets_one_each_window_by_count),
    POOL_TEST(a_token_given_back_can_be_taken_again),
    POOL_TEST(tokens_given_back_twice_do_not_add_up),
    POOL_TEST(keys_do_not_share_tokens),
    POOL_TEST(count_zero_is_no_limit),
    POOL_TEST(a_clock_set_back_by_a_day_locks_nobody_out),
    POOL_TEST(networks_are_24_bits_of_ipv4_and_64_of_ipv6),
    POOL_TEST(eight_threads_get_exactly_the_tokens_there_are),
};
RUN(tests)
