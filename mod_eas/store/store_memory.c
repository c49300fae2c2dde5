/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_store_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "store_int.h"

typedef struct value_t {
    apr_size_t len;
    char data[];
} value_t;

typedef struct device_t {
    char hash[EAS_STORE_HASH_LEN + 1];
    const char *user;
    apr_pool_t *pool; /* keys and table; values are malloc'ed */
    apr_hash_t *rows; /* key -> value_t */
    int damaged;
} device_t;

typedef struct store_mem_t {
    eas_store_t store;
    apr_pool_t *pool;     /* used under lock only */
    pthread_mutex_t lock; /* guards all below */
    apr_hash_t *devices;  /* "<user>\n<device>" -> device_t */
    apr_hash_t *kept;     /* "<area>\n<name>" -> value_t */
    eas_lease_table_t *leases;
} store_mem_t;

typedef struct queued_t {
    const char *key;
    const value_t *val; /* NULL: delete */
} queued_t;

struct eas_db_t {
    store_mem_t *s;
    apr_pool_t *pool;
    const char *user, *device;
    apr_array_header_t *queue;
};

static value_t *value(const void *data, apr_size_t len)
{
    value_t *v = malloc(sizeof(*v) + len + 1);
    if (!v)
        abort();
    v->len = len;
    if (len)
        memcpy(v->data, data, len);
    v->data[len] = '\0';
    return v;
}

static void set(apr_hash_t *table, const char *key, value_t *v, apr_pool_t *pool)
{
    value_t *old = apr_hash_get(table, key, APR_HASH_KEY_STRING);

    if (old || v)
        apr_hash_set(table, old ? key : apr_pstrdup(pool, key), APR_HASH_KEY_STRING, v);
    free(old);
}

static void free_values(apr_hash_t *table, apr_pool_t *pool)
{
    for (apr_hash_index_t *hi = apr_hash_first(pool, table); hi; hi = apr_hash_next(hi)) {
        void *v;
        apr_hash_this(hi, NULL, NULL, &v);
        free(v);
    }
}

static const void *copy(const value_t *v, apr_size_t *len, apr_pool_t *pool)
{
    *len = v ? v->len : 0;
    return v ? apr_pmemdup(pool, v->data, v->len + 1) : NULL;
}

/* Lock is held. */
static device_t *find(store_mem_t *s, const char *user, const char *device, int make)
{
    apr_pool_t *tmp;
    device_t *d;

    apr_pool_create(&tmp, s->pool);
    const char *name = apr_pstrcat(tmp, user, "\n", device, NULL);
    d = apr_hash_get(s->devices, name, APR_HASH_KEY_STRING);
    if (!d && make) {
        d = apr_pcalloc(s->pool, sizeof(*d));
        eas_store_hash(d->hash, device);
        d->user = apr_pstrdup(s->pool, user);
        apr_pool_create(&d->pool, s->pool);
        d->rows = apr_hash_make(d->pool);
        apr_hash_set(s->devices, apr_pstrdup(s->pool, name), APR_HASH_KEY_STRING, d);
    }
    apr_pool_destroy(tmp);
    return d;
}

static void empty(device_t *d)
{
    free_values(d->rows, d->pool);
    apr_pool_clear(d->pool);
    d->rows = apr_hash_make(d->pool);
}

static eas_err_t *mem_open(eas_db_t **out, eas_store_t *store, const char *user, const char *device,
                           apr_pool_t *pool)
{
    store_mem_t *s = store->ctx;
    apr_pool_t *own;
    device_t *d;
    int damaged;

    *out = NULL;
    pthread_mutex_lock(&s->lock);
    d = find(s, user, device, 0);
    damaged = d && d->damaged;
    if (damaged) {
        empty(d);
        d->damaged = 0;
    }
    pthread_mutex_unlock(&s->lock);
    if (damaged)
        return eas_err_create(pool, EAS_E_STATE, "store", "the state was damaged");
    apr_pool_create(&own, pool);
    eas_db_t *db = apr_pcalloc(own, sizeof(*db));
    *db = (eas_db_t){.s = s,
                     .pool = own,
                     .user = apr_pstrdup(own, user),
                     .device = apr_pstrdup(own, device),
                     .queue = apr_array_make(own, 8, sizeof(queued_t))};
    *out = db;
    return NULL;
}

/* The newest queued write of a key, at or after @a from. */
static const queued_t *find_queued(const eas_db_t *db, const char *key, int from)
{
    for (int i = db->queue->nelts; i-- > from;)
        if (strcmp(APR_ARRAY_IDX(db->queue, i, queued_t).key, key) == 0)
            return &APR_ARRAY_IDX(db->queue, i, queued_t);
    return NULL;
}

static eas_err_t *mem_get(const void **val, apr_size_t *len, eas_db_t *db, const char *key,
                          apr_pool_t *pool)
{
    const queued_t *q = find_queued(db, key, 0);
    device_t *d;

    if (q) {
        *val = copy(q->val, len, pool);
        return NULL;
    }
    pthread_mutex_lock(&db->s->lock);
    d = find(db->s, db->user, db->device, 0);
    *val = copy(d ? apr_hash_get(d->rows, key, APR_HASH_KEY_STRING) : NULL, len, pool);
    pthread_mutex_unlock(&db->s->lock);
    return NULL;
}

static void mem_put(eas_db_t *db, const char *key, const void *val, apr_size_t len)
{
    queued_t q = {apr_pstrdup(db->pool, key), NULL};

    if (val) {
        value_t *v = apr_palloc(db->pool, sizeof(*v) + len + 1);
        v->len = len;
        if (len)
            memcpy(v->data, val, len);
        v->data[len] = '\0';
        q.val = v;
    }
    APR_ARRAY_PUSH(db->queue, queued_t) = q;
}

static eas_err_t *mem_sync(eas_db_t *db)
{
    if (!db->queue->nelts)
        return NULL;
    pthread_mutex_lock(&db->s->lock);
    device_t *d = find(db->s, db->user, db->device, 1);
    for (int i = 0; i < db->queue->nelts; i++) {
        const queued_t *q = &APR_ARRAY_IDX(db->queue, i, queued_t);
        set(d->rows, q->key, q->val ? value(q->val->data, q->val->len) : NULL, d->pool);
    }
    pthread_mutex_unlock(&db->s->lock);
    apr_array_clear(db->queue);
    return NULL;
}

static void mem_close(eas_db_t *db)
{
    if (db)
        apr_pool_destroy(db->pool);
}

static eas_err_t *mem_each(eas_db_t *db, const char *prefix, eas_row_fn fn, void *baton)
{
    apr_size_t n = strlen(prefix);
    int queued = db->queue->nelts, stop = 0;
    apr_array_header_t *rows = apr_array_make(db->pool, 16, sizeof(queued_t));

    /* copied, because the callback may call the store */
    pthread_mutex_lock(&db->s->lock);
    device_t *d = find(db->s, db->user, db->device, 0);
    for (apr_hash_index_t *hi = d ? apr_hash_first(db->pool, d->rows) : NULL; hi;
         hi = apr_hash_next(hi)) {
        const void *key;
        void *val;
        apr_hash_this(hi, &key, NULL, &val);
        if (strncmp(key, prefix, n) == 0 && !find_queued(db, key, 0)) {
            const value_t *v = val;
            APR_ARRAY_PUSH(rows, queued_t) = (queued_t){
                apr_pstrdup(db->pool, key), apr_pmemdup(db->pool, v, sizeof(*v) + v->len + 1)};
        }
    }
    pthread_mutex_unlock(&db->s->lock);
    for (int i = 0; i < queued; i++) {
        queued_t q = APR_ARRAY_IDX(db->queue, i, queued_t);
        if (q.val && strncmp(q.key, prefix, n) == 0 &&
            find_queued(db, q.key, 0) == &APR_ARRAY_IDX(db->queue, i, queued_t))
            APR_ARRAY_PUSH(rows, queued_t) = q;
    }
    for (int i = 0; i < rows->nelts && !stop; i++) {
        const queued_t *q = &APR_ARRAY_IDX(rows, i, queued_t);
        stop = fn(baton, q->key, q->val->data, q->val->len);
    }
    return NULL;
}

static eas_err_t *mem_drop(eas_store_t *store, const char *user, const char *device,
                           apr_pool_t *scratch_pool)
{
    store_mem_t *s = store->ctx;

    pthread_mutex_lock(&s->lock);
    device_t *d = find(s, user, device, 0);
    if (d) {
        empty(d);
        d->damaged = 0;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static eas_err_t *mem_devices(eas_store_t *store, const char *user, eas_device_fn fn, void *baton,
                              apr_pool_t *pool)
{
    store_mem_t *s = store->ctx;
    apr_array_header_t *found = apr_array_make(pool, 8, sizeof(const char *));

    pthread_mutex_lock(&s->lock);
    for (apr_hash_index_t *hi = apr_hash_first(pool, s->devices); hi; hi = apr_hash_next(hi)) {
        void *v;
        apr_hash_this(hi, NULL, NULL, &v);
        const device_t *d = v;
        if (strcmp(d->user, user) == 0 && apr_hash_count(d->rows))
            APR_ARRAY_PUSH(found, const char *) = apr_pstrdup(pool, d->hash);
    }
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < found->nelts; i++)
        if (fn(baton, APR_ARRAY_IDX(found, i, const char *)))
            break;
    return NULL;
}

static eas_err_t *mem_lease(eas_lease_t **lease, eas_store_t *store, const char *name,
                            apr_interval_time_t wait, apr_pool_t *pool)
{
    store_mem_t *s = store->ctx;
    return eas_lease_take(lease, s->leases, name, wait, pool);
}

static eas_err_t *mem_recall(const void **val, apr_size_t *len, eas_store_t *store,
                             const char *area, const char *name, apr_pool_t *pool)
{
    store_mem_t *s = store->ctx;
    const char *key = apr_pstrcat(pool, area, "\n", name, NULL);

    pthread_mutex_lock(&s->lock);
    *val = copy(apr_hash_get(s->kept, key, APR_HASH_KEY_STRING), len, pool);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static eas_err_t *mem_keep(eas_store_t *store, const char *area, const char *name, const void *val,
                           apr_size_t len, apr_pool_t *scratch_pool)
{
    store_mem_t *s = store->ctx;
    const char *key = apr_pstrcat(scratch_pool, area, "\n", name, NULL);

    pthread_mutex_lock(&s->lock);
    set(s->kept, key, val ? value(val, len) : NULL, s->pool);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static const eas_store_vtable_t vtable = {
    .name = "memory",
    .open = mem_open,
    .get = mem_get,
    .put = mem_put,
    .sync = mem_sync,
    .close = mem_close,
    .each = mem_each,
    .drop = mem_drop,
    .devices = mem_devices,
    .lease = mem_lease,
    .release = eas_lease_release,
    .recall = mem_recall,
    .keep = mem_keep,
};

static apr_status_t end_store(void *data)
{
    store_mem_t *s = data;

    for (apr_hash_index_t *hi = apr_hash_first(s->pool, s->devices); hi; hi = apr_hash_next(hi)) {
        void *v;
        apr_hash_this(hi, NULL, NULL, &v);
        free_values(((device_t *)v)->rows, s->pool);
    }
    free_values(s->kept, s->pool);
    pthread_mutex_destroy(&s->lock);
    return APR_SUCCESS;
}

eas_err_t *eas_store_memory_create(eas_store_t **store, apr_pool_t *pool)
{
    store_mem_t *s = apr_pcalloc(pool, sizeof(*s));

    apr_pool_create(&s->pool, pool);
    pthread_mutex_init(&s->lock, NULL);
    s->devices = apr_hash_make(s->pool);
    s->kept = apr_hash_make(s->pool);
    s->leases = eas_lease_table_create(NULL, pool);
    s->store.v = &vtable;
    s->store.ctx = s;
    apr_pool_pre_cleanup_register(pool, s, end_store);
    *store = &s->store;
    return NULL;
}

void eas_store_memory_damage(eas_store_t *store, const char *user, const char *device)
{
    store_mem_t *s = store->ctx;

    pthread_mutex_lock(&s->lock);
    find(s, user, device, 1)->damaged = 1;
    pthread_mutex_unlock(&s->lock);
}
