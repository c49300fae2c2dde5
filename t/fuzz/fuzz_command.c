/* SPDX-License-Identifier: Apache-2.0 */
/* Whole requests: first byte the version (0x40: traced, 0x80: multipart accepted), second the
 * command, the rest the body, where "KEY" stands for the key of the Inbox. The phone has been told
 * of its folders; the Inbox has four mails, one of them broken. Each request is made twice. No
 * crash; an answer decodes, has the command's root, and no container without content. */
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "command_priv.h"
#include "eas_mem_cache.h"
#include "eas_store_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        {.id = "sent", .title = "Sent", .klass = EAS_CLASS_MAIL, .role = EAS_ROLE_SENT},
    };
    *folders = all;
    *count = 2;
    return NULL;
}

static eas_err_t *status(eas_mail_tuple_t *tuple, eas_session_t *session, const char *folder,
                         apr_pool_t *pool)
{
    *tuple = (eas_mail_tuple_t){.validity = 1, .next = 5, .total = 4, .unread = 4};
    return NULL;
}

static eas_err_t *mail_rows(const eas_mail_row_t **out, apr_size_t *count, eas_session_t *session,
                            const char *folder, apr_size_t limit, apr_pool_t *pool)
{
    static const eas_mail_row_t all[] = {
        {4, 1714532400, 0, 0}, {3, 1714528800, 0, 0}, {2, 1714507200, 0, 0}, {1, 1714500000, 0, 0}};
    *out = all;
    *count = limit && limit < 4 ? limit : 4;
    return NULL;
}

static eas_err_t *source(eas_span_t *out, eas_session_t *session, const char *folder,
                         apr_uint32_t uid, apr_pool_t *pool)
{
    static const char text[] =
        "From: a@example.org\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n"
        "<p>some <b>text</b></p>\r\n";
    static const char parts[] =
        "From: a@example.org\r\nSubject: y\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;"
        " boundary=b\r\n\r\n--b\r\n\r\nsee there\r\n--b\r\nContent-Type: image/png; name=a.png\r\n"
        "Content-Disposition: attachment\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\nMDEyMzQ1\r\n--b--";
    if (uid == 3)
        return eas_err_create(pool, EAS_E_INTERNAL, "fuzz", "broken");
    if (uid > 4)
        return eas_err_create(pool, EAS_E_NOT_FOUND, "fuzz", "no such mail");
    *out = uid == 2 ? (eas_span_t){parts, sizeof(parts) - 1} : (eas_span_t){text, sizeof(text) - 1};
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
static const eas_be_mail_t mail_group = {.status = status, .rows = mail_rows, .source = source,
                                         .set_flags = set_flags, .remove = mail_remove};
static eas_backend_t backend = {
    .name = "ox", .session = &session_group, .folders = &folders_group, .mail = &mail_group};

/* The key of the Inbox at four mails sent, always the same number. */
static const char *prime(const eas_env_t *env, apr_pool_t *pool)
{
    eas_sync_cfg_t cfg = {.be = env->be, .store = env->store, .cache = env->cache,
                          .max_devices = 5, .flag_peek = APR_USEC_PER_SEC,
                          .flag_refresh = APR_USEC_PER_SEC};
    const eas_hchange_t *changes;
    const char *key = NULL;
    eas_coll_t *coll;
    int count, code;
    eas_state_t *st;

    if (eas_state_open(&st, &cfg, &who, "p", pool) ||
        eas_hierarchy_sync(&key, &changes, &count, &code, st, NULL, "0", pool) ||
        eas_coll_open(&coll, &code, st, "2", "0", pool) || eas_coll_finish(&key, coll) ||
        eas_state_commit(st))
        abort();
    eas_state_close(st);
    return key;
}

/* Every "KEY" becomes the key. */
static eas_span_t with_key(const uint8_t *data, size_t size, const char *key, apr_pool_t *pool)
{
    size_t n = strlen(key);
    char *out = apr_palloc(pool, (size / 3 + 1) * n + size + 1);
    eas_span_t body = {out, 0};

    for (size_t i = 0; i < size;) {
        if (size - i >= 3 && memcmp(data + i, "KEY", 3) == 0) {
            memcpy(out + body.len, key, n);
            body.len += n;
            i += 3;
        } else {
            out[body.len++] = (char)data[i++];
        }
    }
    return body;
}

/* Containers which phones do not take empty. */
static void check(const eas_node_t *n)
{
    static const eas_tag_t full[] = {EAS_AIRSYNC_COLLECTIONS, EAS_AIRSYNC_COLLECTION,
                                     EAS_AIRSYNC_COMMANDS, EAS_AIRSYNC_RESPONSES,
                                     EAS_ITEMOPERATIONS_RESPONSE, EAS_GETITEMESTIMATE_RESPONSE};
    for (unsigned i = 0; i < sizeof(full) / sizeof(full[0]); i++)
        if (n->tag == full[i] && !n->first)
            abort();
    if (n->tag == EAS_AIRSYNC_MOREAVAILABLE && n->parent->tag != EAS_AIRSYNC_COLLECTION)
        abort();
    for (n = n->first; n; n = n->next)
        check(n);
}

static void check_document(const char *data, apr_size_t len, eas_cmd_t cmd, apr_pool_t *pool)
{
    eas_node_t *root;

    if (eas_wbxml_read(&root, data, len, &eas_wbxml_limits, pool) || root->tag != eas_cmd_root(cmd))
        abort();
    check(root);
}

static apr_uint32_t le32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return u[0] | (apr_uint32_t)u[1] << 8 | (apr_uint32_t)u[2] << 16 | (apr_uint32_t)u[3] << 24;
}

static void check_answer(const eas_resp_t *resp, const eas_req_t *req)
{
    const eas_span_t *b = &resp->body;

    if (resp->http_status != 200 || !b->len) {
        if (resp->http_status < 200 || resp->http_status > 599)
            abort();
    } else if (strcmp(resp->content_type, EAS_WBXML_TYPE) == 0) {
        check_document(b->data, b->len, req->cmd, req->pool);
    } else if (strcmp(resp->content_type, EAS_MULTIPART_TYPE) == 0) {
        apr_uint32_t n = le32(b->data);
        if (n < 1 || b->len < 4 + 8 * (apr_size_t)n)
            abort();
        for (apr_uint32_t i = 0; i < n; i++)
            if ((apr_size_t)le32(b->data + 4 + 8 * i) + le32(b->data + 8 + 8 * i) > b->len)
                abort();
        check_document(b->data + le32(b->data + 4), le32(b->data + 8), req->cmd, req->pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int versions[] = {EAS_V25,  EAS_V120, EAS_V121, EAS_V140,
                                   EAS_V141, EAS_V160, EAS_V161};
    static const eas_cmd_t cmds[] = {EAS_CMD_SYNC, EAS_CMD_FOLDERSYNC, EAS_CMD_GETITEMESTIMATE,
                                     EAS_CMD_ITEMOPERATIONS, EAS_CMD_GETATTACHMENT};
    static apr_pool_t *whole;
    static eas_keyring_t *ring;
    eas_store_t *store;
    apr_pool_t *pool;

    if (!whole) {
        apr_initialize();
        apr_pool_create(&whole, NULL);
        if (eas_keyring_random(&ring, whole))
            abort();
    }
    if (size < 2)
        return 0;
    apr_pool_create(&pool, NULL);
    if (eas_store_memory_create(&store, pool))
        abort();
    eas_env_t env = {.be = &backend,
                     .store = store,
                     .cache = eas_mem_cache_create(pool),
                     .keys = ring,
                     .ceiling = EAS_V161,
                     .max_devices = 5,
                     .max_collections = 5,
                     .response_budget = 1 << 16,
                     .time_budget = APR_USEC_PER_SEC,
                     .flag_peek = 0,
                     .flag_refresh = APR_USEC_PER_SEC,
                     .trace_max = 4096};
    eas_req_t req = {.pool = pool, .version = versions[data[0] % 7], .cmd = cmds[data[1] % 5],
                     .device_id = "p", .device_type = "t", .trace = data[0] & 0x40,
                     .accept_multipart = data[0] & 0x80};
    req.cmd_name = eas_cmd_name(req.cmd);
    req.body = with_key(data + 2, size - 2, prime(&env, pool), pool);
    if (req.cmd == EAS_CMD_GETATTACHMENT)
        req.attachment_name = apr_pstrmemdup(pool, req.body.data, req.body.len);
    for (int i = 0; i < 2; i++) { /* the second one is a repeat */
        eas_resp_t resp = {.headers = apr_table_make(pool, 4)};
        eas_command_run(&resp, &req, &env, NULL);
        check_answer(&resp, &req);
    }
    apr_pool_destroy(pool);
    return 0;
}
