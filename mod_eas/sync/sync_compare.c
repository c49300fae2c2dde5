/* SPDX-License-Identifier: Apache-2.0 */
/* A listing of the backend against the snapshot: a merge of two lists sorted by uid, chunk by
 * chunk. Chunks that the listing cannot speak of are not loaded. */
#include "sync_priv.h"

#define HAS(bits) ((bits) & SNAP_HAS)

/* Where the merged entries of one chunk go; made when the first entry is inserted. */
typedef struct merge_t {
    snap_entry_t *out;
    apr_uint32_t n;
    int changed;
} merge_t;

static void emit(merge_t *m, const snap_entry_t *e)
{
    if (m->out)
        m->out[m->n] = *e;
    m->n++;
}

/* A row that the last probe did not count. */
static void count_fresh(snap_delta_t *delta, const eas_mail_row_t *row)
{
    delta->fresh++;
    delta->total++;
    if (!(row->flags & EAS_MF_SEEN))
        delta->unread++;
}

/* An entry that the listing does not have. */
static void missing(snap_delta_t *delta, merge_t *m, snap_entry_t *e, apr_uint32_t since,
                    apr_uint64_t old_next)
{
    if (HAS(e->srv) && (since == 0 || e->received > since)) {
        if (e->uid < old_next) {
            delta->total--;
            if (!(e->srv & EAS_MF_SEEN))
                delta->unread--;
        }
        e->srv = 0;
        m->changed = 1;
    }
    emit(m, e);
}

static void matched(snap_delta_t *delta, merge_t *m, snap_entry_t *e, const eas_mail_row_t *row,
                    unsigned visible, apr_uint64_t old_next)
{
    if (row->uid >= old_next) /* came between the last probe and its listing */
        count_fresh(delta, row);
    else if ((row->flags ^ e->srv) & EAS_MF_SEEN)
        delta->unread += row->flags & EAS_MF_SEEN ? -1 : 1;
    if (!HAS(e->srv) || ((row->flags ^ e->srv) & (visible | EAS_MF_SEEN) & SNAP_FLAGS)) {
        e->srv = (unsigned char)(SNAP_HAS | (e->srv & SNAP_SOFT) | (row->flags & SNAP_FLAGS));
        m->changed = 1;
    }
    emit(m, e);
}

/* True when a row becomes a new entry; also tells the delta. */
static int inserted(snap_delta_t *delta, snap_entry_t *e, const eas_mail_row_t *row,
                    apr_uint32_t cutoff, apr_uint64_t old_next)
{
    if (row->uid >= old_next)
        count_fresh(delta, row);
    if (row->received < cutoff)
        return 0;
    memset(e, 0, sizeof(*e));
    e->uid = row->uid;
    e->received = row->received;
    e->srv = (unsigned char)(SNAP_HAS | (row->flags & SNAP_FLAGS));
    return 1;
}

/* Merges rows[0..n) into one chunk's entries. */
static void merge(snap_delta_t *delta, merge_t *m, snap_t *snap, snap_chunk_t *c,
                  const eas_mail_row_t *rows, apr_size_t n, apr_uint32_t since,
                  apr_uint32_t cutoff, apr_uint64_t old_next)
{
    apr_uint32_t i = 0;
    apr_size_t j = 0;
    while (i < c->count || j < n) {
        snap_entry_t fresh;
        if (j == n || (i < c->count && c->e[i].uid < rows[j].uid)) {
            missing(delta, m, &c->e[i++], since, old_next);
        } else if (i < c->count && c->e[i].uid == rows[j].uid) {
            matched(delta, m, &c->e[i++], &rows[j++], snap->visible, old_next);
        } else {
            if (inserted(delta, &fresh, &rows[j], cutoff, old_next)) {
                if (!m->out) { /* room for all that can come */
                    m->out = apr_palloc(snap->pool, (c->count + (n - j)) * sizeof(fresh));
                    if (m->n)
                        memcpy(m->out, c->e, m->n * sizeof(fresh));
                    m->changed = 1;
                }
                emit(m, &fresh);
            }
            j++;
        }
    }
}

static snap_chunk_t *push_chunk(snap_t *to)
{
    if (to->nchunks == to->cap) {
        int cap = to->cap ? to->cap * 2 : 8;
        snap_chunk_t *grown = apr_palloc(to->pool, sizeof(snap_chunk_t) * (apr_size_t)cap);
        if (to->nchunks)
            memcpy(grown, to->chunks, sizeof(snap_chunk_t) * (apr_size_t)to->nchunks);
        to->chunks = grown;
        to->cap = cap;
    }
    memset(&to->chunks[to->nchunks], 0, sizeof(snap_chunk_t));
    return &to->chunks[to->nchunks++];
}

/* Puts the merged chunk behind those done, cut into pieces of SNAP_CHUNK: new mail has the highest
 * uids, so a full row stays as it is and the rest begins a new one. */
static void push_merged(snap_t *to, const snap_chunk_t *c, const merge_t *m)
{
    snap_entry_t *e = m->out ? m->out : c->e;
    apr_uint32_t left = m->n;
    int first = 1;
    while (left || first) {
        snap_chunk_t *piece = push_chunk(to);
        apr_uint32_t n = left < SNAP_CHUNK ? left : SNAP_CHUNK;
        *piece = *c;
        if (!first || !c->id)
            piece->id = to->next_id++;
        piece->e = e;
        piece->count = n;
        snap_touched(to, to->nchunks - 1);
        e += n;
        left -= n;
        first = 0;
    }
}

eas_err_t *snap_compare(snap_delta_t *delta, snap_t *snap, const eas_mail_row_t *rows,
                        apr_size_t count, apr_uint32_t since, apr_uint32_t cutoff,
                        apr_uint64_t old_next)
{
    snap_t done = *snap;
    snap_chunk_t none;
    apr_size_t j = 0;
    int c;

    memset(&none, 0, sizeof(none));
    memset(delta, 0, sizeof(*delta));
    done.chunks = NULL;
    done.nchunks = done.cap = 0;
    for (c = 0; c < snap->nchunks || c == 0; c++) {
        snap_chunk_t *chunk = c < snap->nchunks ? &snap->chunks[c] : &none;
        apr_size_t from = j;
        merge_t m = {0};
        while (j < count && (c + 1 >= snap->nchunks || rows[j].uid < snap->chunks[c + 1].first))
            j++;
        if (chunk != &none && j == from && since != 0 && chunk->newest <= since) {
            *push_chunk(&done) = *chunk; /* the listing does not speak of it */
            continue;
        }
        if (chunk != &none) {
            eas_err_t *err = snap_load(snap, c);
            if (err)
                return err;
        }
        merge(delta, &m, snap, chunk, rows + from, j - from, since, cutoff, old_next);
        if (m.changed)
            push_merged(&done, chunk, &m);
        else if (chunk != &none)
            *push_chunk(&done) = *chunk;
    }
    *snap = done;
    return NULL;
}

eas_err_t *snap_age_out(snap_t *snap, apr_uint32_t cutoff)
{
    int c;
    for (c = 0; c < snap->nchunks; c++) {
        snap_chunk_t *chunk = &snap->chunks[c];
        apr_uint32_t i;
        int touched = 0;
        eas_err_t *err;
        if (!chunk->count || (chunk->oldest >= cutoff && !chunk->others))
            continue;
        if ((err = snap_load(snap, c)))
            return err;
        for (i = 0; i < chunk->count; i++) {
            snap_entry_t *e = &chunk->e[i];
            int out = e->received < cutoff;
            if (!HAS(e->srv) || out == !!(e->srv & SNAP_SOFT))
                continue;
            if (out && !HAS(e->cli))
                e->srv = 0; /* the phone never had it */
            else
                e->srv ^= SNAP_SOFT;
            touched = 1;
        }
        if (touched)
            snap_touched(snap, c);
    }
    return NULL;
}
