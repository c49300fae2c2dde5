/* SPDX-License-Identifier: Apache-2.0 */
#include "sync_fixture.h"

#include <stdio.h>

/* ---- the server's side ---- */

fx_folder_t *fx_find_folder(fx_t *fx, const char *id)
{
    for (int i = 0; i < fx->nfolders; i++)
        if (!fx->folders[i].gone && strcmp(fx->folders[i].id, id) == 0)
            return &fx->folders[i];
    return NULL;
}

fx_folder_t *fx_folder(fx_t *fx, const char *id, const char *parent, const char *title,
                       eas_role_t role)
{
    fx_folder_t *f = &fx->folders[fx->nfolders++];

    assert_true(fx->nfolders <= FX_FOLDERS);
    *f = (fx_folder_t){.id = apr_pstrdup(fx->pool, id),
                       .parent = parent ? apr_pstrdup(fx->pool, parent) : NULL,
                       .title = apr_pstrdup(fx->pool, title),
                       .role = role,
                       .validity = 1000 + (apr_uint64_t)fx->nfolders,
                       .next = 1,
                       .modseq = 1};
    return f;
}

static void push(fx_folder_t *f, fx_mail_t mail)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 64;
        f->mails = realloc(f->mails, sizeof(*f->mails) * (size_t)f->cap);
        assert_non_null(f->mails);
    }
    f->mails[f->n++] = mail;
}

apr_uint32_t fx_deliver(fx_t *fx, fx_folder_t *f, apr_time_t age)
{
    apr_time_t received = apr_time_sec(eas_now()) - age;

    push(f, (fx_mail_t){.uid = f->next, .received = (apr_uint32_t)received});
    f->modseq++;
    return f->next++;
}

void fx_deliver_many(fx_t *fx, fx_folder_t *f, int count, apr_time_t age)
{
    for (int i = 0; i < count; i++)
        fx_deliver(fx, f, age + count - i);
}

fx_mail_t *fx_mail(fx_folder_t *f, apr_uint32_t uid)
{
    int lo = 0, hi = f->n;

    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (f->mails[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < f->n && f->mails[lo].uid == uid ? &f->mails[lo] : NULL;
}

void fx_delete(fx_folder_t *f, apr_uint32_t uid)
{
    fx_mail_t *m = fx_mail(f, uid);

    if (!m)
        return;
    memmove(m, m + 1, (size_t)(f->mails + f->n - m - 1) * sizeof(*m));
    f->n--;
    f->modseq++;
}

void fx_flag(fx_folder_t *f, apr_uint32_t uid, unsigned flip)
{
    fx_mail_t *m = fx_mail(f, uid);

    if (m) {
        m->flags ^= flip;
        f->modseq++;
    }
}

void fx_new_validity(fx_folder_t *f)
{
    f->validity += 100;
    f->next = 1;
    for (int i = 0; i < f->n; i++)
        f->mails[i].uid = f->next++;
}

/* ---- backend ---- */

static eas_err_t *fault(fx_t *fx, apr_pool_t *pool)
{
    if (fx->fail_in && --fx->fail_in == 0)
        return eas_err_create(pool, fx->fail_kind, "fixture", "as the test wishes");
    return NULL;
}

static eas_err_t *get_folder(fx_folder_t **f, fx_t *fx, const char *id, apr_pool_t *pool)
{
    eas_err_t *err = fault(fx, pool);

    if (err)
        return err;
    *f = fx_find_folder(fx, id);
    return *f ? NULL : eas_err_create(pool, EAS_E_FOLDER_GONE, "fixture", "no folder %s", id);
}

static eas_err_t *be_list(const eas_folder_t **out, int *count, eas_session_t *session,
                          eas_class_t klass, apr_pool_t *pool)
{
    fx_t *fx = session->fx;
    eas_folder_t *list = apr_pcalloc(pool, sizeof(*list) * FX_FOLDERS);
    eas_err_t *err = fault(fx, pool);
    int n = 0;

    fx->calls.list++;
    if (err)
        return err;
    for (int i = 0; i < fx->nfolders; i++) {
        const fx_folder_t *f = &fx->folders[i];
        if (f->gone)
            continue;
        list[n].id = f->id;
        list[n].parent = f->parent;
        list[n].title = f->title;
        list[n].klass = klass;
        list[n].role = f->role;
        list[n++].readonly = (unsigned)f->readonly & 1;
    }
    *out = list;
    *count = n;
    return NULL;
}

static eas_err_t *be_status(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                            apr_pool_t *pool)
{
    fx_folder_t *f;
    eas_err_t *err = get_folder(&f, session->fx, folder, pool);

    session->fx->calls.status++;
    if (err)
        return err;
    *tuple = (eas_mail_tuple_t){.validity = f->validity,
                                .next = f->next,
                                .modseq = session->fx->with_modseq ? f->modseq : 0,
                                .total = (apr_uint32_t)f->n};
    for (int i = 0; i < f->n; i++)
        tuple->unread += !(f->mails[i].flags & EAS_MF_SEEN);
    return NULL;
}

static int newest_first(const void *a, const void *b)
{
    const eas_mail_row_t *x = a, *y = b;

    if (x->received != y->received)
        return x->received > y->received ? -1 : 1;
    return x->uid > y->uid ? -1 : 1;
}

static eas_err_t *be_rows(const eas_mail_row_t **out, apr_size_t *count, eas_session_t *session,
                          const char *folder, apr_size_t limit, apr_pool_t *pool)
{
    fx_calls_t *calls = &session->fx->calls;
    eas_mail_row_t *rows;
    fx_folder_t *f;
    eas_err_t *err = get_folder(&f, session->fx, folder, pool);

    if (calls->rows < 8)
        calls->limits[calls->rows] = limit;
    calls->rows++;
    if (err)
        return err;
    rows = apr_pcalloc(pool, sizeof(*rows) * (apr_size_t)(f->n + 1));
    for (int i = 0; i < f->n; i++)
        rows[i] = (eas_mail_row_t){.uid = f->mails[i].uid,
                                   .received = f->mails[i].received,
                                   .flags = (apr_uint16_t)f->mails[i].flags};
    qsort(rows, (size_t)f->n, sizeof(*rows), newest_first);
    *out = rows;
    *count = limit && limit < (apr_size_t)f->n ? limit : (apr_size_t)f->n;
    return NULL;
}

static eas_err_t *be_source(eas_span_t *source, eas_session_t *session, const char *folder,
                            apr_uint32_t uid, apr_pool_t *pool)
{
    fx_folder_t *f;
    fx_mail_t *m;
    eas_err_t *err = get_folder(&f, session->fx, folder, pool);

    session->fx->calls.source++;
    if (err)
        return err;
    m = fx_mail(f, uid);
    if (!m)
        return eas_err_create(pool, EAS_E_NOT_FOUND, "fixture", "no mail %u", uid);
    if (m->broken)
        return eas_err_create(pool, m->broken, "fixture", "mail %u is broken", uid);
    source->data = m->source ? m->source
                             : apr_psprintf(pool, "From: a@example.org\r\nSubject: mail %u\r\n\r\n"
                                                  "text of %u\r\n", uid, uid);
    source->len = strlen(source->data);
    return NULL;
}

/* Tells the phone's command that it was executed. */
static void executed(fx_t *fx, const char *folder, eas_cop_t op, apr_uint32_t uid, unsigned set,
                     unsigned clear)
{
    for (fx_phone_t *ph = fx->phones; ph; ph = ph->next)
        for (int i = 0; i < ph->npending; i++) {
            fx_command_t *c = &ph->pending[i];
            if (strcmp(ph->folder, folder) == 0 && c->op == op && c->uid == uid && c->set == set &&
                c->clear == clear)
                c->done++;
        }
}

static eas_err_t *be_set_flags(eas_session_t *session, const char *folder,
                               eas_mail_flags_t *changes, int count, apr_pool_t *pool)
{
    fx_folder_t *f;
    eas_err_t *err = get_folder(&f, session->fx, folder, pool);

    session->fx->calls.set_flags++;
    if (err)
        return err;
    for (int i = 0; i < count; i++) {
        fx_mail_t *m = fx_mail(f, changes[i].uid);
        changes[i].result = NULL;
        executed(session->fx, folder, EAS_C_CHANGE, changes[i].uid, changes[i].set,
                 changes[i].clear);
        if (!m) {
            changes[i].result = eas_err_create(pool, EAS_E_NOT_FOUND, "fixture", "gone");
            continue;
        }
        m->flags = (m->flags | changes[i].set) & ~(unsigned)changes[i].clear;
        f->modseq++;
    }
    return NULL;
}

static eas_err_t *be_remove(char *failed, eas_session_t *session, const char *folder,
                            const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    fx_folder_t *f;
    eas_err_t *err = get_folder(&f, session->fx, folder, pool);

    session->fx->calls.remove++;
    session->fx->calls.hard = hard;
    if (err)
        return err;
    for (int i = 0; i < count; i++) {
        failed[i] = (char)session->fx->refuse_delete;
        executed(session->fx, folder, EAS_C_DELETE, uids[i], 0, 0);
        if (!failed[i])
            fx_delete(f, uids[i]);
    }
    return NULL;
}

static const eas_identity_t *be_identity(const eas_session_t *session)
{
    return &session->fx->who;
}

static const eas_be_session_t session_group = {.identity = be_identity};
static const eas_be_folders_t folders_group = {.list = be_list};
static const eas_be_mail_t mail_group = {.status = be_status,
                                         .rows = be_rows,
                                         .source = be_source,
                                         .set_flags = be_set_flags,
                                         .remove = be_remove};

/* ---- store: the memory store behind a counting one which can die while it writes ---- */

typedef struct queued_t {
    const char *key;
    const void *val;
    apr_size_t len;
} queued_t;

struct eas_db_t {
    fx_t *fx;
    eas_db_t *inner;
    apr_pool_t *pool;
    apr_array_header_t *queue;
};

static fx_t *fx_of(eas_store_t *store)
{
    return store->ctx;
}

static eas_err_t *st_open(eas_db_t **out, eas_store_t *store, const char *user, const char *device,
                          apr_pool_t *pool)
{
    fx_t *fx = fx_of(store);
    eas_db_t *db = apr_pcalloc(pool, sizeof(*db));
    eas_err_t *err = fx->memory->v->open(&db->inner, fx->memory, user, device, pool);

    *out = NULL;
    if (err)
        return err;
    db->fx = fx;
    db->pool = pool;
    db->queue = apr_array_make(pool, 8, sizeof(queued_t));
    *out = db;
    return NULL;
}

static eas_err_t *st_get(const void **val, apr_size_t *len, eas_db_t *db, const char *key,
                         apr_pool_t *pool)
{
    for (int i = db->queue->nelts; i-- > 0;) {
        const queued_t *q = &APR_ARRAY_IDX(db->queue, i, queued_t);
        if (strcmp(q->key, key) == 0) {
            *val = q->val;
            *len = q->len;
            return NULL;
        }
    }
    return db->fx->memory->v->get(val, len, db->inner, key, pool);
}

static void st_put(eas_db_t *db, const char *key, const void *val, apr_size_t len)
{
    queued_t q = {apr_pstrdup(db->pool, key), val ? apr_pmemdup(db->pool, val, len + !len) : NULL,
                  len};

    db->fx->calls.puts++;
    db->fx->calls.chunk_puts += val && key[0] == 'm';
    APR_ARRAY_PUSH(db->queue, queued_t) = q;
}

static eas_err_t *st_sync(eas_db_t *db)
{
    fx_t *fx = db->fx;
    int n = db->queue->nelts;
    eas_err_t *err;

    fx->died = fx->die_after >= 0 && n > 0;
    if (fx->died && fx->die_after < n)
        n = fx->die_after;
    fx->calls.syncs += n > 0;
    for (int i = 0; i < n; i++) {
        const queued_t *q = &APR_ARRAY_IDX(db->queue, i, queued_t);
        fx->memory->v->put(db->inner, q->key, q->val, q->len);
    }
    apr_array_clear(db->queue);
    err = fx->memory->v->sync(db->inner);
    if (!err && fx->died)
        err = eas_err_create(db->pool, EAS_E_UNAVAILABLE, "fixture", "died while writing");
    return err;
}

static void st_close(eas_db_t *db)
{
    db->fx->memory->v->close(db->inner);
}

static eas_err_t *st_each(eas_db_t *db, const char *prefix, eas_row_fn fn, void *baton)
{
    db->fx->calls.each++;
    return db->fx->memory->v->each(db->inner, prefix, fn, baton);
}

static eas_err_t *st_drop(eas_store_t *store, const char *user, const char *device,
                          apr_pool_t *pool)
{
    return fx_of(store)->memory->v->drop(fx_of(store)->memory, user, device, pool);
}

static eas_err_t *st_devices(eas_store_t *store, const char *user, eas_device_fn fn, void *baton,
                             apr_pool_t *pool)
{
    return fx_of(store)->memory->v->devices(fx_of(store)->memory, user, fn, baton, pool);
}

static eas_err_t *st_lease(eas_lease_t **lease, eas_store_t *store, const char *name,
                           apr_interval_time_t wait, apr_pool_t *pool)
{
    return fx_of(store)->memory->v->lease(lease, fx_of(store)->memory, name, wait, pool);
}

static void st_release(eas_lease_t *lease);

static eas_err_t *st_recall(const void **val, apr_size_t *len, eas_store_t *store, const char *area,
                            const char *name, apr_pool_t *pool)
{
    return fx_of(store)->memory->v->recall(val, len, fx_of(store)->memory, area, name, pool);
}

static eas_err_t *st_keep(eas_store_t *store, const char *area, const char *name, const void *val,
                          apr_size_t len, apr_pool_t *pool)
{
    fx_of(store)->calls.keeps++;
    return fx_of(store)->memory->v->keep(fx_of(store)->memory, area, name, val, len, pool);
}

static const eas_store_vtable_t store_table = {.name = "fixture",
                                               .open = st_open,
                                               .get = st_get,
                                               .put = st_put,
                                               .sync = st_sync,
                                               .close = st_close,
                                               .each = st_each,
                                               .drop = st_drop,
                                               .devices = st_devices,
                                               .lease = st_lease,
                                               .release = st_release,
                                               .recall = st_recall,
                                               .keep = st_keep};

static void (*release_inner)(eas_lease_t *lease);

static void st_release(eas_lease_t *lease)
{
    release_inner(lease);
}

/* ---- the world ---- */

fx_t *fx_create(apr_pool_t *pool)
{
    fx_t *fx = apr_pcalloc(pool, sizeof(*fx));

    fx->pool = pool;
    OK(eas_store_memory_create(&fx->memory, pool));
    release_inner = fx->memory->v->release;
    fx->store = (eas_store_t){.v = &store_table, .ctx = fx};
    fx->cache = eas_mem_cache_create(pool);
    fx->be = (eas_backend_t){.name = "ox.example.org",
                             .session = &session_group,
                             .folders = &folders_group,
                             .mail = &mail_group,
                             .ctx = fx};
    fx->who = (eas_identity_t){"ox.example.org", "1", "7"};
    fx->session = apr_pcalloc(pool, sizeof(*fx->session));
    fx->session->fx = fx;
    fx->device = "phone1";
    fx->visible = EAS_MF_SEEN | EAS_MF_FLAGGED | EAS_MF_ANSWERED | EAS_MF_FORWARDED;
    fx->cfg = (eas_sync_cfg_t){.be = &fx->be,
                               .store = &fx->store,
                               .cache = fx->cache,
                               .max_devices = 3,
                               .lease_wait = apr_time_from_msec(50),
                               .flag_peek = apr_time_from_sec(60),
                               .flag_refresh = apr_time_from_sec(900)};
    fx->die_after = -1;
    fx->fail_kind = EAS_E_UNAVAILABLE;
    memcpy(fx->hkey, "0", 2);
    return fx;
}

static void fx_free(fx_t *fx)
{
    for (int i = 0; i < fx->nfolders; i++)
        free(fx->folders[i].mails);
    for (fx_phone_t *ph = fx->phones; ph; ph = ph->next)
        free(ph->has);
}

int fx_setup(void **state)
{
    if (pool_setup(state))
        return 1;
    eas_clock_shift(0);
    *state = fx_create(*state);
    return 0;
}

int fx_teardown(void **state)
{
    fx_t *fx = *state;

    fx_free(fx);
    eas_clock_shift(0);
    *state = fx->pool;
    return pool_teardown(state);
}

void fx_reset(fx_t *fx)
{
    memset(&fx->calls, 0, sizeof(fx->calls));
}

eas_state_t *fx_open(fx_t *fx, apr_pool_t *pool)
{
    eas_state_t *st = NULL;

    OK(eas_state_open(&st, &fx->cfg, &fx->who, fx->device, pool));
    return st;
}

int fx_hierarchy(fx_t *fx)
{
    for (int round = 1;; round++) {
        const eas_hchange_t *changes;
        const char *key;
        int count, status;
        apr_pool_t *pool;

        assert_true(round < 10);
        apr_pool_create(&pool, fx->pool);
        eas_state_t *st = fx_open(fx, pool);
        OK(eas_hierarchy_sync(&key, &changes, &count, &status, st, fx->session, fx->hkey, pool));
        if (status == 9) {
            memcpy(fx->hkey, "0", 2);
        } else {
            int same = strcmp(key, fx->hkey) == 0;
            OK(eas_state_commit(st));
            apr_cpystrn(fx->hkey, key, sizeof(fx->hkey));
            if (same)
                round = -round;
        }
        eas_state_close(st);
        apr_pool_destroy(pool);
        if (round < 0)
            return -round;
    }
}

/* ---- the phone ---- */

fx_phone_t *fx_phone(fx_t *fx, const char *cid)
{
    fx_phone_t *ph = apr_pcalloc(fx->pool, sizeof(*ph));

    ph->cid = apr_pstrdup(fx->pool, cid);
    memcpy(ph->key, "0", 2);
    ph->next = fx->phones;
    fx->phones = ph;
    return ph;
}

static unsigned char *slot(fx_phone_t *ph, apr_uint32_t uid)
{
    if (uid >= ph->cap) {
        apr_uint32_t cap = (uid + 1024) & ~(apr_uint32_t)1023;
        ph->has = realloc(ph->has, cap);
        assert_non_null(ph->has);
        memset(ph->has + ph->cap, 0, cap - ph->cap);
        ph->cap = cap;
    }
    return &ph->has[uid];
}

int fx_phone_has(const fx_phone_t *ph, apr_uint32_t uid)
{
    return uid < ph->cap && ph->has[uid];
}

static void forget(fx_phone_t *ph)
{
    if (ph->cap)
        memset(ph->has, 0, ph->cap);
    ph->count = 0;
    ph->npending = 0;
    memcpy(ph->key, "0", 2);
}

void fx_command(fx_t *fx, fx_phone_t *ph, eas_cop_t op, apr_uint32_t uid, unsigned set,
                unsigned clear)
{
    assert_true(ph->npending < 32);
    ph->pending[ph->npending++] = (fx_command_t){
        .uid = uid, .op = op, .set = set, .clear = clear, .serial = ++fx->watch};
}

/* The phone takes a change of the answer. */
static void take(fx_phone_t *ph, const eas_change_t *c, unsigned visible)
{
    unsigned char *s = slot(ph, c->uid);

    switch (c->op) {
    case EAS_OP_ADD:
        if (*s)
            fail_msg("%s: Add of %u which the phone has", ph->cid, c->uid);
        *s = (unsigned char)(0x80 | (c->flags & visible));
        ph->count++;
        return;
    case EAS_OP_CHANGE:
        if (!*s)
            fail_msg("%s: Change of %u which the phone does not have", ph->cid, c->uid);
        if (!(c->changed & visible))
            fail_msg("%s: Change of %u without any", ph->cid, c->uid);
        if (((*s ^ c->flags) & visible) != (c->changed & visible))
            fail_msg("%s: Change of %u: phone %x, server %x, said %x", ph->cid, c->uid, *s,
                     c->flags, c->changed);
        *s = (unsigned char)(0x80 | (c->flags & visible));
        return;
    default:
        if (!*s)
            fail_msg("%s: Delete of %u which the phone does not have", ph->cid, c->uid);
        *s = 0;
        ph->count--;
    }
}

/* The phone knows that its commands arrived: what it did to its copy stands. */
static void settle_pending(fx_phone_t *ph)
{
    for (int i = 0; i < ph->npending; i++) {
        const fx_command_t *c = &ph->pending[i];
        unsigned char *s = slot(ph, c->uid);
        if (!*s)
            continue;
        if (c->op == EAS_C_DELETE) {
            *s = 0;
            ph->count--;
        } else {
            *s = (unsigned char)((*s | c->set) & ~c->clear);
        }
    }
    ph->npending = 0;
}

static void make_commands(eas_ccmd_t *cmds, fx_phone_t *ph, apr_pool_t *pool)
{
    for (int i = 0; i < ph->npending; i++) {
        fx_command_t *c = &ph->pending[i];
        cmds[i] = (eas_ccmd_t){.op = c->op,
                               .id = apr_psprintf(pool, "%s:%u", ph->cid, c->uid),
                               .set = (apr_uint16_t)c->set,
                               .clear = (apr_uint16_t)c->clear,
                               .status = 1};
        memcpy(cmds[i].digest, &c->serial, sizeof(c->serial));
        c->tries++;
    }
}

/* What the command does between open and commit. */
static eas_err_t *work(fx_result_t *r, const char **key, const eas_change_t **changes, int *count,
                       eas_ccmd_t *cmds, fx_t *fx, fx_phone_t *ph, const fx_opts_t *o,
                       eas_coll_t *coll, apr_pool_t *pool)
{
    eas_err_t *err;

    *count = 0;
    eas_coll_set_view(coll, ph->filter, fx->visible);
    if (!eas_coll_initial(coll)) {
        make_commands(cmds, ph, pool);
        err = eas_coll_commands(coll, cmds, ph->npending, o->hard, fx->session);
        if (err)
            return err;
        if (!o->no_changes) {
            if ((err = eas_coll_refresh(coll, fx->session)))
                return err;
            r->pending = (int)eas_coll_pending(coll);
            err = eas_coll_pick(changes, count, &r->more, coll,
                                o->window < 0 ? 0 : o->window ? o->window : 100, pool);
            if (err)
                return err;
        }
        if (o->stop)
            return eas_err_create(pool, EAS_E_UNAVAILABLE, "fixture", "stopped");
        for (int i = 0; i < *count; i++) {
            if (o->vanish && (*changes)[i].op == EAS_OP_ADD && i % o->vanish == 0) {
                fx_folder_t *f = fx_find_folder(fx, ph->folder);
                if (f)
                    fx_delete(f, (*changes)[i].uid);
                eas_coll_vanished(coll, &(*changes)[i]);
            } else
                eas_coll_sent(coll, &(*changes)[i]);
        }
    }
    return eas_coll_finish(key, coll);
}

/* The answer arrives. */
static void arrive(fx_result_t *r, fx_t *fx, fx_phone_t *ph, const char *key,
                   const eas_change_t *changes, int count, const fx_opts_t *o)
{
    if (strcmp(ph->key, "0") == 0)
        forget(ph);
    settle_pending(ph);
    for (int i = 0; i < count; i++) {
        if (o->vanish && changes[i].op == EAS_OP_ADD && i % o->vanish == 0)
            continue;
        take(ph, &changes[i], fx->visible);
    }
    r->same_key = strcmp(ph->key, key) == 0;
    apr_cpystrn(ph->key, key, sizeof(ph->key));
}

static void count_changes(fx_result_t *r, const eas_change_t *changes, int count)
{
    for (int i = 0; i < count; i++) {
        r->adds += changes[i].op == EAS_OP_ADD;
        r->changes += changes[i].op == EAS_OP_CHANGE;
        r->deletes += changes[i].op == EAS_OP_DELETE;
        r->softs += changes[i].op == EAS_OP_SOFTDELETE;
        r->suspects += changes[i].suspect;
    }
}

fx_result_t fx_sync(fx_t *fx, fx_phone_t *ph, const fx_opts_t *o)
{
    fx_result_t r = {0};
    const eas_change_t *changes = NULL;
    eas_ccmd_t cmds[32];
    eas_coll_t *coll = NULL;
    const char *key = NULL;
    int count = 0;
    apr_pool_t *pool;
    eas_err_t *err;

    fx->died = 0;
    apr_pool_create(&pool, fx->pool);
    eas_state_t *st = fx_open(fx, pool);
    err = eas_coll_open(&coll, &r.status, st, ph->cid, ph->key, pool);
    if (!err && coll) {
        r.replayed = eas_coll_replayed(coll);
        apr_cpystrn(ph->folder, eas_coll_folder(coll)->oxid, sizeof(ph->folder));
        err = work(&r, &key, &changes, &count, cmds, fx, ph, o, coll, pool);
    }
    if (!err && coll)
        err = eas_state_commit(st);
    eas_state_close(st);
    if (err) {
        r.error = err->kind;
        r.status = err->kind == EAS_E_GONE || err->kind == EAS_E_STATE ? 3 : 0;
    }
    if (r.status == 1) {
        count_changes(&r, changes, count);
        for (int i = 0; i < ph->npending; i++)
            r.cmd_status[i] = cmds[i].status;
        if (!o->lose)
            arrive(&r, fx, ph, key, changes, count, o);
    } else if (r.status == 3) {
        forget(ph);
        ph->resyncs++;
    }
    apr_pool_destroy(pool);
    return r;
}

int fx_quiet(fx_t *fx, fx_phone_t *ph, int most)
{
    for (int round = 1;; round++) {
        fx_result_t r = fx_sync(fx, ph, &(fx_opts_t){.window = 512});
        if (round > most)
            fail_msg("%s: not quiet after %d rounds", ph->cid, most);
        if (r.status == 1 && r.same_key && !r.more)
            return round;
    }
}

int fx_estimate(fx_t *fx, fx_phone_t *ph, int filter)
{
    eas_coll_t *coll;
    int status, pending = -1;
    apr_pool_t *pool;

    apr_pool_create(&pool, fx->pool);
    eas_state_t *st = fx_open(fx, pool);
    OK(eas_coll_open(&coll, &status, st, ph->cid, ph->key, pool));
    if (coll) {
        eas_coll_set_view(coll, filter, fx->visible);
        if (!eas_coll_refresh(coll, fx->session))
            pending = (int)eas_coll_pending(coll);
    }
    eas_state_close(st);
    apr_pool_destroy(pool);
    return pending;
}

void fx_same(fx_t *fx, fx_phone_t *ph)
{
    const eas_hfolder_t *folder;
    apr_uint32_t cutoff = mail_cutoff(ph->filter);
    fx_folder_t *f;
    int n = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, fx->pool);
    eas_state_t *st = fx_open(fx, pool);
    OK(eas_hierarchy_find(&folder, st, ph->cid, pool));
    assert_non_null(folder);
    f = fx_find_folder(fx, folder->oxid);
    assert_non_null(f);
    for (int i = 0; i < f->n; i++) {
        const fx_mail_t *m = &f->mails[i];
        if (m->received < cutoff)
            continue;
        n++;
        if (!fx_phone_has(ph, m->uid))
            fail_msg("%s: the phone lacks %u", ph->cid, m->uid);
        if ((ph->has[m->uid] ^ m->flags) & fx->visible)
            fail_msg("%s: flags of %u: phone %x, server %x", ph->cid, m->uid, ph->has[m->uid],
                     m->flags);
    }
    if (n != ph->count)
        fail_msg("%s: the phone has %d mails, the server shows %d", ph->cid, ph->count, n);
    eas_state_close(st);
    apr_pool_destroy(pool);
}
