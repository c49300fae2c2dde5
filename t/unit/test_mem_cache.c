/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "eas_mem_cache.h"
#include "eas_time.h"

#define MINUTE apr_time_from_sec(60)

static const char *got(eas_cache_t *c, const char *key, apr_pool_t *pool)
{
    const void *val;
    apr_size_t len;
    c->get(&val, &len, c, key, strlen(key), pool);
    return val ? apr_pstrmemdup(pool, val, len) : NULL;
}

static void what_is_set_comes_back_until_removed(void **state)
{
    eas_cache_t *c = eas_mem_cache_create(*state);
    assert_null(got(c, "k", *state));
    c->set(c, "k", 1, "one", 3, MINUTE, *state);
    c->set(c, "kk", 2, "two", 3, MINUTE, *state);
    assert_string_equal(got(c, "k", *state), "one");
    c->set(c, "k", 1, "1", 1, MINUTE, *state);
    assert_string_equal(got(c, "k", *state), "1");
    assert_string_equal(got(c, "kk", *state), "two");
    c->remove(c, "k", 1, *state);
    assert_null(got(c, "k", *state));
}

static void it_expires(void **state)
{
    eas_cache_t *c = eas_mem_cache_create(*state);
    c->set(c, "k", 1, "one", 3, MINUTE, *state);
    eas_clock_shift(MINUTE - apr_time_from_sec(5));
    assert_non_null(got(c, "k", *state));
    eas_clock_shift(MINUTE + apr_time_from_sec(5));
    assert_null(got(c, "k", *state));
    eas_clock_shift(0);
}

static void too_large_a_value_is_not_kept_and_takes_the_old_one_away(void **state)
{
    eas_cache_t *c = eas_mem_cache_create(*state);
    char *big = apr_pcalloc(*state, EAS_CACHE_MAX + 1);
    const void *val;
    apr_size_t len;
    c->set(c, "k", 1, big, EAS_CACHE_MAX, MINUTE, *state);
    c->get(&val, &len, c, "k", 1, *state);
    assert_int_equal(len, EAS_CACHE_MAX);
    c->set(c, "k", 1, big, EAS_CACHE_MAX + 1, MINUTE, *state);
    assert_null(got(c, "k", *state));
    char key[65] = {0};
    c->set(c, key, 64, "x", 1, MINUTE, *state);
    c->get(&val, &len, c, key, 64, *state);
    assert_non_null(val);
    c->set(c, key, 65, "x", 1, MINUTE, *state);
    c->get(&val, &len, c, key, 65, *state);
    assert_null(val);
}

static void it_is_bounded_and_the_newest_is_there(void **state)
{
    eas_cache_t *c = eas_mem_cache_create(*state);
    int kept = 0;
    for (int i = 0; i < 20000; i++) {
        char key[16];
        apr_snprintf(key, sizeof(key), "k%d", i);
        c->set(c, key, strlen(key), "v", 1, MINUTE, *state);
        assert_non_null(got(c, key, *state));
    }
    for (int i = 0; i < 20000; i++)
        kept += got(c, apr_psprintf(*state, "k%d", i), *state) != NULL;
    assert_true(kept <= 4096);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(what_is_set_comes_back_until_removed),
    POOL_TEST(it_expires),
    POOL_TEST(too_large_a_value_is_not_kept_and_takes_the_old_one_away),
    POOL_TEST(it_is_bounded_and_the_newest_is_there),
};
RUN(tests)
