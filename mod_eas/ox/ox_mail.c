/* SPDX-License-Identifier: Apache-2.0 */
/* Mail: probe, listing, source, flags, deletion (API reference 3). */
#include <string.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_spool.h"
#include "ox_rows.h"

/* Errors that concern the whole call, not one mail of it. */
static int concerns_all(const eas_err_t *err)
{
    switch (err->kind) {
    case EAS_E_UNAVAILABLE:
    case EAS_E_BUSY:
    case EAS_E_SESSION:
    case EAS_E_CREDENTIALS:
    case EAS_E_FORBIDDEN:
    case EAS_E_FOLDER_GONE:
    case EAS_E_TOO_LARGE:
    case EAS_E_UNSUPPORTED:
        return 1;
    default:
        return 0;
    }
}

/* ---- probe ---------------------------------------------------------------------------------- */

static eas_err_t *list_rows(const eas_mail_row_t **list, apr_size_t *count,
                            eas_session_t *session, const char *folder, apr_size_t limit,
                            apr_pool_t *pool);

/* Before 7.10.2, and for accounts that answer MSG-0087 (API 3.8): counts of the folder, and the
 * newest mail's id in place of UIDNEXT. UIDVALIDITY is not told: a constant. */
static eas_err_t *status_by_folder(eas_mail_tuple_t *tuple, eas_session_t *session,
                                   const char *folder, apr_pool_t *pool)
{
    ox_call_t call = {.tag = "ox.folder", .module = "folders",
                      .query = apr_pstrcat(pool, "action=get&id=", ox_escape(pool, folder), NULL)};
    const eas_mail_row_t *newest;
    apr_size_t count;
    json_t *root;

    eas_err_t *err = ox_call(&root, session, &call, pool);
    if (err)
        return err;
    const json_t *data = json_object_get(root, "data");
    apr_int64_t total = ox_json_num(json_object_get(data, "total"), -1);
    apr_int64_t unread = ox_json_num(json_object_get(data, "unread"), -1);
    json_decref(root);
    if (total < 0 || unread < 0 || total > 0xffffffffLL || unread > 0xffffffffLL)
        return eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.folder", "folder without counts");
    err = list_rows(&newest, &count, session, folder, 1, pool);
    if (err)
        return err;
    *tuple = (eas_mail_tuple_t){.validity = 1, .next = count ? (apr_uint64_t)newest->uid + 1 : 1,
                                .total = (apr_uint32_t)total, .unread = (apr_uint32_t)unread};
    return NULL;
}

static eas_err_t *read_tuple(eas_mail_tuple_t *tuple, const json_t *data, apr_pool_t *pool)
{
    apr_int64_t validity = ox_json_num(json_object_get(data, "validity"), -1);
    apr_int64_t next = ox_json_num(json_object_get(data, "next"), -1);
    apr_int64_t total = ox_json_num(json_object_get(data, "total"), -1);
    apr_int64_t unread = ox_json_num(json_object_get(data, "unread"), -1);
    apr_int64_t modseq = ox_json_num(json_object_get(data, "modseq"), 0);
    if (validity < 0 || next < 0 || total < 0 || unread < 0 || total > 0xffffffffLL
        || unread > 0xffffffffLL) {
        eas_err_t *err = eas_err_create(pool, EAS_E_UNAVAILABLE, "ox.examine",
                                        "answer without the four values");
        err->retry_after = 30;
        return err;
    }
    *tuple = (eas_mail_tuple_t){.validity = (apr_uint64_t)validity, .next = (apr_uint64_t)next,
                                .modseq = modseq > 0 ? (apr_uint64_t)modseq : 0,
                                .total = (apr_uint32_t)total, .unread = (apr_uint32_t)unread};
    return NULL;
}

static eas_err_t *mail_status(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                              apr_pool_t *pool)
{
    if (!(session->flags & OX_S_NO_EXAMINE)) {
        ox_call_t call = {.tag = "ox.examine", .module = "mail",
                          .query = apr_pstrcat(pool, "action=examine&folder=",
                                               ox_escape(pool, folder), NULL)};
        json_t *root;
        eas_err_t *err = ox_call(&root, session, &call, pool);
        if (!err) {
            err = read_tuple(tuple, json_object_get(root, "data"), pool);
            json_decref(root);
            return err;
        }
        if (err->kind != EAS_E_UNSUPPORTED)
            return err;
        session->flags |= OX_S_NO_EXAMINE;
        session->changed = 1;
    }
    return status_by_folder(tuple, session, folder, pool);
}

/* ---- listing -------------------------------------------------------------------------------- */

static eas_err_t *list_rows(const eas_mail_row_t **list, apr_size_t *count,
                            eas_session_t *session, const char *folder, apr_size_t limit,
                            apr_pool_t *pool)
{
    ox_rows_t *rows = ox_rows_create(session->ox->conf.max_json, pool);
    const char *window = limit ? apr_psprintf(pool, "&limit=%" APR_SIZE_T_FMT, limit) : "";
    ox_call_t call = {
        .tag = "ox.all", .module = "mail", .sink = ox_rows_sink(rows),
        .query = apr_pstrcat(pool, "action=all&folder=", ox_escape(pool, folder),
                             "&columns=600%2C611%2C102%2C610&sort=610&order=desc&deleted=false"
                             "&timezone=UTC", window, NULL),
    };
    json_t *root;
    eas_err_t *err = ox_call(&root, session, &call, pool);
    if (!err)
        err = ox_rows_finish(list, count, rows, root, pool);
    json_decref(root);
    return err;
}

/* ---- source --------------------------------------------------------------------------------- */

typedef struct source_t {
    eas_spool_t *spool;
    const eas_ox_conf_t *conf;
    apr_pool_t *pool;
} source_t;

static void source_begin(void *baton)
{
    source_t *s = baton;
    s->spool = eas_spool_create(s->conf->max_source, s->conf->spool_dir, s->pool);
}

static eas_err_t *source_data(void *baton, const char *data, apr_size_t len)
{
    source_t *s = baton;
    return eas_spool_write(s->spool, data, len);
}

static eas_err_t *source_rest(void *baton, const char **text, apr_size_t *len)
{
    *text = NULL;
    *len = 0;
    return NULL;
}

static eas_err_t *mail_source(eas_span_t *source, eas_session_t *session, const char *folder,
                              apr_uint32_t uid, apr_pool_t *pool)
{
    source_t baton = {.conf = &session->ox->conf, .pool = pool};
    ox_sink_t sink = {.begin = source_begin, .data = source_data, .rest = source_rest,
                      .bytes_only = 1, .baton = &baton};
    ox_call_t call = {
        .tag = "ox.source", .module = "mail", .sink = &sink,
        .query = apr_psprintf(pool, "action=get&folder=%s&id=%u&src=1&save=1&unseen=true"
                              "&timezone=UTC", ox_escape(pool, folder), (unsigned)uid),
    };
    eas_err_t *err = ox_call(NULL, session, &call, pool);
    return err ? err : eas_spool_finish(source, baton.spool);
}

/* ---- changes -------------------------------------------------------------------------------- */

static unsigned ox_mask(unsigned ours)
{
    return (ours & EAS_MF_SEEN ? 32u : 0) | (ours & EAS_MF_FLAGGED ? 8u : 0)
           | (ours & EAS_MF_ANSWERED ? 1u : 0) | (ours & EAS_MF_FORWARDED ? 256u : 0)
           | (ours & EAS_MF_DRAFT ? 4u : 0);
}

static const char *flags_body(const eas_mail_flags_t *change, apr_pool_t *pool)
{
    unsigned set = ox_mask(change->set), clear = ox_mask(change->clear);
    if (set && clear)
        return apr_psprintf(pool, "{\"set_flags\":%u,\"clear_flags\":%u}", set, clear);
    return apr_psprintf(pool, "{\"%s\":%u}", set ? "set_flags" : "clear_flags", set ? set : clear);
}

static eas_err_t *set_one(eas_session_t *session, const char *folder, eas_mail_flags_t *change,
                          apr_pool_t *pool)
{
    const char *body = flags_body(change, pool);
    ox_call_t call = {
        .tag = "ox.update", .module = "mail", .body = body, .body_len = strlen(body),
        .query = apr_psprintf(pool, "action=update&folder=%s&id=%u", ox_escape(pool, folder),
                              (unsigned)change->uid),
    };
    eas_err_t *err = ox_call(NULL, session, &call, pool);
    if (err && concerns_all(err))
        return err;
    change->result = err;
    return NULL;
}

static eas_err_t *set_batch(eas_session_t *session, const char *folder,
                            eas_mail_flags_t *const *changes, int count, apr_pool_t *pool)
{
    const char *quoted = ox_json_quote(pool, folder);
    json_t *answers;
    eas_buf_t b;
    eas_err_t *err;

    eas_buf_init(&b, 8192, pool);
    for (int i = 0; i < count; i++) {
        const char *part = apr_psprintf(
            pool, "%s{\"module\":\"mail\",\"action\":\"update\",\"folder\":%s,\"id\":\"%u\","
            "\"data\":%s}", i ? "," : "[", quoted, (unsigned)changes[i]->uid,
            flags_body(changes[i], pool));
        eas_buf_bytes(&b, part, strlen(part));
    }
    eas_buf_bytes(&b, "]", 1);
    err = ox_call_multiple(&answers, session, "ox.update", b.data, b.len, count, pool);
    if (err)
        return err;
    for (int i = 0; i < count; i++)
        changes[i]->result = ox_envelope_check(json_array_get(answers, (size_t)i), "ox.update",
                                               pool);
    json_decref(answers);
    return NULL;
}

static eas_err_t *mail_set_flags(eas_session_t *session, const char *folder,
                                 eas_mail_flags_t *changes, int count, apr_pool_t *pool)
{
    eas_mail_flags_t *batch[OX_BATCH];
    int n = 0;
    for (int i = 0; i < count; i++) {
        changes[i].result = NULL;
        if (ox_mask(changes[i].set) || ox_mask(changes[i].clear))
            batch[n++] = &changes[i];
        if (n == OX_BATCH || (n && i == count - 1)) {
            eas_err_t *err = n == 1 ? set_one(session, folder, batch[0], pool)
                                    : set_batch(session, folder, batch, n, pool);
            if (err)
                return err;
            n = 0;
        }
    }
    return NULL;
}

/* The ids that `delete` lists as not deleted; their form differs between versions. */
static int names_uid(const json_t *entry, apr_uint32_t uid)
{
    size_t i;
    json_t *part;
    if (json_is_object(entry))
        return names_uid(json_object_get(entry, "id"), uid);
    if (json_is_array(entry)) {
        json_array_foreach (entry, i, part)
            if (!json_is_array(part) && !json_is_object(part) && names_uid(part, uid))
                return 1;
        return 0;
    }
    return ox_json_num(entry, -1) == (apr_int64_t)uid;
}

static const char *delete_items(const char *folder, const apr_uint32_t *uids, int count,
                                apr_size_t *len, apr_pool_t *pool)
{
    const char *quoted = ox_json_quote(pool, folder);
    eas_buf_t b;
    eas_buf_init(&b, 4096, pool);
    for (int i = 0; i < count; i++) {
        const char *item = apr_psprintf(pool, "%s{\"folder\":%s,\"id\":\"%u\"}", i ? "," : "[",
                                        quoted, (unsigned)uids[i]);
        eas_buf_bytes(&b, item, strlen(item));
    }
    eas_buf_bytes(&b, "]", 1);
    *len = b.len;
    return apr_pstrmemdup(pool, b.data, b.len);
}

static eas_err_t *remove_singly(char *failed, eas_session_t *session, const char *folder,
                                const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool);

static eas_err_t *remove_batch(char *failed, eas_session_t *session, const char *folder,
                               const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    ox_call_t call = {.tag = "ox.delete", .module = "mail",
                      .query = hard ? "action=delete&harddelete=1" : "action=delete"};
    json_t *root, *entry;
    size_t at;

    call.body = delete_items(folder, uids, count, &call.body_len, pool);
    eas_err_t *err = ox_call(&root, session, &call, pool);
    memset(failed, 0, (apr_size_t)count);
    if (err) {
        if (concerns_all(err))
            return err;
        if (err->kind == EAS_E_NOT_FOUND && count == 1)
            return NULL;
        if (err->kind == EAS_E_NOT_FOUND)
            return remove_singly(failed, session, folder, uids, count, hard, pool);
        memset(failed, 1, (apr_size_t)count);
        return NULL;
    }
    json_array_foreach (json_object_get(root, "data"), at, entry)
        for (int i = 0; i < count; i++)
            if (names_uid(entry, uids[i]))
                failed[i] = 1;
    json_decref(root);
    return NULL;
}

/* One of several is gone and the call stopped there: each gets its own verdict. */
static eas_err_t *remove_singly(char *failed, eas_session_t *session, const char *folder,
                                const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    json_t *answers;
    eas_buf_t b;
    eas_buf_init(&b, 8192, pool);
    for (int i = 0; i < count; i++) {
        apr_size_t len;
        const char *item = delete_items(folder, &uids[i], 1, &len, pool);
        const char *part = apr_psprintf(
            pool, "%s{\"module\":\"mail\",\"action\":\"delete\",%s\"data\":%s}", i ? "," : "[",
            hard ? "\"harddelete\":\"1\"," : "", item);
        eas_buf_bytes(&b, part, strlen(part));
    }
    eas_buf_bytes(&b, "]", 1);
    eas_err_t *err = ox_call_multiple(&answers, session, "ox.delete", b.data, b.len, count, pool);
    if (err)
        return err;
    for (int i = 0; i < count; i++) {
        const json_t *answer = json_array_get(answers, (size_t)i);
        eas_err_t *part = ox_envelope_check(answer, "ox.delete", pool);
        failed[i] = part ? part->kind != EAS_E_NOT_FOUND
                         : json_array_size(json_object_get(answer, "data")) > 0;
    }
    json_decref(answers);
    return NULL;
}

static eas_err_t *mail_remove(char *failed, eas_session_t *session, const char *folder,
                              const apr_uint32_t *uids, int count, int hard, apr_pool_t *pool)
{
    for (int i = 0; i < count; i += OX_BATCH) {
        int n = count - i < OX_BATCH ? count - i : OX_BATCH;
        eas_err_t *err = remove_batch(failed + i, session, folder, uids + i, n, hard, pool);
        if (err)
            return err;
    }
    return NULL;
}

const eas_be_mail_t ox_mail_ops = {
    .status = mail_status,
    .rows = list_rows,
    .source = mail_source,
    .set_flags = mail_set_flags,
    .remove = mail_remove,
    .preview = ox_preview,
};
