/* SPDX-License-Identifier: Apache-2.0 */
/* What is new in a mail folder, for as few rows as possible (http-api.md 3.8):
 * - one probe (validity, next, total, unread [, modseq]); unchanged and no flag check due: done;
 * - changed: the newest rows; if what they show explains the probe, done;
 * - else the whole window, merged with the snapshot.
 * Flags other than \Seen do not show in the probe unless the backend gives modseq: the newest rows
 * are compared when the last time is older than flag_peek, the whole window after flag_refresh.
 * With modseq the newest rows are compared when it moves, and the whole window after flag_refresh
 * only if it has moved since the last time: that something changed does not say where. */
#include <stdlib.h>
#include "eas_crypto.h"
#include "eas_time.h"
#include "sync_priv.h"

#define PEEK_ROWS 200
#define PROBE_ROWS 20          /* least rows for a changed probe */
#define PARTIAL_MAX 1000       /* more new mails than this: list everything */
#define WINDOW_ROWS 1000       /* first try for a filtered window */
#define CHECK_TTL apr_time_from_sec(7 * 24 * 3600)

/* Days of FilterType 0..5, MS-ASCMD 2.2.3.68.2; 0 = all. */
static const int filter_days[] = {0, 1, 3, 7, 14, 31};

apr_uint32_t mail_cutoff(int filter)
{
    apr_time_t hour = apr_time_sec(eas_now()) / 3600; /* mails leave in batches, not one by one */
    if (filter <= 0 || filter > 5)
        return 0;
    return (apr_uint32_t)((hour - filter_days[filter] * 24) * 3600);
}

static int by_uid(const void *a, const void *b)
{
    apr_uint32_t x = ((const eas_mail_row_t *)a)->uid, y = ((const eas_mail_row_t *)b)->uid;
    return x < y ? -1 : x > y;
}

/* A listing comes newest first, which mostly is the order of uids turned round. */
static const eas_mail_row_t *sorted(const eas_mail_row_t *rows, apr_size_t count, apr_pool_t *pool)
{
    eas_mail_row_t *out = apr_palloc(pool, (count + 1) * sizeof(*out));
    apr_size_t i;
    int ordered = 1;
    for (i = 0; i < count; i++) {
        out[i] = rows[count - 1 - i];
        if (i && out[i].uid <= out[i - 1].uid)
            ordered = 0;
    }
    if (!ordered)
        qsort(out, count, sizeof(*out), by_uid);
    return out;
}

/* Lists at most `limit` rows (0: all) and takes them in; *complete when they were the whole
 * window. */
static eas_err_t *compare(snap_delta_t *delta, int *complete, eas_coll_t *coll,
                          eas_session_t *session, apr_size_t limit, apr_uint32_t cutoff,
                          apr_pool_t *pool)
{
    const eas_mail_row_t *rows;
    apr_size_t count;
    apr_uint32_t since = 0;
    eas_err_t *err = coll->st->cfg->be->mail->rows(&rows, &count, session, coll->folder->oxid,
                                                   limit, pool);
    if (err)
        return eas_err_wrap(coll->pool, err, "sync.mail", "cannot list collection %s", coll->cid);
    if (limit && count >= limit)
        since = rows[count - 1].received ? rows[count - 1].received : 1; /* 0 would mean: all */
    *complete = since == 0 || since < cutoff;
    return snap_compare(delta, &coll->snap, sorted(rows, count, pool), count, since, cutoff,
                        coll->tuple.next);
}

static eas_err_t *compare_window(eas_coll_t *coll, eas_session_t *session, apr_uint32_t cutoff,
                                 apr_pool_t *pool)
{
    snap_delta_t delta;
    int complete = 0;
    eas_err_t *err;
    if (cutoff) {
        apr_size_t limit = snap_count(&coll->snap) + WINDOW_ROWS;
        err = compare(&delta, &complete, coll, session, limit, cutoff, pool);
        if (err || complete)
            return err;
    }
    return compare(&delta, &complete, coll, session, 0, cutoff, pool);
}

/* When the flags were compared last, from the cache: for the newest state and for the one before
 * it, told apart by serial. What was found while an answer was made that got lost is not in the
 * state that the phone comes back with, so there the comparison does not count either. */
typedef struct checks_t {
    apr_uint64_t serial;
    apr_time_t peek, full;
    apr_uint64_t modseq; /* of the last full comparison */
} checks_t;

#define CHECKS 2

static void checks_load(checks_t all[CHECKS], eas_coll_t *coll, apr_pool_t *pool)
{
    eas_cache_t *cache = coll->st->cfg->cache;
    apr_size_t keylen, len;
    const void *val;
    const char *key = sync_cache_key(&keylen, coll->st, "flags", coll->cid, pool);
    cache->get(&val, &len, cache, key, keylen, pool);
    memset(all, 0, sizeof(checks_t) * CHECKS);
    if (val && len == sizeof(checks_t) * CHECKS)
        memcpy(all, val, len);
}

/* Those of the state that was opened. */
static checks_t checks_of(const checks_t all[CHECKS], const eas_coll_t *coll, apr_time_t now)
{
    checks_t checks = {.serial = coll->opened};
    apr_uint32_t r;
    int i;
    for (i = 0; i < CHECKS; i++)
        if (all[i].serial == coll->opened && all[i].full)
            return all[i];
    /* Forgotten, as after a reload: peek at once, and spread the full comparisons of all phones
     * over the whole interval. */
    eas_random(&r, sizeof(r));
    checks.full = now - (apr_time_t)((double)coll->st->cfg->flag_refresh * r / 4294967296.0);
    return checks;
}

void mail_compared(eas_coll_t *coll, apr_uint64_t serial)
{
    eas_cache_t *cache = coll->st->cfg->cache;
    apr_time_t now = eas_now();
    checks_t all[CHECKS], old, checks;
    const char *key;
    apr_size_t keylen;
    apr_pool_t *scratch;

    if (!coll->looked && serial == coll->opened)
        return;
    apr_pool_create(&scratch, coll->pool);
    checks_load(all, coll, scratch);
    old = checks = checks_of(all, coll, now);
    checks.serial = serial;
    if (coll->looked)
        checks.peek = now;
    if (coll->looked_full) {
        checks.full = now;
        checks.modseq = coll->tuple.modseq;
    }
    if (serial != coll->opened) {
        all[0] = checks;
        all[1] = old;
    } else {
        all[coll->replayed] = checks;
    }
    key = sync_cache_key(&keylen, coll->st, "flags", coll->cid, scratch);
    cache->set(cache, key, keylen, all, sizeof(all), CHECK_TTL, scratch);
    apr_pool_destroy(scratch);
}

static int same_probe(const eas_mail_tuple_t *a, const eas_mail_tuple_t *b)
{
    return a->next == b->next && a->total == b->total && a->unread == b->unread &&
           a->modseq == b->modseq;
}

/* The probe has moved: the newest rows, and if they do not explain it, all. */
static eas_err_t *follow_probe(int *full, eas_coll_t *coll, eas_session_t *session,
                               const eas_mail_tuple_t *probe, apr_uint32_t cutoff, apr_pool_t *pool)
{
    apr_uint64_t fresh = probe->next > coll->tuple.next ? probe->next - coll->tuple.next : 0;
    snap_delta_t delta;
    eas_err_t *err;
    *full = 0;
    if (fresh <= PARTIAL_MAX / 2) {
        apr_size_t limit = fresh ? (apr_size_t)fresh * 2 : PEEK_ROWS;
        err = compare(&delta, full, coll, session, limit < PROBE_ROWS ? PROBE_ROWS : limit, cutoff,
                      pool);
        if (err)
            return err;
        /* A new mail that was not among the newest (moved here, with its old time) and a deletion
         * that was not seen either would make up for each other in the totals. */
        if (*full || (delta.fresh >= fresh &&
                      (apr_int64_t)coll->tuple.total + delta.total == (apr_int64_t)probe->total &&
                      (apr_int64_t)coll->tuple.unread + delta.unread == (apr_int64_t)probe->unread))
            return NULL;
    }
    *full = 1;
    return compare_window(coll, session, cutoff, pool);
}

eas_err_t *mail_refresh(eas_coll_t *coll, eas_session_t *session)
{
    const eas_sync_cfg_t *cfg = coll->st->cfg;
    apr_uint32_t cutoff = mail_cutoff(coll->filter);
    apr_time_t now = eas_now();
    eas_mail_tuple_t probe;
    checks_t all[CHECKS], checks;
    apr_pool_t *scratch;
    int full = 0, looked = 1, complete;
    snap_delta_t delta;
    eas_err_t *err = cfg->be->mail->status(&probe, session, coll->folder->oxid, coll->pool);

    if (err)
        return eas_err_wrap(coll->pool, err, "sync.mail", "cannot probe collection %s", coll->cid);
    if (coll->tuple.validity && coll->tuple.validity != probe.validity)
        return eas_err_create(coll->pool, EAS_E_GONE, "sync.mail",
                              "UIDVALIDITY of collection %s has changed", coll->cid);
    apr_pool_create(&scratch, coll->pool);
    checks_load(all, coll, scratch);
    checks = checks_of(all, coll, now);
    if (!coll->listed) {
        full = 1;
        err = compare_window(coll, session, cutoff, scratch);
    } else if (!same_probe(&probe, &coll->tuple)) {
        err = follow_probe(&full, coll, session, &probe, cutoff, scratch);
    } else if (now - checks.full > cfg->flag_refresh &&
               (!probe.modseq || probe.modseq != checks.modseq)) {
        full = 1;
        err = compare_window(coll, session, cutoff, scratch);
    } else if (!probe.modseq && now - checks.peek > cfg->flag_peek) {
        err = compare(&delta, &complete, coll, session, PEEK_ROWS, cutoff, scratch);
    } else {
        looked = 0;
    }
    if (!err)
        err = snap_age_out(&coll->snap, cutoff);
    apr_pool_destroy(scratch);
    if (err)
        return err;
    if (!coll->listed || !same_probe(&probe, &coll->tuple) ||
        coll->tuple.validity != probe.validity)
        coll->head_dirty = 1;
    coll->looked = looked;
    coll->looked_full = full;
    coll->listed = 1;
    coll->tuple = probe;
    return NULL;
}
