/* SPDX-License-Identifier: Apache-2.0 */
#include "util_unit.h"
#include <time.h>
#include <unistd.h>
#include "auth_priv.h"

static void more_than_max_at_once_are_refused_after_a_second(void **state)
{
    auth_slots_t *slots = apr_palloc(*state, sizeof(*slots));
    time_t start;

    auth_slots_init(slots, 2, *state);
    assert_true(auth_slots_take(slots));
    assert_true(auth_slots_take(slots));
    start = time(NULL);
    assert_false(auth_slots_take(slots));
    assert_true(time(NULL) - start < 5);
    auth_slots_give(slots);
    assert_true(auth_slots_take(slots));
}

static void *take(void *data)
{
    return auth_slots_take(data) ? data : NULL;
}

static void who_waits_gets_the_slot_that_becomes_free(void **state)
{
    auth_slots_t *slots = apr_palloc(*state, sizeof(*slots));
    pthread_t t;
    void *got;

    auth_slots_init(slots, 1, *state);
    assert_true(auth_slots_take(slots));
    assert_int_equal(pthread_create(&t, NULL, take, slots), 0);
    usleep(100000);
    auth_slots_give(slots);
    pthread_join(t, &got);
    assert_ptr_equal(got, slots);
}

static void no_more_wait_than_may_log_in(void **state)
{
    auth_slots_t *slots = apr_palloc(*state, sizeof(*slots));
    pthread_t t[8];
    int refused = 0;
    void *got;

    auth_slots_init(slots, 2, *state);
    assert_true(auth_slots_take(slots));
    assert_true(auth_slots_take(slots));
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, take, slots), 0);
    usleep(300000);
    pthread_mutex_lock(&slots->lock);
    assert_int_equal(slots->waiting, 2);
    pthread_mutex_unlock(&slots->lock);
    auth_slots_give(slots);
    auth_slots_give(slots);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &got);
        refused += got == NULL;
    }
    assert_int_equal(refused, 6);
}

static const struct CMUnitTest tests[] = {
    POOL_TEST(more_than_max_at_once_are_refused_after_a_second),
    POOL_TEST(who_waits_gets_the_slot_that_becomes_free),
    POOL_TEST(no_more_wait_than_may_log_in),
};
RUN(tests)
