/* SPDX-License-Identifier: Apache-2.0 */
/* The merge of a listing with the snapshot, against a plain model that looks at every mail. */
#include "sync_fixture.h"

#define UIDS 6000

typedef struct model_t {
    unsigned char there[UIDS + 1];
    apr_uint32_t received[UIDS + 1];
    unsigned flags[UIDS + 1];
} model_t;

static unsigned roll(apr_uint32_t *s, unsigned below)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return (*s >> 3) % below;
}

/* Rows received after `since`, sorted by uid. */
static eas_mail_row_t *listing(apr_size_t *n, const model_t *m, apr_uint32_t since,
                               apr_pool_t *pool)
{
    eas_mail_row_t *rows = apr_palloc(pool, sizeof(*rows) * UIDS);

    *n = 0;
    for (apr_uint32_t uid = 1; uid <= UIDS; uid++)
        if (m->there[uid] && (!since || m->received[uid] > since))
            rows[(*n)++] = (eas_mail_row_t){
                .uid = uid, .received = m->received[uid], .flags = (apr_uint16_t)m->flags[uid]};
    return rows;
}

static void check(snap_t *snap, const model_t *m, apr_uint32_t cutoff)
{
    apr_uint32_t last = 0;
    apr_size_t n = 0, want = 0;

    for (int c = 0; c < snap->nchunks; c++) {
        OK(snap_load(snap, c));
        assert_true(snap->chunks[c].count <= SNAP_CHUNK);
        for (apr_uint32_t i = 0; i < snap->chunks[c].count; i++) {
            const snap_entry_t *e = &snap->chunks[c].e[i];
            assert_true(e->uid > last);
            last = e->uid;
            if (!(e->srv & SNAP_HAS))
                continue;
            n++;
            if (!m->there[e->uid] || ((unsigned)(e->srv & SNAP_FLAGS) != m->flags[e->uid]))
                fail_msg("entry %u", e->uid);
        }
    }
    for (apr_uint32_t uid = 1; uid <= UIDS; uid++)
        want += m->there[uid] && m->received[uid] >= cutoff;
    assert_int_equal(n, want);
}

static void merges_like_the_model(void **state)
{
    fx_t *fx = *state;
    model_t *m = apr_pcalloc(fx->pool, sizeof(*m));
    apr_uint32_t seed = 20240517, next = 1;
    snap_delta_t delta;
    apr_size_t n;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t snap;

    snap_init(&snap, st, "2", fx->pool);
    for (int round = 0; round < 120; round++) {
        apr_uint32_t old_next = next, since = 0;
        apr_int64_t total = 0, unread = 0;
        for (unsigned k = roll(&seed, 100); k > 0 && next <= UIDS; k--, next++) {
            m->there[next] = 1;
            m->received[next] = 1000 + roll(&seed, 100000);
            m->flags[next] = roll(&seed, 4);
            total++;
            unread += !(m->flags[next] & EAS_MF_SEEN);
        }
        if (round % 3 == 1)
            since = 1000 + roll(&seed, 90000);
        for (unsigned k = roll(&seed, 40); k > 0; k--) { /* only where the listing looks */
            apr_uint32_t uid = 1 + roll(&seed, next);
            if (uid >= old_next || !m->there[uid] || m->received[uid] <= since)
                continue;
            if (k % 3) {
                total--;
                unread -= !(m->flags[uid] & EAS_MF_SEEN);
                m->there[uid] = 0;
            } else {
                unread += m->flags[uid] & EAS_MF_SEEN ? 1 : -1;
                m->flags[uid] ^= EAS_MF_SEEN;
            }
        }
        for (apr_uint32_t uid = old_next; since && uid < next; uid++)
            m->received[uid] = since + 1 + roll(&seed, 1000);
        eas_mail_row_t *rows = listing(&n, m, since, fx->pool);
        OK(snap_compare(&delta, &snap, rows, n, since, 0, old_next));
        assert_int_equal(delta.total, total);
        assert_int_equal(delta.unread, unread);
        assert_int_equal(delta.fresh, next - old_next);
        check(&snap, m, 0);
    }
    assert_true(snap.nchunks >= 2);
    eas_state_close(st);
}

static void rows_outside_the_window_count_but_are_not_kept(void **state)
{
    fx_t *fx = *state;
    eas_mail_row_t rows[] = {{.uid = 1, .received = 10}, {.uid = 2, .received = 20},
                             {.uid = 3, .received = 30, .flags = EAS_MF_SEEN}};
    snap_delta_t delta;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t snap;

    snap_init(&snap, st, "2", fx->pool);
    OK(snap_compare(&delta, &snap, rows, 3, 0, 20, 2));
    assert_int_equal(snap_count(&snap), 2);
    assert_int_equal(delta.total, 2); /* uid 1 was counted by the last probe */
    assert_int_equal(delta.unread, 1);
    assert_int_equal(delta.fresh, 2);
    eas_state_close(st);
}

static void rows_that_the_listing_does_not_reach_are_not_loaded(void **state)
{
    fx_t *fx = *state;
    fx_folder_t *f = fx_folder(fx, "in", NULL, "Inbox", EAS_ROLE_INBOX);
    fx_phone_t *ph = fx_phone(fx, "2");
    eas_coll_t *coll;
    int status, loaded = 0;

    fx_deliver_many(fx, f, 20000, 100);
    fx_hierarchy(fx);
    fx_quiet(fx, ph, 60);
    fx_deliver(fx, f, 0);
    eas_state_t *st = fx_open(fx, fx->pool);
    OK(eas_coll_open(&coll, &status, st, "2", ph->key, fx->pool));
    eas_coll_set_view(coll, 0, fx->visible);
    OK(eas_coll_refresh(coll, fx->session));
    assert_int_equal(eas_coll_pending(coll), 1);
    for (int c = 0; c < coll->snap.nchunks; c++)
        loaded += coll->snap.chunks[c].e != NULL;
    assert_int_equal(loaded, 1);
    eas_state_close(st);
}

static void ageing_takes_back_what_the_phone_never_had(void **state)
{
    fx_t *fx = *state;
    eas_mail_row_t rows[] = {{.uid = 1, .received = 10}, {.uid = 2, .received = 20},
                             {.uid = 3, .received = 30}};
    snap_delta_t delta;
    snap_entry_t *e;
    int c;
    eas_state_t *st = fx_open(fx, fx->pool);
    snap_t snap;

    snap_init(&snap, st, "2", fx->pool);
    OK(snap_compare(&delta, &snap, rows, 3, 0, 0, 0));
    OK(snap_find(&e, &c, &snap, 2));
    e->cli = e->srv;
    snap_touched(&snap, c);
    OK(snap_age_out(&snap, 25));
    assert_int_equal(snap_count(&snap), 2);
    assert_int_equal(snap_waiting(&snap), 2); /* a soft delete and an add */
    OK(snap_age_out(&snap, 15));              /* the filter is wider again */
    assert_int_equal(snap_waiting(&snap), 1);
    eas_state_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(merges_like_the_model),
        FX_TEST(rows_outside_the_window_count_but_are_not_kept),
        FX_TEST(rows_that_the_listing_does_not_reach_are_not_loaded),
        FX_TEST(ageing_takes_back_what_the_phone_never_had),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
