/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchy: what folders the phone has, and what differs from the backend's now.
 *
 * "h" holds the whole list at the newest key and at the one before it; "f/<CollectionId>" holds
 * each folder for the commands that need only one. A folder keeps its CollectionId for ever: fixed
 * by role for default folders, else made of the id that the backend gave it when first seen. OX
 * changes a mail folder's id when it is renamed or moved (and those of all folders below it); such
 * a folder is known again by its UIDVALIDITY, UIDNEXT and total, or by its name under a parent that
 * is known again. */
#include <apr_hash.h>
#include <apr_strings.h>
#include "eas_crypto.h"
#include "eas_text.h"
#include "sync_priv.h"

#define LIST_FORMAT 1
#define PROBES_MAX 20    /* folders probed to know renamed ones again */
#define FOLDERS_MAX 5000

/* CollectionIds and Types (MS-ASCMD 2.2.3.186.3) of the default folders. */
static const struct {
    const char *id;
    int type;
} by_role[] = {
    [EAS_ROLE_NONE] = {NULL, 12},    [EAS_ROLE_INBOX] = {"2", 2}, [EAS_ROLE_DRAFTS] = {"3", 3},
    [EAS_ROLE_TRASH] = {"4", 4},     [EAS_ROLE_SENT] = {"5", 5},  [EAS_ROLE_SPAM] = {"12", 12},
};

typedef struct list_t {
    const char *uuid;
    eas_hfolder_t *f;
    int n;
} list_t;

static void folder_write(eas_buf_t *b, const eas_hfolder_t *f)
{
    eas_buf_str(b, f->id);
    eas_buf_str(b, f->parent);
    eas_buf_str(b, f->title);
    eas_buf_str(b, f->oxid);
    eas_buf_u8(b, (unsigned)f->type);
    eas_buf_u8(b, f->role);
    eas_buf_u8(b, f->klass);
    eas_buf_u8(b, (unsigned)f->readonly);
}

static void folder_read(eas_hfolder_t *f, eas_rd_t *rd, apr_pool_t *pool)
{
    f->id = eas_rd_str(rd, pool);
    f->parent = eas_rd_str(rd, pool);
    f->title = eas_rd_str(rd, pool);
    f->oxid = eas_rd_str(rd, pool);
    f->type = (int)eas_rd_u8(rd);
    f->role = (eas_role_t)eas_rd_u8(rd);
    f->klass = (eas_class_t)eas_rd_u8(rd);
    f->readonly = (int)eas_rd_u8(rd);
}

static eas_err_t *check_format(unsigned format, const eas_rd_t *rd, apr_pool_t *pool)
{
    if (rd->bad || format == 0)
        return eas_err_create(pool, EAS_E_STATE, "sync.folders", "folder record is damaged");
    if (format > LIST_FORMAT)
        return eas_err_create(pool, EAS_E_NEWER, "sync.folders", "folder record of format %u",
                              format);
    return NULL;
}

static eas_err_t *list_read(list_t *list, const sync_side_t *side, apr_pool_t *pool)
{
    eas_rd_t rd;
    apr_uint64_t i, n;
    eas_err_t *err;

    memset(list, 0, sizeof(*list));
    if (!side->data)
        return NULL;
    eas_rd_init(&rd, side->data, side->len);
    err = check_format(eas_rd_u8(&rd), &rd, pool);
    if (err)
        return err;
    list->uuid = eas_rd_str(&rd, pool);
    n = eas_rd_var(&rd);
    if (n > FOLDERS_MAX)
        return eas_err_create(pool, EAS_E_STATE, "sync.folders", "folder record is damaged");
    list->f = apr_pcalloc(pool, sizeof(*list->f) * (apr_size_t)(n + 1));
    list->n = (int)n;
    for (i = 0; i < n; i++)
        folder_read(&list->f[i], &rd, pool);
    if (!eas_rd_done(&rd))
        return eas_err_create(pool, EAS_E_STATE, "sync.folders", "folder record is damaged");
    return NULL;
}

static void list_write(eas_buf_t *b, const list_t *list, apr_pool_t *pool)
{
    int i;
    eas_buf_init(b, 256 + (apr_size_t)list->n * 96, pool);
    eas_buf_u8(b, LIST_FORMAT);
    eas_buf_str(b, list->uuid);
    eas_buf_var(b, (apr_uint64_t)list->n);
    for (i = 0; i < list->n; i++)
        folder_write(b, &list->f[i]);
}

static const char *folder_key(const char *cid, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "f/", cid, NULL);
}

eas_err_t *eas_hierarchy_find(const eas_hfolder_t **folder, eas_state_t *st, const char *cid,
                              apr_pool_t *pool)
{
    const void *val;
    apr_size_t len;
    eas_hfolder_t *f;
    eas_rd_t rd;
    eas_err_t *err;

    *folder = NULL;
    if (strlen(cid) > 64)
        return NULL;
    err = st->cfg->store->v->get(&val, &len, st->db, folder_key(cid, pool), pool);
    if (err || !val)
        return err;
    eas_rd_init(&rd, val, len);
    err = check_format(eas_rd_u8(&rd), &rd, pool);
    if (err)
        return err;
    f = apr_pcalloc(pool, sizeof(*f));
    folder_read(f, &rd, pool);
    if (!eas_rd_done(&rd))
        return eas_err_create(pool, EAS_E_STATE, "sync.folders", "folder record is damaged");
    *folder = f;
    return NULL;
}

/* ---- which id is whose ---- */

/* By what folders of the last list are found; values are eas_hfolder_t of that list. */
typedef struct ids_t {
    apr_hash_t *by_oxid, *by_id; /* of the newest list */
    apr_hash_t *taken;           /* CollectionIds given out in this run */
    apr_hash_t *now;             /* backend id -> eas_hfolder_t of this run */
    apr_hash_t *present;         /* backend ids that exist now */
    apr_hash_t *fresh;           /* of those that are new: backend id of the parent -> how many */
    int probes;
} ids_t;

static const char *hashed_id(const char *oxid, eas_class_t klass, int attempt, apr_pool_t *pool)
{
    unsigned char digest[EAS_HASH_LEN];
    const char *text = apr_psprintf(pool, "%c\n%s\n%d", klass, oxid, attempt);
    eas_sha256(digest, text, strlen(text));
    return apr_psprintf(pool, "%c%.10s", klass, eas_base32(digest, 7, pool));
}

/* Gone from the backend, and its CollectionId not given to another folder: it may have a new
 * name. */
static int gone(const ids_t *ids, const eas_hfolder_t *v, const eas_folder_t *f)
{
    return v->role == EAS_ROLE_NONE && v->klass == f->klass &&
           !apr_hash_get(ids->present, v->oxid, APR_HASH_KEY_STRING) &&
           !apr_hash_get(ids->taken, v->id, APR_HASH_KEY_STRING);
}

/* How well a folder that is gone and was never synced fits a new one. The phone has nothing of it,
 * so a mistake costs nothing: same name elsewhere, or the only new one below the same parent. */
static int fits(const ids_t *ids, const eas_hfolder_t *v, const eas_folder_t *f, const char *parent)
{
    const char *at = f->parent ? f->parent : "";
    const int *fresh = apr_hash_get(ids->fresh, at, APR_HASH_KEY_STRING);
    if (strcmp(v->title, f->title) == 0)
        return 1;
    return strcmp(v->parent, parent) == 0 && fresh && *fresh == 1;
}

/* A folder of the last list which is gone from the backend and which looks like this new one. */
static const eas_hfolder_t *known_again(ids_t *ids, const list_t *last, const eas_folder_t *f,
                                        const char *parent, eas_state_t *st, eas_session_t *session,
                                        apr_pool_t *pool)
{
    const eas_hfolder_t *found = NULL, *guess = NULL;
    eas_mail_tuple_t now, then;
    int i, found_n = 0, guess_n = 0, probed = 0;

    for (i = 0; i < last->n; i++) {
        const eas_hfolder_t *v = &last->f[i];
        if (!gone(ids, v, f))
            continue;
        if (strcmp(v->parent, parent) == 0 && strcmp(v->title, f->title) == 0 &&
            strcmp(parent, "0") != 0)
            return v; /* same name below a parent that kept its CollectionId */
        if (!coll_last_tuple(&then, st, v->id, pool)) {
            if (fits(ids, v, f, parent)) {
                guess = v;
                guess_n++;
            }
            continue;
        }
        if (!probed) {
            if (ids->probes++ >= PROBES_MAX ||
                st->cfg->be->mail->status(&now, session, f->id, pool) != NULL)
                return NULL;
            probed = 1;
        }
        if (now.validity == then.validity && now.next == then.next && now.total == then.total) {
            found = v;
            found_n++;
        }
    }
    if (found_n) /* numbers say more than names */
        return found_n == 1 ? found : NULL;
    return guess_n == 1 ? guess : NULL;
}

static const char *id_for(ids_t *ids, const list_t *last, const eas_folder_t *f, const char *parent,
                          eas_state_t *st, eas_session_t *session, apr_pool_t *pool)
{
    const eas_hfolder_t *old = apr_hash_get(ids->by_oxid, f->id, APR_HASH_KEY_STRING);
    const char *id = by_role[f->role].id;
    int attempt;
    if (id && !apr_hash_get(ids->taken, id, APR_HASH_KEY_STRING))
        return id;
    if (old && old->role == EAS_ROLE_NONE &&
        !apr_hash_get(ids->taken, old->id, APR_HASH_KEY_STRING))
        return old->id;
    if ((old = known_again(ids, last, f, parent, st, session, pool)))
        return old->id;
    for (attempt = 0;; attempt++) {
        id = hashed_id(f->id, f->klass, attempt, pool);
        if (!apr_hash_get(ids->taken, id, APR_HASH_KEY_STRING) &&
            !apr_hash_get(ids->by_id, id, APR_HASH_KEY_STRING))
            return id;
    }
}

/* Names must be unique among siblings and not empty. */
static const char *sibling_title(apr_hash_t *titles, const char *parent, const char *title,
                                 apr_pool_t *pool)
{
    const char *clean = eas_text_sanitize(NULL, title, strlen(title), pool);
    const char *name = *clean ? clean : "?";
    const char *base = name;
    int i;
    for (i = 2;; i++) {
        const char *key = apr_pstrcat(pool, parent, "\n", name, NULL);
        if (!apr_hash_get(titles, key, APR_HASH_KEY_STRING)) {
            apr_hash_set(titles, key, APR_HASH_KEY_STRING, name);
            return name;
        }
        name = apr_psprintf(pool, "%s (%d)", base, i);
    }
}

static void note_present(ids_t *ids, const eas_folder_t *f, apr_pool_t *pool)
{
    const char *at = f->parent ? f->parent : "";
    apr_hash_set(ids->present, f->id, APR_HASH_KEY_STRING, f);
    if (!apr_hash_get(ids->by_oxid, f->id, APR_HASH_KEY_STRING)) {
        int *fresh = apr_hash_get(ids->fresh, at, APR_HASH_KEY_STRING);
        if (!fresh) {
            fresh = apr_pcalloc(pool, sizeof(*fresh));
            apr_hash_set(ids->fresh, at, APR_HASH_KEY_STRING, fresh);
        }
        ++*fresh;
    }
}

/* The backend's folders as the phone would see them. */
static eas_err_t *list_now(list_t *now, const list_t *last, eas_state_t *st, eas_session_t *session,
                           apr_pool_t *pool)
{
    const eas_folder_t *folders;
    apr_hash_t *titles = apr_hash_make(pool);
    ids_t ids = {apr_hash_make(pool), apr_hash_make(pool), apr_hash_make(pool), apr_hash_make(pool),
                 apr_hash_make(pool), apr_hash_make(pool), 0};
    int i, n;
    eas_err_t *err = st->cfg->be->folders->list(&folders, &n, session, EAS_CLASS_MAIL, pool);

    if (err)
        return eas_err_wrap(pool, err, "sync.folders", "cannot list the folders");
    if (n > FOLDERS_MAX)
        n = FOLDERS_MAX;
    for (i = 0; i < last->n; i++) {
        apr_hash_set(ids.by_oxid, last->f[i].oxid, APR_HASH_KEY_STRING, &last->f[i]);
        apr_hash_set(ids.by_id, last->f[i].id, APR_HASH_KEY_STRING, &last->f[i]);
    }
    for (i = 0; i < n; i++)
        note_present(&ids, &folders[i], pool);
    now->f = apr_pcalloc(pool, sizeof(*now->f) * (apr_size_t)(n + 1));
    for (i = 0; i < n; i++) {
        const eas_folder_t *f = &folders[i];
        const eas_hfolder_t *parent =
            f->parent ? apr_hash_get(ids.now, f->parent, APR_HASH_KEY_STRING) : NULL;
        eas_hfolder_t *h = &now->f[now->n++];
        h->parent = parent ? parent->id : "0";
        h->id = id_for(&ids, last, f, h->parent, st, session, pool);
        h->title = sibling_title(titles, h->parent, f->title, pool);
        h->type = strcmp(h->id, by_role[f->role].id ? by_role[f->role].id : "") == 0
                      ? by_role[f->role].type
                      : by_role[EAS_ROLE_NONE].type;
        h->oxid = f->id;
        h->role = f->role;
        h->klass = f->klass;
        h->readonly = f->readonly;
        apr_hash_set(ids.taken, h->id, APR_HASH_KEY_STRING, h);
        apr_hash_set(ids.now, h->oxid, APR_HASH_KEY_STRING, h);
    }
    return NULL;
}

/* ---- differences ---- */

static int same_for_phone(const eas_hfolder_t *a, const eas_hfolder_t *b)
{
    return strcmp(a->parent, b->parent) == 0 && strcmp(a->title, b->title) == 0 &&
           a->type == b->type;
}

static int same_for_us(const eas_hfolder_t *a, const eas_hfolder_t *b)
{
    return strcmp(a->oxid, b->oxid) == 0 && a->readonly == b->readonly && a->role == b->role;
}

static apr_hash_t *index_ids(const list_t *list, apr_pool_t *pool)
{
    apr_hash_t *h = apr_hash_make(pool);
    int i;
    for (i = 0; i < list->n; i++)
        apr_hash_set(h, list->f[i].id, APR_HASH_KEY_STRING, &list->f[i]);
    return h;
}

/* Updates, deletes, adds: the order of the schema; adds parents first as they are listed. */
static int differences(eas_hchange_t *out, const list_t *base, const list_t *now, apr_pool_t *pool)
{
    apr_hash_t *had = index_ids(base, pool), *has = index_ids(now, pool);
    int i, n = 0;
    for (i = 0; i < now->n; i++) {
        const eas_hfolder_t *old = apr_hash_get(had, now->f[i].id, APR_HASH_KEY_STRING);
        if (old && !same_for_phone(old, &now->f[i]))
            out[n++] = (eas_hchange_t){EAS_H_UPDATE, &now->f[i]};
    }
    for (i = base->n - 1; i >= 0; i--) /* children before parents */
        if (!apr_hash_get(has, base->f[i].id, APR_HASH_KEY_STRING))
            out[n++] = (eas_hchange_t){EAS_H_DELETE, &base->f[i]};
    for (i = 0; i < now->n; i++)
        if (!apr_hash_get(had, now->f[i].id, APR_HASH_KEY_STRING))
            out[n++] = (eas_hchange_t){EAS_H_ADD, &now->f[i]};
    return n;
}

/* f/<id> rows follow the newest list. */
static int save_folders(eas_state_t *st, const list_t *last, const list_t *now, apr_pool_t *pool)
{
    apr_hash_t *had = index_ids(last, pool), *has = index_ids(now, pool);
    int i, touched = 0;
    for (i = 0; i < now->n; i++) {
        const eas_hfolder_t *old = apr_hash_get(had, now->f[i].id, APR_HASH_KEY_STRING);
        eas_buf_t b;
        if (old && same_for_phone(old, &now->f[i]) && same_for_us(old, &now->f[i]))
            continue;
        if (old && now->f[i].role != EAS_ROLE_NONE && strcmp(old->oxid, now->f[i].oxid) != 0)
            coll_forget(st, old->id, pool); /* another folder is the default now */
        eas_buf_init(&b, 128, pool);
        eas_buf_u8(&b, LIST_FORMAT);
        folder_write(&b, &now->f[i]);
        st->cfg->store->v->put(st->db, folder_key(now->f[i].id, pool), b.data, b.len);
        touched = 1;
    }
    for (i = 0; i < last->n; i++)
        if (!apr_hash_get(has, last->f[i].id, APR_HASH_KEY_STRING)) {
            st->cfg->store->v->put(st->db, folder_key(last->f[i].id, pool), NULL, 0);
            coll_forget(st, last->f[i].id, pool);
            touched = 1;
        }
    return touched;
}

/* Which of the two lists the key names; 0 = none. */
static int choose(const sync_row_t *row, const list_t lists[2], const char *key, apr_pool_t *pool)
{
    sync_key_t k;
    if (!sync_key_parse(&k, key, pool))
        return 0;
    if (lists[0].uuid && row->cur.stamp == k.n && strcmp(lists[0].uuid, k.uuid) == 0)
        return 1;
    if (lists[1].uuid && row->prev.stamp == k.n && strcmp(lists[1].uuid, k.uuid) == 0)
        return 2;
    return 0;
}

eas_err_t *eas_hierarchy_sync(const char **newkey, const eas_hchange_t **changes, int *count,
                              int *status, eas_state_t *st, eas_session_t *session, const char *key,
                              apr_pool_t *pool)
{
    list_t lists[2], now = {0}, empty = {0};
    const list_t *base = &empty;
    sync_side_t cur, none = {0};
    const sync_side_t *prev = &none;
    apr_uint64_t n = 0;
    eas_hchange_t *out;
    sync_row_t row;
    eas_buf_t b;
    int which = 0;
    eas_err_t *err = sync_row_get(&row, st, "h", pool);

    *count = 0;
    if (!err && !(err = list_read(&lists[0], &row.cur, pool)))
        err = list_read(&lists[1], &row.prev, pool);
    if (err && err->kind == EAS_E_STATE) {
        memset(lists, 0, sizeof(lists));
        memset(&row, 0, sizeof(row));
        err = NULL;
    }
    if (err)
        return err;
    *status = 1;
    if (strcmp(key, "0") == 0) {
        now.uuid = eas_uuid(pool);
        prev = &row.cur; /* a late key 0 must not take away the key that the phone got since */
    } else if ((which = choose(&row, lists, key, pool))) {
        base = &lists[which - 1];
        prev = which == 1 ? &row.cur : &row.prev;
        n = prev->stamp;
        now.uuid = base->uuid;
    } else {
        *status = 9;
        return NULL;
    }
    if ((err = list_now(&now, &lists[0], st, session, pool)))
        return err;
    out = apr_palloc(pool, sizeof(*out) * (apr_size_t)(base->n + now.n + 1));
    *count = differences(out, base, &now, pool);
    *changes = out;
    *newkey = key;
    if (!save_folders(st, &lists[0], &now, pool) && !*count && which)
        return NULL;
    /* Without news for the phone only our side of the list is refreshed, under the same key. */
    if (which && !*count) {
        cur.stamp = n;
        prev = which == 1 ? &row.prev : &none;
    } else {
        cur.stamp = n + 1;
    }
    list_write(&b, &now, pool);
    cur.data = b.data;
    cur.len = b.len;
    sync_row_put(st, "h", &cur, prev, pool);
    *newkey = sync_key_text(now.uuid, cur.stamp, pool);
    return NULL;
}
