/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

static void both_sides_come_back(void **state)
{
    fx_t *fx = *state;
    sync_side_t cur = {7, "now", 3}, prev = {5, "then", 4};
    sync_row_t row;
    eas_state_t *st = fx_open(fx, fx->pool);

    sync_row_put(st, "x/1", &cur, &prev, fx->pool);
    sync_row_put(st, "x/2", &cur, NULL, fx->pool);
    OK(eas_state_commit(st));
    OK(sync_row_get(&row, st, "x/1", fx->pool));
    assert_int_equal(row.cur.stamp, 7);
    assert_int_equal(row.cur.len, 3);
    assert_memory_equal(row.cur.data, "now", 3);
    assert_int_equal(row.prev.stamp, 5);
    assert_memory_equal(row.prev.data, "then", 4);
    OK(sync_row_get(&row, st, "x/2", fx->pool));
    assert_non_null(row.cur.data);
    assert_null(row.prev.data);
    eas_state_close(st);
}

static void a_missing_row_is_empty(void **state)
{
    fx_t *fx = *state;
    sync_row_t row;
    eas_state_t *st = fx_open(fx, fx->pool);

    OK(sync_row_get(&row, st, "x/none", fx->pool));
    assert_null(row.cur.data);
    assert_null(row.prev.data);
    eas_state_close(st);
}

static void an_empty_side_is_a_side(void **state)
{
    fx_t *fx = *state;
    sync_side_t cur = {1, "", 0};
    sync_row_t row;
    eas_state_t *st = fx_open(fx, fx->pool);

    sync_row_put(st, "x/1", &cur, NULL, fx->pool);
    OK(sync_row_get(&row, st, "x/1", fx->pool));
    assert_non_null(row.cur.data);
    assert_int_equal(row.cur.len, 0);
    eas_state_close(st);
}

static void every_cut_and_every_tail_is_damage(void **state)
{
    fx_t *fx = *state;
    sync_side_t cur = {300, "some content", 12}, prev = {299, "older", 5};
    const void *val;
    apr_size_t len;
    sync_row_t row;
    eas_state_t *st = fx_open(fx, fx->pool);

    sync_row_put(st, "x/1", &cur, &prev, fx->pool);
    OK(fx->store.v->get(&val, &len, st->db, "x/1", fx->pool));
    for (apr_size_t n = 0; n < len; n++) {
        fx->store.v->put(st->db, "x/cut", val, n);
        FAILS(EAS_E_STATE, sync_row_get(&row, st, "x/cut", fx->pool));
    }
    char *longer = apr_pcalloc(fx->pool, len + 1);
    memcpy(longer, val, len);
    fx->store.v->put(st->db, "x/long", longer, len + 1);
    FAILS(EAS_E_STATE, sync_row_get(&row, st, "x/long", fx->pool));
    eas_state_close(st);
}

static void a_newer_format_is_left_alone(void **state)
{
    fx_t *fx = *state;
    sync_row_t row;
    eas_state_t *st = fx_open(fx, fx->pool);

    fx->store.v->put(st->db, "x/1", "\x02whatever", 9);
    FAILS(EAS_E_NEWER, sync_row_get(&row, st, "x/1", fx->pool));
    eas_state_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(both_sides_come_back),           FX_TEST(a_missing_row_is_empty),
        FX_TEST(an_empty_side_is_a_side),        FX_TEST(every_cut_and_every_tail_is_damage),
        FX_TEST(a_newer_format_is_left_alone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
