/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

static snap_t *snap_of(fx_t *fx, eas_state_t *st)
{
    snap_t *snap = apr_palloc(fx->pool, sizeof(*snap));

    snap_init(snap, st, "2", fx->pool);
    return snap;
}

/* A listing of mails first..last, all alike. */
static void fill(fx_t *fx, snap_t *snap, apr_uint32_t first, apr_uint32_t last)
{
    apr_size_t n = last - first + 1;
    eas_mail_row_t *rows = apr_pcalloc(fx->pool, n * sizeof(*rows));
    snap_delta_t delta;

    for (apr_size_t i = 0; i < n; i++)
        rows[i] =
            (eas_mail_row_t){.uid = first + (apr_uint32_t)i, .received = 1000 + (apr_uint32_t)i};
    OK(snap_compare(&delta, snap, rows, n, 0, 0, 0));
}

static const snap_t *const none[] = {NULL};

/* Written, and read again from the directory. */
static snap_t *reopened(fx_t *fx, snap_t *snap, const snap_t *keep, apr_uint64_t serial)
{
    snap_t *again = snap_of(fx, snap->st);
    eas_buf_t b;
    eas_rd_t rd;

    OK(snap_save(snap, keep, none, serial));
    eas_buf_init(&b, 0, fx->pool);
    snap_write_dir(&b, snap);
    eas_rd_init(&rd, b.data, b.len);
    snap_read_dir(again, &rd);
    assert_true(eas_rd_done(&rd));
    return again;
}

static void entries_are_found_in_rows_of_2048(void **state)
{
    fx_t *fx = *state;
    snap_entry_t *e;
    int c;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st);

    fill(fx, snap, 10, 10 + 4999);
    assert_int_equal(snap->nchunks, 3);
    assert_int_equal(snap_count(snap), 5000);
    assert_int_equal(snap_waiting(snap), 5000);
    snap = reopened(fx, snap, NULL, 1);
    assert_int_equal(fx->calls.chunk_puts, 3);
    assert_int_equal(snap->nchunks, 3);
    assert_null(snap->chunks[0].e); /* loaded when needed */
    for (apr_uint32_t uid = 1; uid < 5020; uid += 7) {
        OK(snap_find(&e, &c, snap, uid));
        assert_true((e != NULL) == (uid >= 10 && uid < 5010));
        if (e)
            assert_int_equal(e->uid, uid);
    }
    eas_state_close(st);
}

static void one_change_writes_one_row(void **state)
{
    fx_t *fx = *state;
    snap_entry_t *e;
    int c;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st), *old;

    fill(fx, snap, 1, 100000);
    old = reopened(fx, snap, NULL, 1);
    assert_int_equal(old->nchunks, 49);
    fx_reset(fx);
    snap = reopened(fx, old, NULL, 2); /* nothing touched */
    assert_int_equal(fx->calls.puts, 0);
    OK(snap_find(&e, &c, snap, 50000));
    e->srv |= EAS_MF_SEEN;
    snap_touched(snap, c);
    assert_true(snap_dirty(snap));
    snap = reopened(fx, snap, old, 2);
    assert_int_equal(fx->calls.puts, 1);
    OK(snap_find(&e, &c, snap, 50000)); /* both versions can be read */
    assert_true(e->srv & EAS_MF_SEEN);
    OK(snap_find(&e, &c, old, 50000));
    assert_false(e->srv & EAS_MF_SEEN);
    eas_state_close(st);
}

static void a_version_that_nobody_kept_is_gone(void **state)
{
    fx_t *fx = *state;
    snap_entry_t *e;
    int c;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st), *first, *second, *third;

    fill(fx, snap, 1, 10);
    first = reopened(fx, snap, NULL, 1);
    second = first;
    for (apr_uint64_t serial = 2; serial <= 3; serial++) {
        snap_t *from = second;
        snap = apr_pmemdup(fx->pool, from, sizeof(*from));
        snap->chunks = apr_pmemdup(fx->pool, from->chunks, sizeof(*from->chunks));
        snap->chunks[0].e = NULL;
        OK(snap_find(&e, &c, snap, (apr_uint32_t)serial));
        e->srv |= EAS_MF_SEEN;
        snap_touched(snap, c);
        third = reopened(fx, snap, from, serial);
        second = third;
    }
    OK(snap_find(&e, &c, second, 3));
    first->chunks[0].e = NULL;
    FAILS(EAS_E_STATE, snap_find(&e, &c, first, 3));
    eas_state_close(st);
}

static void picks_deletes_then_changes_then_the_newest_adds(void **state)
{
    static const eas_op_t want[] = {EAS_OP_DELETE, EAS_OP_SOFTDELETE, EAS_OP_CHANGE, EAS_OP_ADD,
                                    EAS_OP_ADD};
    static const apr_uint32_t uids[] = {2, 3, 4, 9, 8};
    fx_t *fx = *state;
    eas_change_t changes[8];
    snap_entry_t *e;
    int c, n;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st);

    fill(fx, snap, 1, 9);
    for (apr_uint32_t uid = 1; uid <= 7; uid++) {
        OK(snap_find(&e, &c, snap, uid));
        e->cli = e->srv;
    }
    OK(snap_find(&e, &c, snap, 2));
    e->srv = 0;
    OK(snap_find(&e, &c, snap, 3));
    e->srv |= SNAP_SOFT;
    OK(snap_find(&e, &c, snap, 4));
    e->srv |= EAS_MF_SEEN;
    snap_touched(snap, 0);
    assert_int_equal(snap_waiting(snap), 5);
    OK(snap_pick(changes, &n, snap, 8, fx->pool));
    assert_int_equal(n, 5);
    for (int i = 0; i < n; i++) {
        assert_int_equal(changes[i].op, want[i]);
        assert_int_equal(changes[i].uid, uids[i]);
    }
    assert_int_equal(changes[2].changed, EAS_MF_SEEN);
    assert_string_equal(changes[2].id, "2:4");
    OK(snap_pick(changes, &n, snap, 2, fx->pool));
    assert_int_equal(n, 2);
    eas_state_close(st);
}

static void flags_that_the_phone_cannot_see_do_not_wait(void **state)
{
    fx_t *fx = *state;
    snap_entry_t *e;
    int c;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st);

    fill(fx, snap, 1, 3);
    for (apr_uint32_t uid = 1; uid <= 3; uid++) {
        OK(snap_find(&e, &c, snap, uid));
        e->cli = e->srv;
    }
    e->srv |= EAS_MF_ANSWERED;
    snap_touched(snap, 0);
    assert_int_equal(snap_waiting(snap), 1);
    OK(snap_set_visible(snap, EAS_MF_SEEN));
    assert_int_equal(snap_waiting(snap), 0);
    OK(snap_set_visible(snap, EAS_MF_SEEN | EAS_MF_ANSWERED));
    assert_int_equal(snap_waiting(snap), 1);
    eas_state_close(st);
}

static void an_emptied_row_leaves_directory_and_store(void **state)
{
    fx_t *fx = *state;
    const void *val;
    apr_size_t len;
    snap_delta_t delta;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st);

    fill(fx, snap, 1, 5000);
    snap_t *old = reopened(fx, snap, NULL, 1);
    snap_t *now = reopened(fx, snap, NULL, 1);
    OK(snap_compare(&delta, now, NULL, 0, 0, 0, 5001));
    assert_int_equal(delta.total, -5000);
    const snap_t *gone[] = {old, NULL};
    OK(snap_save(now, NULL, gone, 2));
    assert_int_equal(now->nchunks, 0);
    for (int i = 1; i <= 3; i++) {
        OK(fx->store.v->get(&val, &len, st->db, apr_psprintf(fx->pool, "m/2/%d", i), fx->pool));
        assert_null(val);
    }
    eas_state_close(st);
}

static void damaged_directories_are_refused(void **state)
{
    fx_t *fx = *state;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t *snap = snap_of(fx, st), *bad;
    eas_buf_t b;
    eas_rd_t rd;

    fill(fx, snap, 1, 3000);
    OK(snap_save(snap, NULL, none, 1));
    eas_buf_init(&b, 0, fx->pool);
    snap_write_dir(&b, snap);
    for (apr_size_t n = 0; n < b.len; n++) {
        bad = snap_of(fx, st);
        eas_rd_init(&rd, b.data, n);
        snap_read_dir(bad, &rd);
        assert_false(eas_rd_done(&rd));
    }
    /* a count beyond the row's size, and more rows than bytes */
    eas_rd_init(&rd, "\x1f\x02\x01\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\x81\x10\0\0", 21);
    snap_read_dir(snap_of(fx, st), &rd);
    assert_false(eas_rd_done(&rd));
    eas_rd_init(&rd, "\x1f\x02\xff\xff\xff\x7f", 6);
    snap_read_dir(snap_of(fx, st), &rd);
    assert_false(eas_rd_done(&rd));
    eas_state_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(entries_are_found_in_rows_of_2048),
        FX_TEST(one_change_writes_one_row),
        FX_TEST(a_version_that_nobody_kept_is_gone),
        FX_TEST(picks_deletes_then_changes_then_the_newest_adds),
        FX_TEST(flags_that_the_phone_cannot_see_do_not_wait),
        FX_TEST(an_emptied_row_leaves_directory_and_store),
        FX_TEST(damaged_directories_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
