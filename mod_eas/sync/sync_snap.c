/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot of a mail folder: one entry of 12 bytes per mail, sorted by uid, in rows of up to
 * SNAP_CHUNK. A directory in the collection's head tells for every row its version, range of uids
 * and times, and how many changes wait in it, so that most requests load no row, or one. */
#include <apr_strings.h>
#include "sync_priv.h"

#define HAS(bits) ((bits) & SNAP_HAS)

void snap_init(snap_t *snap, eas_state_t *st, const char *cid, apr_pool_t *pool)
{
    memset(snap, 0, sizeof(*snap));
    snap->st = st;
    snap->cid = cid;
    snap->pool = pool;
    snap->next_id = 1;
    snap->visible = SNAP_FLAGS;
}

void snap_write_dir(eas_buf_t *b, const snap_t *snap)
{
    int i;
    eas_buf_u8(b, snap->visible);
    eas_buf_var(b, snap->next_id);
    eas_buf_var(b, (apr_uint64_t)snap->nchunks);
    for (i = 0; i < snap->nchunks; i++) {
        const snap_chunk_t *c = &snap->chunks[i];
        eas_buf_var(b, c->id);
        eas_buf_var(b, c->serial);
        eas_buf_u32(b, c->first);
        eas_buf_u32(b, c->oldest);
        eas_buf_u32(b, c->newest);
        eas_buf_var(b, c->count);
        eas_buf_var(b, c->adds);
        eas_buf_var(b, c->others);
    }
}

void snap_read_dir(snap_t *snap, eas_rd_t *rd)
{
    apr_uint64_t n;
    int i;
    snap->visible = eas_rd_u8(rd);
    snap->next_id = eas_rd_var(rd);
    n = eas_rd_var(rd);
    if (n > (apr_uint64_t)(rd->end - rd->p) / 12) /* an entry takes at least 17 bytes */
        rd->bad = 1;
    if (rd->bad)
        return;
    snap->nchunks = (int)n;
    snap->cap = snap->nchunks;
    snap->chunks = apr_pcalloc(snap->pool, sizeof(snap_chunk_t) * (apr_size_t)(snap->nchunks + 1));
    for (i = 0; i < snap->nchunks; i++) {
        snap_chunk_t *c = &snap->chunks[i];
        c->id = eas_rd_var(rd);
        c->serial = eas_rd_var(rd);
        c->first = eas_rd_u32(rd);
        c->oldest = eas_rd_u32(rd);
        c->newest = eas_rd_u32(rd);
        c->count = (apr_uint32_t)eas_rd_var(rd);
        c->adds = (apr_uint32_t)eas_rd_var(rd);
        c->others = (apr_uint32_t)eas_rd_var(rd);
        if (c->count == 0 || c->count > SNAP_CHUNK)
            rd->bad = 1;
    }
}

static const char *row_key(const snap_t *snap, apr_uint64_t id)
{
    return apr_psprintf(snap->pool, "m/%s/%" APR_UINT64_T_FMT, snap->cid, id);
}

/* Rows are little endian on disk. */
static void swap_entries(snap_entry_t *e, apr_uint32_t count)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (; count; count--, e++) {
        e->uid = __builtin_bswap32(e->uid);
        e->received = __builtin_bswap32(e->received);
    }
#endif
}

static const sync_side_t *side_of(const sync_row_t *row, apr_uint64_t serial)
{
    if (row->cur.data && row->cur.stamp == serial)
        return &row->cur;
    if (row->prev.data && row->prev.stamp == serial)
        return &row->prev;
    return NULL;
}

eas_err_t *snap_load(snap_t *snap, int c)
{
    snap_chunk_t *chunk = &snap->chunks[c];
    sync_row_t row;
    const sync_side_t *side;
    apr_pool_t *scratch;
    eas_err_t *err;

    if (chunk->e)
        return NULL;
    apr_pool_create(&scratch, snap->pool);
    err = sync_row_get(&row, snap->st, row_key(snap, chunk->id), scratch);
    if (!err) {
        side = side_of(&row, chunk->serial);
        if (side && side->len == chunk->count * sizeof(snap_entry_t)) {
            chunk->e = apr_palloc(snap->pool, side->len);
            memcpy(chunk->e, side->data, side->len);
            swap_entries(chunk->e, chunk->count);
        } else {
            err = eas_err_create(snap->pool, EAS_E_STATE, "sync.snap",
                                 "a row of the snapshot of %s is missing", snap->cid);
        }
    } else {
        err = eas_err_wrap(snap->pool, err, "sync.snap", "cannot load the snapshot of %s",
                           snap->cid);
    }
    apr_pool_destroy(scratch);
    return err;
}

/* What waits for the phone in this entry: 0 nothing, 1 an add, 2 another change. */
static int waiting(const snap_entry_t *e, unsigned visible)
{
    int there = HAS(e->srv) && !(e->srv & SNAP_SOFT);
    if (!HAS(e->cli))
        return there ? 1 : 0;
    return !there || ((e->srv ^ e->cli) & visible & SNAP_FLAGS) ? 2 : 0;
}

static void recount(snap_chunk_t *c, unsigned visible)
{
    apr_uint32_t i;
    c->adds = c->others = 0;
    c->oldest = 0xffffffffu;
    c->newest = 0;
    for (i = 0; i < c->count; i++) {
        const snap_entry_t *e = &c->e[i];
        int w = waiting(e, visible);
        c->adds += w == 1;
        c->others += w == 2;
        if (e->received < c->oldest)
            c->oldest = e->received;
        if (e->received > c->newest)
            c->newest = e->received;
    }
    if (c->count)
        c->first = c->e[0].uid;
}

void snap_touched(snap_t *snap, int c)
{
    snap_chunk_t *chunk = &snap->chunks[c];
    apr_uint32_t i, n = 0;
    for (i = 0; i < chunk->count; i++)
        if (HAS(chunk->e[i].srv) || HAS(chunk->e[i].cli))
            chunk->e[n++] = chunk->e[i];
    chunk->count = n;
    chunk->dirty = 1;
    recount(chunk, snap->visible);
}

eas_err_t *snap_set_visible(snap_t *snap, unsigned visible)
{
    int c;
    if (snap->visible == visible)
        return NULL;
    snap->visible = visible;
    for (c = 0; c < snap->nchunks; c++) {
        eas_err_t *err = snap_load(snap, c);
        if (err)
            return err;
        recount(&snap->chunks[c], visible);
    }
    return NULL;
}

eas_err_t *snap_find(snap_entry_t **entry, int *chunk, snap_t *snap, apr_uint32_t uid)
{
    int lo = 0, hi = snap->nchunks;
    apr_uint32_t a = 0, b;
    snap_chunk_t *c;
    eas_err_t *err;

    *entry = NULL;
    while (lo < hi) { /* first chunk that begins behind uid */
        int mid = lo + (hi - lo) / 2;
        if (snap->chunks[mid].first <= uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return NULL;
    err = snap_load(snap, lo - 1);
    if (err)
        return err;
    c = &snap->chunks[lo - 1];
    b = c->count;
    while (a < b) {
        apr_uint32_t mid = a + (b - a) / 2;
        if (c->e[mid].uid < uid)
            a = mid + 1;
        else
            b = mid;
    }
    if (a < c->count && c->e[a].uid == uid) {
        *entry = &c->e[a];
        *chunk = lo - 1;
    }
    return NULL;
}

apr_size_t snap_count(const snap_t *snap)
{
    apr_size_t n = 0;
    int c;
    for (c = 0; c < snap->nchunks; c++)
        n += snap->chunks[c].count;
    return n;
}

apr_size_t snap_waiting(const snap_t *snap)
{
    apr_size_t n = 0;
    int c;
    for (c = 0; c < snap->nchunks; c++)
        n += snap->chunks[c].adds + snap->chunks[c].others;
    return n;
}

int snap_dirty(const snap_t *snap)
{
    int c;
    for (c = 0; c < snap->nchunks; c++)
        if (snap->chunks[c].dirty)
            return 1;
    return 0;
}

static void change_of(eas_change_t *out, const snap_t *snap, const snap_entry_t *e, eas_op_t op,
                      apr_pool_t *pool)
{
    memset(out, 0, sizeof(*out));
    out->op = op;
    out->id = apr_psprintf(pool, "%s:%u", snap->cid, e->uid);
    out->uid = e->uid;
    out->received = apr_time_from_sec((apr_time_t)e->received);
    out->flags = e->srv & SNAP_FLAGS;
    out->changed = (e->srv ^ e->cli) & snap->visible & SNAP_FLAGS;
}

/* Collects waiting changes other than adds: deletes in the first round, changes in the second. */
static eas_err_t *pick_others(eas_change_t *changes, int *count, snap_t *snap, int window,
                              int deletes, apr_pool_t *pool)
{
    int c;
    for (c = 0; c < snap->nchunks && *count < window; c++) {
        apr_uint32_t i;
        eas_err_t *err;
        if (!snap->chunks[c].others)
            continue;
        if ((err = snap_load(snap, c)))
            return err;
        for (i = 0; i < snap->chunks[c].count && *count < window; i++) {
            const snap_entry_t *e = &snap->chunks[c].e[i];
            int gone = !HAS(e->srv);
            int del = gone || (e->srv & SNAP_SOFT);
            if (waiting(e, snap->visible) != 2 || del != deletes)
                continue;
            change_of(&changes[(*count)++], snap, e,
                      gone ? EAS_OP_DELETE : del ? EAS_OP_SOFTDELETE : EAS_OP_CHANGE, pool);
        }
    }
    return NULL;
}

eas_err_t *snap_pick(eas_change_t *changes, int *count, snap_t *snap, int window, apr_pool_t *pool)
{
    eas_err_t *err;
    int c;
    *count = 0;
    if ((err = pick_others(changes, count, snap, window, 1, pool)) ||
        (err = pick_others(changes, count, snap, window, 0, pool)))
        return err;
    for (c = snap->nchunks - 1; c >= 0 && *count < window; c--) {
        apr_uint32_t i;
        if (!snap->chunks[c].adds)
            continue;
        if ((err = snap_load(snap, c)))
            return err;
        for (i = snap->chunks[c].count; i > 0 && *count < window; i--) {
            const snap_entry_t *e = &snap->chunks[c].e[i - 1];
            if (waiting(e, snap->visible) == 1)
                change_of(&changes[(*count)++], snap, e, EAS_OP_ADD, pool);
        }
    }
    return NULL;
}

static const snap_chunk_t *by_id(const snap_t *snap, apr_uint64_t id)
{
    int c;
    for (c = 0; snap && c < snap->nchunks; c++)
        if (snap->chunks[c].id == id)
            return &snap->chunks[c];
    return NULL;
}

/* Writes one touched chunk beside the version that `keep` refers to. */
static eas_err_t *save_chunk(snap_t *snap, snap_chunk_t *chunk, const snap_t *keep,
                             apr_uint64_t serial, apr_pool_t *scratch)
{
    const snap_chunk_t *old = by_id(keep, chunk->id);
    const sync_side_t *prev = NULL;
    sync_side_t cur;
    sync_row_t row;

    memset(&row, 0, sizeof(row));
    if (old) {
        eas_err_t *err = sync_row_get(&row, snap->st, row_key(snap, chunk->id), scratch);
        if (err)
            return eas_err_wrap(snap->pool, err, "sync.snap", "cannot keep an older row");
        prev = side_of(&row, old->serial);
        if (!prev)
            return eas_err_create(snap->pool, EAS_E_STATE, "sync.snap",
                                  "a row of the snapshot of %s is missing", snap->cid);
    }
    swap_entries(chunk->e, chunk->count);
    cur.stamp = serial;
    cur.data = (const char *)chunk->e;
    cur.len = chunk->count * sizeof(snap_entry_t);
    sync_row_put(snap->st, row_key(snap, chunk->id), &cur, prev, scratch);
    swap_entries(chunk->e, chunk->count);
    chunk->serial = serial;
    chunk->dirty = 0;
    return NULL;
}

eas_err_t *snap_save(snap_t *snap, const snap_t *keep, const snap_t *const *gone,
                     apr_uint64_t serial)
{
    apr_pool_t *scratch;
    eas_err_t *err = NULL;
    int c, n = 0;

    apr_pool_create(&scratch, snap->pool);
    for (c = 0; c < snap->nchunks && !err; c++) {
        snap_chunk_t *chunk = &snap->chunks[c];
        if (chunk->count == 0)
            continue; /* emptied: leaves the directory, its row is deleted below */
        if (chunk->dirty)
            err = save_chunk(snap, chunk, keep, serial, scratch);
        snap->chunks[n++] = *chunk;
        apr_pool_clear(scratch);
    }
    if (!err)
        snap->nchunks = n;
    for (; !err && *gone; gone++)
        for (c = 0; c < (*gone)->nchunks; c++) {
            apr_uint64_t id = (*gone)->chunks[c].id;
            if (!by_id(snap, id) && !by_id(keep, id))
                snap->st->cfg->store->v->put(snap->st->db, row_key(snap, id), NULL, 0);
        }
    apr_pool_destroy(scratch);
    return err;
}

void snap_forget(snap_t *snap)
{
    int c;
    for (c = 0; c < snap->nchunks; c++)
        snap->st->cfg->store->v->put(snap->st->db, row_key(snap, snap->chunks[c].id), NULL, 0);
}
