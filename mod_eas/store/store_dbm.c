/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_store_dbm.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "eas_failpoint.h"
#include "store_int.h"

/* Keys that begin with byte 1 are ours: "\1f" the format, "\1k0".."\1kf" the inventory.
 *
 * gdbm keeps no checksums: a damaged block makes rows vanish as if they had never been. So each row
 * lies in an envelope with a check over key and value, and the inventory lists the hashes of all
 * keys, in 16 parts; a row that is listed but not found is damage, not absence. The format row,
 * which every file has, says which parts there are. */
#define TAG "store"
#define FORMAT_KEY "\1f"
#define FORMAT_VERSION 1
#define FORMAT_LEN 3 /* version, 16 bits: inventory parts that are there */
#define PARTS 16
#define KEY_MAX_BYTES 512
#define VALUE_MAX (16 * 1024 * 1024)

typedef struct store_dbm_t {
    eas_store_t store;
    const char *dir;
    eas_lease_table_t *leases;
} store_dbm_t;

typedef struct queued_t {
    const char *key;
    const unsigned char *data; /* envelope and value; NULL: delete */
    apr_size_t len;
} queued_t;

/* One sixteenth of the key hashes. */
typedef struct part_t {
    apr_uint64_t *keys;
    int count, cap;
    unsigned loaded : 1, dirty : 1;
} part_t;

struct eas_db_t {
    eas_dbm_file_t file;
    apr_pool_t *pool;     /* the handle's own */
    apr_pool_t *err_pool; /* the caller's: errors of sync() outlive close() */
    apr_pool_t *dbm_pool; /* cleared when the file is closed */
    apr_dbm_t *dbm;       /* open for reading, or NULL */
    int absent;           /* looked: there is no file */
    apr_array_header_t *queue;
    apr_hash_t *newest; /* key -> queued_t index + 1 */
    apr_size_t queued_bytes;
    eas_err_t *bad_put;
    part_t parts[PARTS];
    unsigned listed; /* parts in the file, one bit each */
};

/* --- rows ------------------------------------------------------------------------------------- */

static apr_datum_t datum(const void *p, apr_size_t len)
{
    return (apr_datum_t){(char *)p, len};
}

static void close_dbm(eas_db_t *db)
{
    if (db->dbm)
        apr_dbm_close(db->dbm);
    db->dbm = NULL;
    apr_pool_clear(db->dbm_pool);
}

static eas_err_t *damage(eas_db_t *db, const char *why, apr_pool_t *pool)
{
    eas_err_t *err = eas_dbm_set_aside(&db->file, why, pool);
    close_dbm(db); /* only now: until here gdbm's lock kept writers out */
    db->absent = 1;
    memset(db->parts, 0, sizeof(db->parts));
    return err;
}

/* Reads a row that is there; *val NULL when gdbm has none. The value is in @a pool. */
static eas_err_t *fetch(const void **val, apr_size_t *len, eas_db_t *db, apr_dbm_t *dbm,
                        const char *key, apr_pool_t *pool)
{
    apr_datum_t row = {NULL, 0};
    apr_status_t rv = apr_dbm_fetch(dbm, datum(key, strlen(key)), &row);
    eas_envelope_t env;
    char *copy;

    *val = NULL;
    *len = 0;
    if (rv != APR_SUCCESS && !eas_dbm_is_not_found(rv))
        return damage(db, "a row does not read", pool);
    if (!row.dptr)
        return NULL;
    env = eas_envelope_open(val, len, key, row.dptr, row.dsize);
    if (env == EAS_ENV_OK) {
        copy = apr_palloc(pool, *len + 1);
        memcpy(copy, *val, *len);
        copy[*len] = '\0';
        *val = copy;
    }
    apr_dbm_freedatum(dbm, row);
    if (env == EAS_ENV_NEWER)
        return eas_err_create(pool, EAS_E_NEWER, TAG, "a row of a later version");
    return env == EAS_ENV_OK ? NULL : damage(db, "a row fails its check", pool);
}

/* The row that every file has. */
static eas_err_t *check_format(eas_db_t *db, apr_dbm_t *dbm, apr_pool_t *pool)
{
    const void *val;
    const unsigned char *p;
    apr_size_t len;
    eas_err_t *err = fetch(&val, &len, db, dbm, FORMAT_KEY, pool);

    if (err)
        return err;
    p = val;
    if (len && p[0] > FORMAT_VERSION)
        return eas_err_create(pool, EAS_E_NEWER, TAG, "a state file of a later version");
    if (len != FORMAT_LEN)
        return damage(db, "it has no format row", pool);
    db->listed = p[1] | (unsigned)p[2] << 8;
    return NULL;
}

/* --- inventory -------------------------------------------------------------------------------- */

static const char *part_key(char key[4], int n)
{
    key[0] = '\1';
    key[1] = 'k';
    key[2] = "0123456789abcdef"[n];
    key[3] = '\0';
    return key;
}

static apr_uint64_t key_hash(const char *key)
{
    return eas_store_mix(0, key, strlen(key));
}

static eas_err_t *load_part(part_t **out, eas_db_t *db, apr_dbm_t *dbm, int n, apr_pool_t *pool)
{
    part_t *part = &db->parts[n];
    const void *val;
    apr_size_t len;
    char key[4];
    eas_err_t *err;

    *out = part;
    if (part->loaded)
        return NULL;
    if ((err = fetch(&val, &len, db, dbm, part_key(key, n), pool)))
        return err;
    if (len % 8 || (!val && db->listed & 1u << n))
        return damage(db, "its inventory is not whole", pool);
    part->count = (int)(len / 8);
    part->cap = part->count + 8;
    part->keys = apr_palloc(db->pool, part->cap * 8);
    for (int i = 0; i < part->count; i++) {
        const unsigned char *p = (const unsigned char *)val + 8 * i;
        part->keys[i] = 0;
        for (int b = 0; b < 8; b++)
            part->keys[i] |= (apr_uint64_t)p[b] << (8 * b);
    }
    part->loaded = 1;
    return NULL;
}

static int find_key(const part_t *part, apr_uint64_t hash)
{
    int i = 0;
    while (i < part->count && part->keys[i] != hash)
        i++;
    return i < part->count ? i : -1;
}

static void add_key(part_t *part, apr_uint64_t hash, apr_pool_t *pool)
{
    if (part->count == part->cap) {
        apr_uint64_t *grown = apr_palloc(pool, 2 * part->cap * sizeof(*grown));
        memcpy(grown, part->keys, part->count * sizeof(*grown));
        part->keys = grown;
        part->cap *= 2;
    }
    part->keys[part->count++] = hash;
    part->dirty = 1;
}

static eas_err_t *list_row(eas_db_t *db, apr_dbm_t *dbm, const char *key, int there,
                           apr_pool_t *pool)
{
    apr_uint64_t hash = key_hash(key);
    part_t *part;
    eas_err_t *err = load_part(&part, db, dbm, (int)(hash >> 60), pool);
    int at;

    if (err)
        return err;
    at = find_key(part, hash);
    if (there && at < 0) {
        add_key(part, hash, db->pool);
    } else if (!there && at >= 0) {
        part->keys[at] = part->keys[--part->count];
        part->dirty = 1;
    }
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static eas_err_t *need_reader(eas_db_t *db, apr_pool_t *pool)
{
    eas_err_t *err;

    if (db->dbm || db->absent)
        return NULL;
    if ((err = eas_dbm_read(&db->dbm, &db->file, db->dbm_pool, pool)))
        return err;
    if (!db->dbm)
        db->absent = 1;
    return db->dbm ? check_format(db, db->dbm, pool) : NULL;
}

static const queued_t *find_queued(const eas_db_t *db, const char *key)
{
    void *n = db->newest ? apr_hash_get(db->newest, key, APR_HASH_KEY_STRING) : NULL;
    return n ? &APR_ARRAY_IDX(db->queue, (int)((apr_size_t)n - 1), queued_t) : NULL;
}

static eas_err_t *dbm_get(const void **val, apr_size_t *len, eas_db_t *db, const char *key,
                          apr_pool_t *pool)
{
    const queued_t *q = find_queued(db, key);
    eas_err_t *err;
    part_t *part;
    apr_uint64_t hash;

    *val = NULL;
    *len = 0;
    if (q) {
        if (q->data) {
            *len = q->len - EAS_ENVELOPE_LEN;
            char *copy = apr_palloc(pool, *len + 1);
            memcpy(copy, q->data + EAS_ENVELOPE_LEN, *len);
            copy[*len] = '\0';
            *val = copy;
        }
        return NULL;
    }
    if ((err = need_reader(db, pool)) || db->absent)
        return err;
    if ((err = fetch(val, len, db, db->dbm, key, pool)) || *val)
        return err;
    hash = key_hash(key);
    if ((err = load_part(&part, db, db->dbm, (int)(hash >> 60), pool)))
        return err;
    return find_key(part, hash) >= 0 ? damage(db, "a row is missing", pool) : NULL;
}

/* Rows of the file that no queued write replaces. *rows counts them all. */
static eas_err_t *each_stored(int *rows, int *stop, eas_db_t *db, const char *prefix, eas_row_fn fn,
                              void *baton, apr_pool_t *pool)
{
    apr_datum_t at = {NULL, 0};
    apr_status_t rv = apr_dbm_firstkey(db->dbm, &at);
    apr_pool_t *iterpool;
    eas_err_t *err = NULL;

    apr_pool_create(&iterpool, pool);
    *rows = 0;
    while (rv == APR_SUCCESS && at.dptr && !*stop && !err) {
        const char *key = apr_pstrmemdup(iterpool, at.dptr, at.dsize);
        apr_datum_t before = at;
        if (*key != '\1') {
            const void *val;
            apr_size_t len;
            ++*rows;
            if (strncmp(key, prefix, strlen(prefix)) == 0 && !find_queued(db, key)) {
                err = fetch(&val, &len, db, db->dbm, key, iterpool);
                if (err) /* it lies in iterpool, which ends with the handle */
                    err = eas_err_create(db->err_pool, err->kind, TAG, "cannot list rows: %s",
                                         eas_err_chain(err, iterpool));
                else if (val)
                    *stop = fn(baton, key, val, len);
            }
        }
        if (!err) { /* else the file is closed, and the keys with it */
            rv = apr_dbm_nextkey(db->dbm, &at);
            apr_dbm_freedatum(db->dbm, before);
        }
        if (!err)
            apr_pool_clear(iterpool);
    }
    if (!err)
        apr_pool_destroy(iterpool);
    if (!err && rv != APR_SUCCESS && !eas_dbm_is_not_found(rv))
        err = damage(db, "its keys do not list", db->err_pool);
    return err;
}

static eas_err_t *dbm_each(eas_db_t *db, const char *prefix, eas_row_fn fn, void *baton)
{
    eas_err_t *err = need_reader(db, db->err_pool);
    int queued = db->queue ? db->queue->nelts : 0, rows = 0, stop = 0, listed = 0;
    part_t *part;

    if (err)
        return err;
    if (!db->absent) {
        if ((err = each_stored(&rows, &stop, db, prefix, fn, baton, db->pool)))
            return err;
        for (int i = 0; i < PARTS && !stop; i++) {
            if ((err = load_part(&part, db, db->dbm, i, db->err_pool)))
                return err;
            listed += part->count;
        }
        if (!stop && listed != rows)
            return damage(db, "rows are missing", db->err_pool);
    }
    for (int i = 0; i < queued && !stop; i++) {
        queued_t q = APR_ARRAY_IDX(db->queue, i, queued_t);
        if (q.data && strncmp(q.key, prefix, strlen(prefix)) == 0 &&
            find_queued(db, q.key) == &APR_ARRAY_IDX(db->queue, i, queued_t))
            stop = fn(baton, q.key, q.data + EAS_ENVELOPE_LEN, q.len - EAS_ENVELOPE_LEN);
    }
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void dbm_put(eas_db_t *db, const char *key, const void *val, apr_size_t len)
{
    queued_t q = {NULL, NULL, 0};
    apr_size_t keylen = strlen(key);

    if (keylen == 0 || keylen > KEY_MAX_BYTES || key[0] == '\1' || (val && len > VALUE_MAX)) {
        db->bad_put = eas_err_create(db->err_pool, EAS_E_INTERNAL, TAG,
                                     "a row's key or value is over the limit");
        return;
    }
    if (!db->queue) {
        db->queue = apr_array_make(db->pool, 8, sizeof(queued_t));
        db->newest = apr_hash_make(db->pool);
    }
    q.key = apr_pstrmemdup(db->pool, key, keylen);
    if (val) {
        unsigned char *data = apr_palloc(db->pool, EAS_ENVELOPE_LEN + len);
        eas_envelope_make(data, key, val, len);
        if (len)
            memcpy(data + EAS_ENVELOPE_LEN, val, len);
        q.data = data;
        q.len = EAS_ENVELOPE_LEN + len;
    }
    APR_ARRAY_PUSH(db->queue, queued_t) = q;
    apr_hash_set(db->newest, q.key, APR_HASH_KEY_STRING, (void *)(apr_size_t)db->queue->nelts);
    db->queued_bytes += keylen + q.len;
}

static eas_err_t *store_row(eas_db_t *db, apr_dbm_t *dbm, const char *key, const void *data,
                            apr_size_t len)
{
    apr_datum_t k = datum(key, strlen(key));
    apr_status_t rv;

    if (EAS_FAILPOINT("store.put"))
        return eas_err_create(db->err_pool, EAS_E_UNAVAILABLE, TAG, "failure point store.put");
    rv = data ? apr_dbm_store(dbm, k, datum(data, len)) : apr_dbm_delete(dbm, k);
    if (rv == APR_SUCCESS || (!data && eas_dbm_is_not_found(rv)))
        return NULL;
    if (eas_dbm_is_disk(rv))
        return eas_err_create(db->err_pool, EAS_E_UNAVAILABLE, TAG,
                              "cannot write a state file: dbm error %d", rv - APR_OS_START_USEERR);
    return damage(db, "it cannot be written to", db->err_pool);
}

static eas_err_t *store_small(eas_db_t *db, apr_dbm_t *dbm, const char *key, const void *val,
                              apr_size_t len)
{
    unsigned char *data = apr_palloc(db->pool, EAS_ENVELOPE_LEN + len);
    eas_envelope_make(data, key, val, len);
    memcpy(data + EAS_ENVELOPE_LEN, val, len);
    return store_row(db, dbm, key, data, EAS_ENVELOPE_LEN + len);
}

static eas_err_t *store_part(eas_db_t *db, apr_dbm_t *dbm, int n)
{
    const part_t *part = &db->parts[n];
    unsigned char *val = apr_palloc(db->pool, part->count * 8 + 1);
    char key[4];

    for (int i = 0; i < part->count; i++)
        for (int b = 0; b < 8; b++)
            val[8 * i + b] = (unsigned char)(part->keys[i] >> (8 * b));
    return store_small(db, dbm, part_key(key, n), val, (apr_size_t)part->count * 8);
}

static eas_err_t *store_format(eas_db_t *db, apr_dbm_t *dbm)
{
    unsigned char val[FORMAT_LEN] = {FORMAT_VERSION, (unsigned char)db->listed,
                                     (unsigned char)(db->listed >> 8)};
    return store_small(db, dbm, FORMAT_KEY, val, sizeof(val));
}

static eas_err_t *store_queue(eas_db_t *db, int fresh)
{
    eas_err_t *err = fresh ? NULL : check_format(db, db->dbm, db->err_pool);
    unsigned before = db->listed;

    for (int i = 0; i < db->queue->nelts && !err; i++) {
        const queued_t *q = &APR_ARRAY_IDX(db->queue, i, queued_t);
        if (!(err = list_row(db, db->dbm, q->key, q->data != NULL, db->err_pool)))
            err = store_row(db, db->dbm, q->key, q->data, q->len);
    }
    for (int i = 0; i < PARTS && !err; i++)
        if (db->parts[i].dirty) {
            err = store_part(db, db->dbm, i);
            db->listed |= 1u << i;
        }
    if (!err && (fresh || db->listed != before))
        err = store_format(db, db->dbm);
    return err;
}

static int only_deletes(const apr_array_header_t *queue)
{
    for (int i = 0; i < queue->nelts; i++)
        if (APR_ARRAY_IDX(queue, i, queued_t).data)
            return 0;
    return 1;
}

static eas_err_t *dbm_sync(eas_db_t *db)
{
    int marker, fresh = 0, clean;
    eas_err_t *err = db->bad_put;

    if (err || !db->queue || !db->queue->nelts)
        return err;
    close_dbm(db);
    if (only_deletes(db->queue) && access(db->file.path, F_OK) != 0 && errno == ENOENT)
        goto done;
    err = eas_dbm_write(&db->dbm, &marker, &fresh, &db->file, db->queued_bytes, db->dbm_pool,
                        db->err_pool);
    if (err)
        return err;
    db->absent = 0;
    memset(db->parts, 0, sizeof(db->parts));
    db->listed = 0;
    err = store_queue(db, fresh);
    if (EAS_FAILPOINT("store.close") && !err)
        err = eas_err_create(db->err_pool, EAS_E_UNAVAILABLE, TAG, "failure point store.close");
    close_dbm(db); /* gdbm syncs a file that was written */
    if (EAS_FAILPOINT("store.unmark") && !err)
        err = eas_err_create(db->err_pool, EAS_E_UNAVAILABLE, TAG, "failure point store.unmark");
    /* half written: the marker stays; set aside already, or refused unread (NEWER): nothing to
     * mark */
    clean = !err || err->kind == EAS_E_STATE || err->kind == EAS_E_NEWER;
    eas_dbm_written(&db->file, marker, clean);
    if (!err && fresh)
        err = eas_store_sync_dir(db->file.dir, db->err_pool);
    memset(db->parts, 0, sizeof(db->parts));
    if (err)
        return err;
done:
    apr_array_clear(db->queue);
    apr_hash_clear(db->newest);
    db->queued_bytes = 0;
    return NULL;
}

/* --- handles and the rest of the contract ----------------------------------------------------- */

static eas_err_t *dbm_open(eas_db_t **out, eas_store_t *store, const char *user, const char *device,
                           apr_pool_t *pool)
{
    store_dbm_t *s = store->ctx;
    apr_pool_t *own;
    eas_db_t *db;
    eas_err_t *err;

    *out = NULL;
    apr_pool_create(&own, pool);
    db = apr_pcalloc(own, sizeof(*db));
    db->pool = own;
    db->err_pool = pool;
    apr_pool_create(&db->dbm_pool, own);
    eas_dbm_file_init(&db->file, eas_store_user_dir(s->dir, user, own), device, own);
    if ((err = eas_dbm_settle(&db->file, pool))) {
        apr_pool_destroy(own);
        return err;
    }
    *out = db;
    return NULL;
}

static void dbm_close(eas_db_t *db)
{
    if (!db)
        return;
    close_dbm(db);
    apr_pool_destroy(db->pool);
}

static eas_err_t *dbm_drop(eas_store_t *store, const char *user, const char *device,
                           apr_pool_t *pool)
{
    store_dbm_t *s = store->ctx;
    eas_dbm_file_t f;

    eas_dbm_file_init(&f, eas_store_user_dir(s->dir, user, pool), device, pool);
    if (unlink(f.path) != 0 && errno != ENOENT && errno != ENOTDIR)
        return eas_err_apr(pool, errno, TAG, "cannot drop a state file");
    unlink(f.marker);
    unlink(f.fresh);
    return NULL;
}

static eas_err_t *dbm_devices(eas_store_t *store, const char *user, eas_device_fn fn, void *baton,
                              apr_pool_t *pool)
{
    store_dbm_t *s = store->ctx;
    DIR *d = opendir(eas_store_user_dir(s->dir, user, pool));
    struct dirent *e;
    int stop = 0;

    if (!d)
        return errno == ENOENT ? NULL : eas_err_apr(pool, errno, TAG, "cannot list state files");
    while (!stop && (e = readdir(d))) {
        if (strlen(e->d_name) != EAS_STORE_HASH_LEN + 3 ||
            strcmp(e->d_name + EAS_STORE_HASH_LEN, ".db") != 0)
            continue;
        stop = fn(baton, apr_pstrmemdup(pool, e->d_name, EAS_STORE_HASH_LEN));
    }
    closedir(d);
    return NULL;
}

static eas_err_t *dbm_lease(eas_lease_t **lease, eas_store_t *store, const char *name,
                            apr_interval_time_t wait, apr_pool_t *pool)
{
    store_dbm_t *s = store->ctx;
    return eas_lease_take(lease, s->leases, name, wait, pool);
}

static eas_err_t *dbm_recall(const void **val, apr_size_t *len, eas_store_t *store,
                             const char *area, const char *name, apr_pool_t *pool)
{
    store_dbm_t *s = store->ctx;
    return eas_keep_recall(val, len, s->dir, area, name, pool);
}

static eas_err_t *dbm_keep(eas_store_t *store, const char *area, const char *name, const void *val,
                           apr_size_t len, apr_pool_t *scratch_pool)
{
    store_dbm_t *s = store->ctx;
    return eas_keep_write(s->dir, area, name, val, len, scratch_pool);
}

static const eas_store_vtable_t vtable = {
    .name = "dbm",
    .open = dbm_open,
    .get = dbm_get,
    .put = dbm_put,
    .sync = dbm_sync,
    .close = dbm_close,
    .each = dbm_each,
    .drop = dbm_drop,
    .devices = dbm_devices,
    .lease = dbm_lease,
    .release = eas_lease_release,
    .recall = dbm_recall,
    .keep = dbm_keep,
};

eas_err_t *eas_store_dbm_create(eas_store_t **store, const char *dir, apr_pool_t *pool)
{
    store_dbm_t *s = apr_pcalloc(pool, sizeof(*s));
    const char *first, *second;
    /* loads the driver here, in the parent and in one thread */
    apr_status_t rv = apr_dbm_get_usednames_ex(pool, "gdbm", "x", &first, &second);

    *store = NULL;
    if (rv != APR_SUCCESS)
        return eas_err_create(pool, EAS_E_UNSUPPORTED, TAG,
                              "APR's gdbm driver (apr_dbm_gdbm) is not installed");
    s->dir = apr_pstrdup(pool, dir);
    s->leases = eas_lease_table_create(dir, pool);
    s->store.v = &vtable;
    s->store.ctx = s;
    *store = &s->store;
    return NULL;
}
