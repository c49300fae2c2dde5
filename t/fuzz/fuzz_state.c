/* SPDX-License-Identifier: Apache-2.0 */
/* State records of any content. First byte: which record the rest is (8: a sequence of all of them,
 * each with a length); the other rows stay as version 1 wrote them. Then a phone uses the state. It
 * may be answered with any Status or error, but what it is told must be possible, and a key 0 must
 * help. */
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "eas_mem_cache.h"
#include "eas_store_memory.h"
#include "sync_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rows[] = {"c/2", "m/2/1", "h", "f/2", "r/2", "m/2/2", "device"};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const eas_identity_t who = {"ox", "1", "7"};

static const eas_identity_t *identity(const eas_session_t *session)
{
    return &who;
}

static eas_err_t *list(const eas_folder_t **folders, int *count, eas_session_t *session,
                       eas_class_t klass, apr_pool_t *pool)
{
    static const eas_folder_t all[] = {
        {.id = "in", .title = "Inbox", .klass = EAS_CLASS_MAIL, .role = EAS_ROLE_INBOX},
        {.id = "a", .parent = "in", .title = "a", .klass = EAS_CLASS_MAIL},
    };
    *folders = all;
    *count = 2;
    return NULL;
}

static eas_err_t *status(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                         apr_pool_t *pool)
{
    *tuple = (eas_mail_tuple_t){.validity = 1, .next = 9, .total = 4, .unread = 2};
    return NULL;
}

static eas_err_t *mail_rows(const eas_mail_row_t **out, apr_size_t *count, eas_session_t *session,
                            const char *folder, apr_size_t limit, apr_pool_t *pool)
{
    static const eas_mail_row_t all[] = {
        {8, 1714532400, 0, 0}, {5, 1714528800, 1, 0}, {3, 1714507200, 3, 0}, {1, 1714500000, 0, 0}};
    *out = all;
    *count = limit && limit < 4 ? limit : 4;
    return NULL;
}

static eas_err_t *set_flags(eas_session_t *session, const char *folder, eas_mail_flags_t *changes,
                            int count, apr_pool_t *pool)
{
    return NULL;
}

static eas_err_t *mail_remove(char *failed, eas_session_t *session, const char *folder,
                              const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    return NULL;
}

static const eas_be_session_t session_group = {.identity = identity};
static const eas_be_folders_t folders_group = {.list = list};
static const eas_be_mail_t mail_group = {
    .status = status, .rows = mail_rows, .set_flags = set_flags, .remove = mail_remove};
static eas_backend_t backend = {
    .name = "ox", .session = &session_group, .folders = &folders_group, .mail = &mail_group};

static void put(eas_sync_cfg_t *cfg, eas_db_t *db, unsigned which, const void *data, size_t size,
                apr_pool_t *pool)
{
    if (strcmp(rows[which], "device") == 0)
        cfg->store->v->keep(cfg->store, "device", "ox/1/7\np", data, size, pool);
    else
        cfg->store->v->put(db, rows[which], data, size);
}

static void fill(eas_sync_cfg_t *cfg, const uint8_t *data, size_t size, apr_pool_t *pool)
{
    unsigned which = *data++ % (ROWS + 1);
    eas_db_t *db;

    size--;
    if (cfg->store->v->open(&db, cfg->store, "ox/1/7", "p", pool))
        abort();
    if (which < ROWS) {
        put(cfg, db, which, data, size, pool);
    } else {
        for (unsigned i = 0; i < ROWS && size >= 2; i++) {
            size_t n = data[0] | (size_t)data[1] << 8;
            data += 2;
            size -= 2;
            if (n > size)
                n = size;
            put(cfg, db, i, data, n, pool);
            data += n;
            size -= n;
        }
    }
    if (cfg->store->v->sync(db))
        abort();
    cfg->store->v->close(db);
}

/* One Sync. *newkey is the key of the answer, NULL when there was none. */
static eas_err_t *sync_once(const char **newkey, eas_sync_cfg_t *cfg, const char *key,
                            apr_pool_t *pool)
{
    eas_ccmd_t cmds[] = {{.op = EAS_C_CHANGE, .id = "2:1", .set = EAS_MF_SEEN, .status = 1},
                         {.op = EAS_C_DELETE, .id = "2:5", .status = 1}};
    const eas_change_t *changes;
    int count = 0, more, code;
    eas_coll_t *coll;
    eas_state_t *st;
    eas_err_t *err;

    *newkey = NULL;
    if (eas_state_open(&st, cfg, &who, "p", pool))
        abort();
    err = eas_coll_open(&coll, &code, st, "2", key, pool);
    if (!err && coll) {
        eas_coll_set_view(coll, 0, EAS_MF_SEEN | EAS_MF_FLAGGED);
        if (!eas_coll_initial(coll)) {
            err = eas_coll_commands(coll, cmds, 2, 0, NULL);
            if (!err)
                err = eas_coll_refresh(coll, NULL);
            if (!err)
                err = eas_coll_pick(&changes, &count, &more, coll, 100, pool);
            for (int i = 0; !err && i < count; i++)
                eas_coll_sent(coll, &changes[i]);
        }
        if (!err)
            err = eas_coll_finish(newkey, coll);
        if (!err)
            err = eas_state_commit(st);
    }
    eas_state_close(st);
    return err;
}

static int is_newer(const eas_err_t *err)
{
    return err && err->kind == EAS_E_NEWER;
}

static void use(eas_sync_cfg_t *cfg, apr_pool_t *pool)
{
    const eas_hchange_t *changes;
    const eas_hfolder_t *folder;
    const char *key, *newest = NULL;
    eas_change_t item;
    int count, code, known, later;
    eas_state_t *st;
    eas_err_t *err;

    if (eas_state_open(&st, cfg, &who, "p", pool))
        abort();
    eas_device_seen(st, "t", "u", 161);
    eas_coll_newest_key(&newest, st, "2", pool);
    eas_coll_known(&item, &known, st, "2", "2:5", pool);
    err = eas_hierarchy_find(&folder, st, "2", pool);
    later = is_newer(err);
    err = eas_hierarchy_sync(&key, &changes, &count, &code, st, NULL, "0", pool);
    if (is_newer(err))
        later = 1;
    else if (err || code != 1 || count < 2 || eas_state_commit(st))
        abort(); /* key 0 brings everything */
    eas_state_close(st);
    if (newest) {
        sync_once(&key, cfg, newest, pool);
        if (key)
            sync_once(&key, cfg, key, pool);
    }
    err = sync_once(&key, cfg, "0", pool);
    if (!err && key) {
        newest = key;
        err = sync_once(&key, cfg, newest, pool);
    }
    if (!later && !is_newer(err) && (err || !key))
        abort(); /* a fresh start works, whatever was there; but nothing newer is touched */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int started;
    apr_pool_t *pool;
    eas_store_t *store;

    if (!started) {
        apr_initialize();
        started = 1;
    }
    if (size < 1)
        return 0;
    apr_pool_create(&pool, NULL);
    if (eas_store_memory_create(&store, pool))
        abort();
    eas_sync_cfg_t cfg = {.be = &backend, .store = store, .cache = eas_mem_cache_create(pool),
                          .max_devices = 5, .flag_peek = -1, .flag_refresh = 0};
    fill(&cfg, data, size, pool);
    use(&cfg, pool);
    apr_pool_destroy(pool);
    return 0;
}
