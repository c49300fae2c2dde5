/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

static eas_err_t *seen(fx_t *fx, const char *device, const char *agent, int version)
{
    eas_state_t *st;
    eas_err_t *err = eas_state_open(&st, &fx->cfg, &fx->who, device, fx->pool);

    if (err)
        return err;
    err = eas_device_seen(st, "iPhone", agent, version);
    if (!err) { /* a device counts by its rows */
        fx->store.v->put(st->db, "h", "x", 1);
        err = eas_state_commit(st);
    }
    eas_state_close(st);
    return err;
}

static void written_only_when_something_differs(void **state)
{
    fx_t *fx = *state;

    OK(seen(fx, "a", "Agent/1", 141));
    assert_int_equal(fx->calls.keeps, 1);
    eas_clock_shift(apr_time_from_sec(86400)); /* the day it was first seen stays */
    OK(seen(fx, "a", "Agent/1", 141));
    assert_int_equal(fx->calls.keeps, 1);
    OK(seen(fx, "a", "Agent/2", 141));
    OK(seen(fx, "a", "Agent/2", 161));
    assert_int_equal(fx->calls.keeps, 3);
    OK(seen(fx, "a", NULL, 161));
    OK(seen(fx, "a", NULL, 161));
    assert_int_equal(fx->calls.keeps, 4);
}

static void a_new_device_above_the_limit_is_refused(void **state)
{
    fx_t *fx = *state;
    eas_err_t *err;

    OK(seen(fx, "a", "x", 141));
    OK(seen(fx, "b", "x", 141));
    OK(seen(fx, "c", "x", 141));
    err = seen(fx, "d", "x", 141);
    assert_non_null(err);
    assert_int_equal(err->kind, EAS_E_FORBIDDEN);
    assert_int_equal(err->status, 177);
    OK(seen(fx, "b", "y", 141)); /* known ones go on */
    fx->who.user_id = "8";       /* the limit is per user */
    OK(seen(fx, "d", "x", 141));
}

static void an_account_test_leaves_no_record(void **state)
{
    fx_t *fx = *state;

    fx->cfg.max_devices = 0;
    OK(seen(fx, "validate", "x", 141));
    assert_int_equal(fx->calls.keeps, 0);
}

static void a_newer_record_is_not_overwritten(void **state)
{
    fx_t *fx = *state;
    const char *name = "ox.example.org/1/7\na";
    const void *val;
    apr_size_t len;

    OK(fx->store.v->keep(&fx->store, "device", name, "\x02later", 6, fx->pool));
    FAILS(EAS_E_NEWER, seen(fx, "a", "x", 141));
    OK(fx->store.v->recall(&val, &len, &fx->store, "device", name, fx->pool));
    assert_int_equal(len, 6);
    assert_memory_equal(val, "\x02later", 6);
}

static void a_long_user_agent_is_cut(void **state)
{
    fx_t *fx = *state;
    char *agent = apr_pcalloc(fx->pool, 100001);
    const void *val;
    apr_size_t len;

    memset(agent, 'A', 100000);
    OK(seen(fx, "a", agent, 141));
    OK(fx->store.v->recall(&val, &len, &fx->store, "device", "ox.example.org/1/7\na", fx->pool));
    assert_true(len < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(written_only_when_something_differs),
        FX_TEST(a_new_device_above_the_limit_is_refused),
        FX_TEST(an_account_test_leaves_no_record),
        FX_TEST(a_newer_record_is_not_overwritten),
        FX_TEST(a_long_user_agent_is_cut),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
