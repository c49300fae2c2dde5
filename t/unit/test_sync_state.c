/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

static void one_request_at_a_time(void **state)
{
    fx_t *fx = *state;
    eas_state_t *second;
    eas_state_t *st = fx_open(fx, fx->pool);

    FAILS(EAS_E_BUSY, eas_state_open(&second, &fx->cfg, &fx->who, fx->device, fx->pool));
    OK(eas_state_open(&second, &fx->cfg, &fx->who, "other", fx->pool)); /* another phone may */
    eas_state_close(second);
    eas_state_close(st);
    OK(eas_state_open(&second, &fx->cfg, &fx->who, fx->device, fx->pool));
    eas_state_close(second);
}

static void the_lease_ends_with_the_pool(void **state)
{
    fx_t *fx = *state;
    apr_pool_t *pool;

    apr_pool_create(&pool, fx->pool);
    fx_open(fx, pool);
    apr_pool_destroy(pool);
    eas_state_close(fx_open(fx, fx->pool));
}

static void what_is_not_committed_is_forgotten(void **state)
{
    fx_t *fx = *state;
    const void *val;
    apr_size_t len;
    eas_state_t *st = fx_open(fx, fx->pool);

    fx->store.v->put(st->db, "x", "y", 1);
    eas_state_close(st);
    st = fx_open(fx, fx->pool);
    OK(fx->store.v->get(&val, &len, st->db, "x", fx->pool));
    assert_null(val);
    eas_state_close(st);
}

static void a_damaged_file_makes_the_phone_start_anew(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *inbox = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_phone_t *ph = fx_phone(fx, "2");

    fx_deliver_many(fx, inbox, 5, 60);
    fx_hierarchy(fx);
    fx_quiet(fx, ph, 5);
    eas_store_memory_damage(fx->memory, "ox.example.org/1/7", fx->device);
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){0}).status, 12); /* no folder is known */
    fx_hierarchy(fx);                                             /* meets 9, then key 0 */
    assert_int_equal(fx_sync(fx, ph, &(fx_opts_t){0}).status, 3);
    fx_quiet(fx, ph, 5);
    fx_same(fx, ph);
}

static void the_last_request_is_remembered_per_device(void **state)
{
    fx_t *fx = *state;
    eas_state_t *st = fx_open(fx, fx->pool), *other;
    apr_size_t len;

    assert_null(eas_request_recall(&len, st, fx->pool));
    eas_request_keep(st, "request", 7);
    const void *val = eas_request_recall(&len, st, fx->pool);
    assert_non_null(val);
    assert_int_equal(len, 7);
    assert_memory_equal(val, "request", 7);
    OK(eas_state_open(&other, &fx->cfg, &fx->who, "other", fx->pool));
    assert_null(eas_request_recall(&len, other, fx->pool));
    eas_state_close(other);
    eas_clock_shift(apr_time_from_sec(25 * 3600));
    assert_null(eas_request_recall(&len, st, fx->pool));
    eas_state_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(one_request_at_a_time),
        FX_TEST(the_lease_ends_with_the_pool),
        FX_TEST(what_is_not_committed_is_forgotten),
        FX_TEST(a_damaged_file_makes_the_phone_start_anew),
        FX_TEST(the_last_request_is_remembered_per_device),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
