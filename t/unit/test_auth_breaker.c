/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include "auth_priv.h"
#include "eas_time.h"

static auth_breaker_t *make(apr_pool_t *pool)
{
    void *mem = apr_palloc(pool, EAS_AUTH_SHARED_MIN);
    return auth_breaker_of(eas_auth_shared_init(mem, EAS_AUTH_SHARED_MIN), "ox");
}

static void fail_times(auth_breaker_t *b, int times, apr_uint64_t now)
{
    for (int i = 0; i < times; i++)
        auth_breaker_failed(b, now, 0);
}

static void three_failures_within_ten_seconds_open_it_for_five(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 2, 100000);
    assert_int_equal(auth_breaker_wait(b, 100000), 0);
    fail_times(b, 1, 109999);
    assert_int_equal(auth_breaker_wait(b, 109999), 5000);
    assert_int_equal(auth_breaker_enter(b, 112000), 2999);
    assert_int_equal(auth_breaker_wait(b, 114999), 0);
}

static void failures_that_lie_further_apart_do_not(void **state)
{
    auth_breaker_t *b = make(*state);

    for (apr_uint64_t t = 100000; t < 200000; t += 5500)
        if (t % 11000)
            fail_times(b, 1, t);
    assert_int_equal(auth_breaker_wait(b, 200000), 0);
}

static void a_success_in_between_begins_anew(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 2, 100000);
    auth_breaker_worked(b);
    fail_times(b, 2, 100001);
    assert_int_equal(auth_breaker_enter(b, 100002), 0);
}

static void after_its_time_one_asks_and_the_others_wait_for_him(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 3, 100000);
    assert_int_equal(auth_breaker_enter(b, 105000), 0);
    assert_int_equal(auth_breaker_enter(b, 105000), 5000);
    assert_int_equal(auth_breaker_wait(b, 106000), 4000);
    auth_breaker_worked(b);
    assert_int_equal(auth_breaker_enter(b, 106001), 0);
    assert_int_equal(auth_breaker_enter(b, 106001), 0);
}

static void one_failure_of_him_opens_it_again(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 3, 100000);
    assert_int_equal(auth_breaker_enter(b, 130000), 0);
    auth_breaker_failed(b, 131000, 0);
    assert_int_equal(auth_breaker_wait(b, 131000), 5000);
}

static void when_he_dies_or_never_got_there_the_next_one_asks(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 3, 100000);
    assert_int_equal(auth_breaker_enter(b, 105000), 0);
    assert_int_equal(auth_breaker_enter(b, 110000), 0); /* the first was never heard of again */
    auth_breaker_unknown(b, 110001);
    assert_int_equal(auth_breaker_enter(b, 110001), 0);
    assert_int_equal(auth_breaker_enter(b, 110001), 5000);
}

static void a_backend_that_wants_to_be_left_alone_is(void **state)
{
    auth_breaker_t *b = make(*state);

    auth_breaker_failed(b, 100000, 3600);
    assert_int_equal(auth_breaker_wait(b, 100000), 60000);
    assert_int_equal(auth_breaker_wait(b, 160000), 0);
    b = make(*state);
    auth_breaker_failed(b, 100000, 30);
    assert_int_equal(auth_breaker_wait(b, 100000), 0);
}

static void a_clock_set_back_does_not_keep_it_open(void **state)
{
    auth_breaker_t *b = make(*state);

    fail_times(b, 3, 90000000);
    assert_int_equal(auth_breaker_enter(b, 1000), 0);
}

static void backends_have_breakers_of_their_own_found_again_by_name(void **state)
{
    void *mem = apr_palloc(*state, EAS_AUTH_SHARED_MIN);
    eas_auth_shared_t *sh = eas_auth_shared_init(mem, EAS_AUTH_SHARED_MIN);
    auth_breaker_t *found[AUTH_BREAKERS];

    for (int i = 0; i < AUTH_BREAKERS; i++) {
        found[i] = auth_breaker_of(sh, apr_psprintf(*state, "ox%d", i));
        for (int k = 0; k < i; k++)
            assert_ptr_not_equal(found[i], found[k]);
    }
    for (int i = 0; i < AUTH_BREAKERS; i++)
        assert_ptr_equal(auth_breaker_of(sh, apr_psprintf(*state, "ox%d", i)), found[i]);
    assert_non_null(auth_breaker_of(sh, "one too many"));
}

static void calls_that_are_no_logins_have_a_breaker_too(void **state)
{
    void *mem = apr_palloc(*state, EAS_AUTH_SHARED_MIN);
    eas_auth_shared_t *sh = eas_auth_shared_init(mem, EAS_AUTH_SHARED_MIN);
    eas_err_t *http = eas_err_create(*state, EAS_E_UNAVAILABLE, "http", "HTTP 429");
    eas_err_t *gone = eas_err_create(*state, EAS_E_NOT_FOUND, "mail", "no such mail"), *err;

    http->retry_after = 60; /* only a login obeys it */
    for (int i = 0; i < 2; i++) {
        assert_null(eas_auth_ask(sh, "ox1", *state));
        eas_auth_asked(sh, "ox1", "http", http);
    }
    assert_null(eas_auth_ask(sh, "ox1", *state));
    eas_auth_asked(sh, "ox1", "http", gone); /* an answer is an answer */
    for (int i = 0; i < 3; i++) {
        assert_null(eas_auth_ask(sh, "ox1", *state));
        eas_auth_asked(sh, "ox1", "http", eas_err_wrap(*state, http, "mail", "cannot list"));
    }
    err = eas_auth_ask(sh, "ox1", *state);
    assert_non_null(err);
    assert_int_equal(err->kind, EAS_E_UNAVAILABLE);
    assert_in_range(err->retry_after, 1, 5);
    assert_null(eas_auth_ask(sh, "ox2", *state));
    eas_clock_shift(apr_time_from_sec(6));
    assert_null(eas_auth_ask(sh, "ox1", *state));
    eas_auth_asked(sh, "ox1", "http", NULL);
    assert_null(eas_auth_ask(sh, "ox1", *state));
    eas_clock_shift(0);
}

static void logins_and_calls_do_not_close_each_other_out(void **state)
{
    void *mem = apr_palloc(*state, EAS_AUTH_SHARED_MIN);
    eas_auth_shared_t *sh = eas_auth_shared_init(mem, EAS_AUTH_SHARED_MIN);
    auth_breaker_t *logins = auth_breaker_of(sh, "ox1");

    auth_breaker_failed(logins, 1000000, 60); /* 429: too many wrong passwords */
    assert_int_not_equal(auth_breaker_wait(logins, 1000001), 0);
    assert_null(eas_auth_ask(sh, "ox1", *state)); /* who is logged in is served */
    eas_auth_asked(sh, "ox1", "http", NULL);
    assert_int_not_equal(auth_breaker_wait(logins, 1000001), 0); /* and says nothing of logins */
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(three_failures_within_ten_seconds_open_it_for_five),
    POOL_TEST(failures_that_lie_further_apart_do_not),
    POOL_TEST(a_success_in_between_begins_anew),
    POOL_TEST(after_its_time_one_asks_and_the_others_wait_for_him),
    POOL_TEST(one_failure_of_him_opens_it_again),
    POOL_TEST(when_he_dies_or_never_got_there_the_next_one_asks),
    POOL_TEST(a_backend_that_wants_to_be_left_alone_is),
    POOL_TEST(a_clock_set_back_does_not_keep_it_open),
    POOL_TEST(backends_have_breakers_of_their_own_found_again_by_name),
    POOL_TEST(calls_that_are_no_logins_have_a_breaker_too),
    POOL_TEST(logins_and_calls_do_not_close_each_other_out),
};
RUN(tests)
