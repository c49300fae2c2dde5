/* SPDX-License-Identifier: Apache-2.0 */
/* A collection at a key: opening, what waits, and the two-sided head that makes a new state
 * count. */
#include <apr_strings.h>
#include "eas_crypto.h"
#include "sync_priv.h"

#define HEAD_FORMAT 1
/* Points of a key under which changes were picked again and again. A process that dies on an item
 * weighs more than an answer that did not arrive, which a bad network does by itself. */
#define TRIES_DIED 4
#define TRIES_LOST 1
#define TRIES_SMALL 8 /* from here on one item at a time */
#define TRIES_STUB 16 /* from here on a stub in place of the item */
#define TRIES_TTL apr_time_from_sec(24 * 3600)

static const char *head_key(const char *cid, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "c/", cid, NULL);
}

/* ---- the head's content ---- */

static void head_write(eas_buf_t *b, const eas_coll_t *coll, apr_uint64_t serial)
{
    eas_buf_init(b, 256 + coll->options_len + (apr_size_t)coll->snap.nchunks * 32, coll->pool);
    eas_buf_u8(b, HEAD_FORMAT);
    eas_buf_str(b, coll->uuid);
    eas_buf_var(b, serial);
    eas_buf_u8(b, coll->options != NULL);
    eas_buf_blob(b, coll->options, coll->options_len);
    eas_buf_u8(b, (unsigned)coll->filter);
    eas_buf_u8(b, (unsigned)coll->listed);
    eas_buf_var(b, coll->tuple.validity);
    eas_buf_var(b, coll->tuple.next);
    eas_buf_var(b, coll->tuple.modseq);
    eas_buf_var(b, coll->tuple.total);
    eas_buf_var(b, coll->tuple.unread);
    snap_write_dir(b, &coll->snap);
}

/* Reads one side of a head into the fields of `coll` that it describes. */
static eas_err_t *head_read(eas_coll_t *coll, const sync_side_t *side)
{
    eas_rd_t rd;
    unsigned format, has_options;
    apr_uint64_t serial;
    eas_rd_init(&rd, side->data, side->len);
    format = eas_rd_u8(&rd);
    if (!rd.bad && format > HEAD_FORMAT)
        return eas_err_create(coll->pool, EAS_E_NEWER, "sync.coll", "head of format %u", format);
    coll->uuid = eas_rd_str(&rd, coll->pool);
    serial = eas_rd_var(&rd);
    coll->opened = serial;
    if (serial > coll->serial)
        coll->serial = serial;
    has_options = eas_rd_u8(&rd);
    coll->options = eas_rd_blob(&coll->options_len, &rd);
    if (!has_options) {
        coll->options = NULL;
        coll->options_len = 0;
    }
    coll->filter = (int)eas_rd_u8(&rd);
    coll->listed = (int)eas_rd_u8(&rd);
    coll->tuple.validity = eas_rd_var(&rd);
    coll->tuple.next = eas_rd_var(&rd);
    coll->tuple.modseq = eas_rd_var(&rd);
    coll->tuple.total = (apr_uint32_t)eas_rd_var(&rd);
    coll->tuple.unread = (apr_uint32_t)eas_rd_var(&rd);
    snap_init(&coll->snap, coll->st, coll->cid, coll->pool);
    snap_read_dir(&coll->snap, &rd);
    if (!eas_rd_done(&rd))
        return eas_err_create(coll->pool, EAS_E_STATE, "sync.coll", "head of %s is damaged",
                              coll->cid);
    return NULL;
}

static eas_coll_t *coll_new(eas_state_t *st, const char *cid, apr_pool_t *pool)
{
    eas_coll_t *coll = apr_pcalloc(pool, sizeof(*coll));
    coll->st = st;
    coll->pool = pool;
    coll->cid = cid;
    snap_init(&coll->snap, st, cid, pool);
    return coll;
}

/* The snapshot directory of one side, for what must be kept or may go. */
static eas_err_t *side_snap(snap_t *snap, const eas_coll_t *coll, const sync_side_t *side)
{
    eas_coll_t *tmp = coll_new(coll->st, coll->cid, coll->pool);
    eas_err_t *err = side->data ? head_read(tmp, side) : NULL;
    *snap = tmp->snap;
    return err;
}

/* ---- opening ---- */

/* Versions of rows are never numbered twice, also not after a repeat or a new start. */
static eas_err_t *highest_serial(eas_coll_t *coll)
{
    const sync_side_t *sides[2] = {&coll->head.cur, &coll->head.prev};
    int i;
    for (i = 0; i < 2; i++) {
        eas_coll_t *old = coll_new(coll->st, coll->cid, coll->pool);
        eas_err_t *err = sides[i]->data ? head_read(old, sides[i]) : NULL;
        if (err)
            return err;
        if (old->serial > coll->serial)
            coll->serial = old->serial;
    }
    return NULL;
}

/* Makes `coll` the state that the key names; *status 3 when no side is it. */
static eas_err_t *open_at(eas_coll_t *coll, int *status, const char *key)
{
    const sync_side_t *sides[2];
    sync_key_t k;
    int i;

    *status = 3;
    if (!sync_key_parse(&k, key, coll->pool))
        return NULL;
    sides[0] = &coll->head.cur;
    sides[1] = &coll->head.prev;
    for (i = 0; i < 2; i++) {
        eas_err_t *err;
        if (!sides[i]->data)
            continue;
        err = head_read(coll, sides[i]);
        if (err)
            return err;
        if (sides[i]->stamp == k.n && strcmp(coll->uuid, k.uuid) == 0) {
            coll->n = k.n;
            coll->replayed = i == 1;
            *status = 1;
            return NULL;
        }
    }
    return NULL;
}

/* Options stick to the device and the collection, not to a key: a new start keeps them. */
static void keep_options(eas_coll_t *coll)
{
    eas_coll_t *old = coll_new(coll->st, coll->cid, coll->pool);
    if (coll->head.cur.data && !head_read(old, &coll->head.cur)) {
        coll->options = old->options;
        coll->options_len = old->options_len;
    }
}

eas_err_t *eas_coll_open(eas_coll_t **out, int *status, eas_state_t *st, const char *cid,
                         const char *key, apr_pool_t *pool)
{
    eas_coll_t *coll = coll_new(st, cid, pool);
    eas_err_t *err;

    *out = NULL;
    *status = 8;
    err = eas_hierarchy_find(&coll->folder, st, cid, pool);
    if (!err && !coll->folder) {
        sync_row_t hierarchy;
        err = sync_row_get(&hierarchy, st, "h", pool);
        if (!err && !hierarchy.cur.data)
            *status = 12; /* nothing is known of any folder: state was lost, or never made */
    }
    if (err || !coll->folder)
        return err;
    err = sync_row_get(&coll->head, st, head_key(cid, pool), pool);
    if (!err)
        err = highest_serial(coll);
    if (strcmp(key, "0") == 0) {
        if (err && err->kind != EAS_E_STATE)
            return err;
        if (err) /* damaged: nothing of it is of use */
            memset(&coll->head, 0, sizeof(coll->head));
        keep_options(coll);
        coll->initial = 1;
        coll->uuid = eas_uuid(pool);
        *status = 1;
    } else {
        if (!err)
            err = open_at(coll, status, key);
        if (err && err->kind != EAS_E_STATE)
            return err;
        if (err)
            *status = 3; /* damaged: the phone starts this collection anew */
    }
    if (*status == 1)
        *out = coll;
    return NULL;
}

const eas_hfolder_t *eas_coll_folder(const eas_coll_t *coll)
{
    return coll->folder;
}

int eas_coll_initial(const eas_coll_t *coll)
{
    return coll->initial;
}

int eas_coll_replayed(const eas_coll_t *coll)
{
    return coll->replayed;
}

const void *eas_coll_options(apr_size_t *len, const eas_coll_t *coll)
{
    *len = coll->options_len;
    return coll->options;
}

void eas_coll_set_options(eas_coll_t *coll, const void *blob, apr_size_t len)
{
    if (coll->options && coll->options_len == len && memcmp(coll->options, blob, len) == 0)
        return;
    coll->options = apr_pmemdup(coll->pool, blob, len ? len : 1);
    coll->options_len = len;
    coll->head_dirty = 1;
}

void eas_coll_set_view(eas_coll_t *coll, int filter, unsigned visible)
{
    if (coll->filter != filter) {
        apr_uint32_t before = mail_cutoff(coll->filter), after = mail_cutoff(filter);
        if (after < before)
            coll->listed = 0; /* a wider window: what entered it is not in the snapshot */
        coll->filter = filter;
        coll->head_dirty = 1;
    }
    coll->visible = visible;
}

/* ---- changes of the server ---- */

eas_err_t *eas_coll_refresh(eas_coll_t *coll, eas_session_t *session)
{
    eas_err_t *err;
    if (coll->snap.visible != coll->visible)
        coll->head_dirty = 1; /* the new counts are kept, else each request would count anew */
    err = snap_set_visible(&coll->snap, coll->visible);
    if (!err)
        err = commands_not_repeated(coll);
    return err ? err : mail_refresh(coll, session);
}

apr_size_t eas_coll_pending(const eas_coll_t *coll)
{
    return snap_waiting(&coll->snap);
}

/* How often changes were sent for the presented key, this time included. A process that dies while
 * it makes an answer, and a phone that chokes on one, both come back with the same key. So does a
 * phone that was told of a backend or a disk which is away; those attempts are taken back, since
 * they say nothing about the mails. */
static void keep_tries(const eas_coll_t *coll)
{
    eas_cache_t *cache = coll->st->cfg->cache;
    apr_size_t keylen;
    const char *key = sync_cache_key(&keylen, coll->st, "tries", coll->cid, coll->pool);
    const char *text = sync_key_text(coll->uuid, coll->n, coll->pool);
    apr_size_t textlen = strlen(text);
    unsigned char rec[80];

    memcpy(rec, text, textlen);
    rec[textlen] = (unsigned char)coll->tries;
    cache->set(cache, key, keylen, rec, textlen + 1, TRIES_TTL, coll->pool);
}

static int count_tries(eas_coll_t *coll)
{
    eas_cache_t *cache = coll->st->cfg->cache;
    apr_size_t keylen, len;
    const void *val;
    const char *key = sync_cache_key(&keylen, coll->st, "tries", coll->cid, coll->pool);
    const char *text = sync_key_text(coll->uuid, coll->n, coll->pool);
    apr_size_t textlen = strlen(text);
    int before = 0;

    cache->get(&val, &len, cache, key, keylen, coll->pool);
    if (val && len == textlen + 1 && memcmp(val, text, textlen) == 0)
        before = ((const unsigned char *)val)[textlen];
    if (before > 255 - TRIES_DIED)
        before = 255 - TRIES_DIED;
    coll->tries = before + TRIES_DIED; /* unless we live to say otherwise */
    keep_tries(coll);
    coll->next_picking = coll->st->picking;
    coll->st->picking = coll;
    return before;
}

void coll_tries_committed(eas_state_t *st)
{
    eas_coll_t **at = &st->picking;
    while (*at)
        if ((*at)->finished) {
            (*at)->tries += TRIES_LOST - TRIES_DIED;
            keep_tries(*at);
            *at = (*at)->next_picking;
        } else
            at = &(*at)->next_picking;
}

void coll_tries_undone(eas_state_t *st)
{
    for (; st->picking; st->picking = st->picking->next_picking) {
        st->picking->tries -= TRIES_DIED;
        keep_tries(st->picking);
    }
}

eas_err_t *eas_coll_pick(const eas_change_t **changes, int *count, int *more, eas_coll_t *coll,
                         int window, apr_pool_t *pool)
{
    apr_size_t waiting = snap_waiting(&coll->snap);
    eas_change_t *list;
    int tries;
    eas_err_t *err;

    *changes = NULL;
    *count = *more = 0;
    if (!waiting || window <= 0) {
        *more = waiting > 0;
        return NULL;
    }
    tries = count_tries(coll);
    if (tries >= TRIES_SMALL)
        window = 1;
    list = apr_palloc(pool, sizeof(*list) * (apr_size_t)window);
    err = snap_pick(list, count, &coll->snap, window, pool);
    if (err)
        return err;
    if (tries >= TRIES_STUB && *count)
        list[0].suspect = 1;
    *changes = list;
    *more = (apr_size_t)*count < waiting;
    return NULL;
}

static void settle(eas_coll_t *coll, const eas_change_t *change, int vanished)
{
    snap_entry_t *e;
    int c;
    /* the chunk was loaded by pick, so this cannot fail */
    if (snap_find(&e, &c, &coll->snap, change->uid) || !e)
        return;
    if (vanished) {
        /* If it is still there after all, the next probe does not fit and everything is listed. A
         * mail that came between probe and listing is not in the probe's numbers. */
        if (change->uid < coll->tuple.next) {
            coll->tuple.total -= coll->tuple.total > 0;
            if (!(e->srv & EAS_MF_SEEN))
                coll->tuple.unread -= coll->tuple.unread > 0;
            coll->head_dirty = 1;
        }
        e->srv = 0;
    } else if (change->op == EAS_OP_DELETE || change->op == EAS_OP_SOFTDELETE)
        e->srv = e->cli = 0;
    else
        e->cli = e->srv;
    snap_touched(&coll->snap, c);
}

void eas_coll_sent(eas_coll_t *coll, const eas_change_t *change)
{
    settle(coll, change, 0);
    coll->sent = 1;
}

void eas_coll_advance(eas_coll_t *coll)
{
    coll->sent = 1;
}

void eas_coll_vanished(eas_coll_t *coll, const eas_change_t *change)
{
    settle(coll, change, 1);
}

/* ---- finishing ---- */

eas_err_t *eas_coll_finish(const char **newkey, eas_coll_t *coll)
{
    int advance = coll->initial || coll->sent || coll->commanded;
    sync_side_t cur;
    const sync_side_t *prev;
    snap_t keep, old_cur, old_prev;
    const snap_t *gone[3] = {&old_cur, &old_prev, NULL};
    eas_buf_t b;
    eas_err_t *err;

    *newkey = coll->initial ? NULL : sync_key_text(coll->uuid, coll->n, coll->pool);
    if (!advance && !coll->head_dirty && !snap_dirty(&coll->snap)) {
        mail_compared(coll, coll->opened);
        coll->finished = 1;
        return NULL;
    }
    /* Beside the new state stays the one that it was worked out from, also when the key stays the
     * same: should the process die between the rows and the head, the old head still finds its
     * rows. The key before the presented one is of no use any more, since the phone has got past
     * it. A new start keeps the state that it leaves: a key 0 whose connection broke may be served
     * after the phone has repeated it, and must not take the ground from under its feet. */
    prev = coll->replayed ? &coll->head.prev : &coll->head.cur;
    if ((err = side_snap(&old_cur, coll, &coll->head.cur)) ||
        (err = side_snap(&old_prev, coll, &coll->head.prev)) ||
        (err = side_snap(&keep, coll, prev)))
        return err;
    err = snap_save(&coll->snap, &keep, gone, coll->serial + 1);
    if (err)
        return err;
    if (coll->commanded)
        replay_save(coll->st, coll->cid, coll->uuid, coll->n, coll->cmds, coll->ncmds, coll->pool);
    head_write(&b, coll, coll->serial + 1);
    cur.stamp = coll->n + (apr_uint64_t)(advance ? 1 : 0);
    cur.data = b.data;
    cur.len = b.len;
    sync_row_put(coll->st, head_key(coll->cid, coll->pool), &cur, prev->data ? prev : NULL,
                 coll->pool);
    mail_compared(coll, coll->serial + 1);
    coll->finished = 1;
    *newkey = sync_key_text(coll->uuid, cur.stamp, coll->pool);
    return NULL;
}

/* ---- looking at a collection from outside ---- */

static eas_err_t *newest(eas_coll_t **out, sync_row_t *head, eas_state_t *st, const char *cid,
                         apr_pool_t *pool)
{
    eas_coll_t *coll = coll_new(st, cid, pool);
    eas_err_t *err = sync_row_get(head, st, head_key(cid, pool), pool);
    *out = NULL;
    if (err || !head->cur.data)
        return err;
    err = head_read(coll, &head->cur);
    if (!err)
        *out = coll;
    return err;
}

eas_err_t *eas_coll_newest_key(const char **key, eas_state_t *st, const char *cid, apr_pool_t *pool)
{
    eas_coll_t *coll;
    sync_row_t head;
    eas_err_t *err = newest(&coll, &head, st, cid, pool);
    *key = coll ? sync_key_text(coll->uuid, head.cur.stamp, pool) : NULL;
    return err;
}

int coll_last_tuple(eas_mail_tuple_t *tuple, eas_state_t *st, const char *cid, apr_pool_t *pool)
{
    eas_coll_t *coll;
    sync_row_t head;
    if (newest(&coll, &head, st, cid, pool) || !coll || !coll->listed)
        return 0;
    *tuple = coll->tuple;
    return 1;
}

void coll_forget(eas_state_t *st, const char *cid, apr_pool_t *pool)
{
    eas_coll_t *coll = coll_new(st, cid, pool);
    const sync_side_t *sides[2] = {&coll->head.cur, &coll->head.prev};
    snap_t snap;
    int i;
    if (sync_row_get(&coll->head, st, head_key(cid, pool), pool) || !coll->head.cur.data)
        return; /* a damaged head goes with the next key 0 */
    for (i = 0; i < 2; i++)
        if (!side_snap(&snap, coll, sides[i]))
            snap_forget(&snap);
    replay_forget(st, cid, pool);
    st->cfg->store->v->put(st->db, head_key(cid, pool), NULL, 0);
}

eas_err_t *eas_coll_known(eas_change_t *item, int *known, eas_state_t *st, const char *cid,
                          const char *server_id, apr_pool_t *pool)
{
    eas_coll_t *coll;
    sync_row_t head;
    eas_err_t *err = newest(&coll, &head, st, cid, pool);
    *known = !err && coll && eas_coll_item(item, coll, server_id) == 0;
    return err;
}

int eas_server_id_parse(apr_uint32_t *uid, const char *cid, const char *server_id)
{
    apr_size_t n = strlen(cid);
    apr_uint64_t v = 0;
    const char *p;
    if (strncmp(server_id, cid, n) != 0 || server_id[n] != ':')
        return 0;
    p = server_id + n + 1;
    if (*p < '1' || *p > '9')
        return 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return 0;
        v = v * 10 + (apr_uint64_t)(*p - '0');
        if (v > 0xffffffffu)
            return 0;
    }
    *uid = (apr_uint32_t)v;
    return 1;
}
