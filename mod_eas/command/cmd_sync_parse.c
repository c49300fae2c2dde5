/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a Sync request. All that is wrong with its form is found before anything is done; a
 * protocol error of one collection is the answer to all (protocol digest 5.1.1). */
#include <apr_strings.h>
#include "cmd_sync.h"
#include "eas_buf.h"

#define ID_MAX 64
#define WAIT_MAX_MINUTES 59
#define HEARTBEAT_MIN 60
#define HEARTBEAT_MAX 3540

/* ---- options ---- */

void sync_opts_default(sync_opts_t *opts, int version)
{
    memset(opts, 0, sizeof(*opts));
    opts->mail.version = version;
    opts->mail.truncation = opts->mail.mime_truncation = -1;
}

static void pref_write(eas_buf_t *b, const eas_bodypref_t *p)
{
    eas_buf_u8(b, (unsigned)p->type);
    eas_buf_u8(b, (unsigned)p->has_truncation);
    eas_buf_var(b, p->truncation);
    eas_buf_u8(b, (unsigned)p->all_or_none);
    eas_buf_u8(b, (unsigned)p->preview);
}

static void pref_read(eas_bodypref_t *p, eas_rd_t *rd)
{
    p->type = (int)eas_rd_u8(rd);
    p->has_truncation = (int)eas_rd_u8(rd);
    p->truncation = (apr_size_t)eas_rd_var(rd);
    p->all_or_none = (int)eas_rd_u8(rd);
    p->preview = (int)eas_rd_u8(rd);
}

#define OPTS_FORMAT 1

void sync_opts_dump(const void **blob, apr_size_t *len, const sync_opts_t *opts, apr_pool_t *pool)
{
    const eas_mail_opts_t *m = &opts->mail;
    eas_buf_t b;
    int i;
    eas_buf_init(&b, 64, pool);
    eas_buf_u8(&b, OPTS_FORMAT);
    eas_buf_u8(&b, (unsigned)opts->filter);
    eas_buf_u8(&b, (unsigned)m->nprefs);
    for (i = 0; i < m->nprefs; i++)
        pref_write(&b, &m->prefs[i]);
    eas_buf_u8(&b, (unsigned)m->has_part);
    if (m->has_part)
        pref_write(&b, &m->part);
    eas_buf_u8(&b, (unsigned)m->mime_support);
    eas_buf_u8(&b, (unsigned)(m->mime_truncation + 1));
    eas_buf_u8(&b, (unsigned)(m->truncation + 1));
    *blob = b.data;
    *len = b.len;
}

int sync_opts_load(sync_opts_t *opts, const void *blob, apr_size_t len)
{
    eas_mail_opts_t *m = &opts->mail;
    eas_rd_t rd;
    int i;
    eas_rd_init(&rd, blob, len);
    if (eas_rd_u8(&rd) != OPTS_FORMAT)
        return 0;
    opts->filter = (int)eas_rd_u8(&rd);
    m->nprefs = (int)eas_rd_u8(&rd);
    if (m->nprefs > EAS_BODYPREF_MAX)
        return 0;
    for (i = 0; i < m->nprefs; i++)
        pref_read(&m->prefs[i], &rd);
    m->has_part = (int)eas_rd_u8(&rd);
    if (m->has_part)
        pref_read(&m->part, &rd);
    m->mime_support = (int)eas_rd_u8(&rd);
    m->mime_truncation = (int)eas_rd_u8(&rd) - 1;
    m->truncation = (int)eas_rd_u8(&rd) - 1;
    return eas_rd_done(&rd);
}

/* One Options of a mail collection, or none for another class (SMS). */
static int parse_option(sync_opts_t *opts, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *n, *filter = NULL;
    apr_int64_t v;
    eas_err_t *err;

    sync_opts_default(opts, ctx->req->version);
    for (n = eas_node_child(node, EAS_AIRSYNC_FILTERTYPE); n;
         n = eas_node_next(n, EAS_AIRSYNC_FILTERTYPE))
        filter = n; /* a repeated child: the last one counts */
    if (filter) {
        if (!eas_node_int(&v, filter, 0, 7))
            return SYNC_PROTOCOL;
        opts->filter = v > 5 ? 5 : (int)v; /* mail knows no window above a month */
    }
    err = eas_mail_read_options(&opts->mail, node, ctx->req->version, ctx->pool);
    if (err)
        return err->status ? err->status : SYNC_PROTOCOL;
    return 0;
}

int sync_parse_options(sync_opts_t *opts, int *has_options, eas_ctx_t *ctx,
                       const eas_node_t *parent)
{
    const eas_node_t *node = eas_node_child(parent, EAS_AIRSYNC_OPTIONS);
    int emails = 0, sms = 0;

    *has_options = 0;
    sync_opts_default(opts, ctx->req->version);
    for (; node; node = eas_node_next(node, EAS_AIRSYNC_OPTIONS)) {
        const char *klass = eas_node_child_str(node, EAS_AIRSYNC_CLASS, ctx->pool);
        int status;
        if (klass && strcmp(klass, "SMS") == 0) {
            sms++;
            continue; /* text messages are not kept here; only mail's Options count */
        }
        if (klass && strcmp(klass, "Email") != 0)
            return SYNC_PROTOCOL;
        emails++;
        status = parse_option(opts, ctx, node);
        if (status)
            return status;
        *has_options = 1;
    }
    return emails > 1 || sms > 1 ? SYNC_PROTOCOL : 0;
}

/* ---- commands of the phone ---- */

static void digest_tree(unsigned char out[EAS_HASH_LEN], const eas_node_t *node)
{
    const eas_node_t *c;
    unsigned char next[EAS_HASH_LEN * 2 + 2];
    memset(next, 0, sizeof(next));
    if (node->data)
        eas_sha256(next, node->data, node->len);
    for (c = node->first; c; c = c->next) {
        digest_tree(next + EAS_HASH_LEN, c);
        eas_sha256(next, next, EAS_HASH_LEN * 2);
    }
    next[EAS_HASH_LEN] = (unsigned char)(node->tag >> 8);
    next[EAS_HASH_LEN + 1] = (unsigned char)node->tag;
    eas_sha256(out, next, EAS_HASH_LEN + 2);
}

static int parse_change(eas_ccmd_t *cmd, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *data = eas_node_child(node, EAS_AIRSYNC_APPLICATIONDATA);
    eas_mail_change_t change;
    if (!data)
        return ctx->req->version >= EAS_V160 ? 0 : SYNC_PROTOCOL;
    if (eas_mail_read_change(&change, data, ctx->req->version, ctx->pool)) {
        cmd->status = SYNC_CONVERSION;
        return 0;
    }
    if (change.read >= 0)
        *(change.read ? &cmd->set : &cmd->clear) |= EAS_MF_SEEN;
    if (change.flagged >= 0) /* a completed follow-up is no flag in OX */
        *(change.flagged == 1 ? &cmd->set : &cmd->clear) |= EAS_MF_FLAGGED;
    return 0;
}

static const struct {
    eas_tag_t tag, id;
    eas_cop_t op; /* 0: Fetch */
} command_tags[] = {
    {EAS_AIRSYNC_ADD, EAS_AIRSYNC_CLIENTID, EAS_C_ADD},
    {EAS_AIRSYNC_CHANGE, EAS_AIRSYNC_SERVERID, EAS_C_CHANGE},
    {EAS_AIRSYNC_DELETE, EAS_AIRSYNC_SERVERID, EAS_C_DELETE},
    {EAS_AIRSYNC_FETCH, EAS_AIRSYNC_SERVERID, 0},
};

static int parse_command(sync_want_t *want, eas_ctx_t *ctx, const eas_node_t *node)
{
    unsigned char digest[EAS_HASH_LEN];
    eas_ccmd_t *cmd;
    const char *id;
    unsigned i;

    for (i = 0; i < sizeof(command_tags) / sizeof(command_tags[0]); i++)
        if (command_tags[i].tag == node->tag)
            break;
    if (i == sizeof(command_tags) / sizeof(command_tags[0]))
        return SYNC_PROTOCOL;
    id = eas_node_child_str(node, command_tags[i].id, ctx->pool);
    if (!id || !*id || strlen(id) > ID_MAX)
        return SYNC_PROTOCOL;
    if (!command_tags[i].op) {
        want->fetches[want->nfetches++] = id;
        return 0;
    }
    cmd = &want->cmds[want->ncmds++];
    cmd->op = command_tags[i].op;
    cmd->id = id;
    cmd->status = SYNC_OK;
    digest_tree(digest, node);
    memcpy(cmd->digest, digest, sizeof(cmd->digest));
    if (cmd->op == EAS_C_ADD && !eas_node_child(node, EAS_AIRSYNC_APPLICATIONDATA))
        return SYNC_PROTOCOL;
    return cmd->op == EAS_C_CHANGE ? parse_change(cmd, ctx, node) : 0;
}

static int parse_commands(sync_want_t *want, eas_ctx_t *ctx, const eas_node_t *commands)
{
    const eas_node_t *n;
    int count = 0, status = 0;
    for (n = eas_node_child(commands, 0); n; n = eas_node_next(n, 0))
        count++;
    if (count > SYNC_COMMANDS_MAX)
        return SYNC_PROTOCOL;
    want->cmds = apr_pcalloc(ctx->pool, sizeof(*want->cmds) * (apr_size_t)(count + 1));
    want->fetches = apr_pcalloc(ctx->pool, sizeof(*want->fetches) * (apr_size_t)(count + 1));
    for (n = eas_node_child(commands, 0); n && !status; n = eas_node_next(n, 0))
        status = parse_command(want, ctx, n);
    return status;
}

/* ---- collections ---- */

static int parse_window(int *window, const eas_node_t *node, int dflt)
{
    apr_int64_t v;
    *window = dflt;
    if (!node)
        return 0;
    if (!eas_node_int(&v, node, 0, 1000000))
        return SYNC_PROTOCOL;
    *window = v == 0 || v > SYNC_WINDOW_MAX ? SYNC_WINDOW_MAX : (int)v;
    return 0;
}

/* Supported before CollectionId is an error of its own; the other order of children is not
 * judged. */
static int wrong_order(const eas_node_t *node)
{
    const eas_node_t *n;
    for (n = eas_node_child(node, 0); n; n = eas_node_next(n, 0)) {
        if (n->tag == EAS_AIRSYNC_COLLECTIONID)
            return 0;
        if (n->tag == EAS_AIRSYNC_SUPPORTED)
            return 1;
    }
    return 0;
}

static int parse_collection(sync_want_t *want, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *changes = eas_node_child(node, EAS_AIRSYNC_GETCHANGES);
    int status;

    want->key = eas_node_child_str(node, EAS_AIRSYNC_SYNCKEY, ctx->pool);
    want->cid = eas_node_child_str(node, EAS_AIRSYNC_COLLECTIONID, ctx->pool);
    want->klass = eas_node_child_str(node, EAS_AIRSYNC_CLASS, ctx->pool);
    if (!want->key || !*want->key || strlen(want->key) > ID_MAX || !want->cid || !*want->cid ||
        strlen(want->cid) > ID_MAX || wrong_order(node))
        return SYNC_PROTOCOL;
    if (want->klass && strcmp(want->klass, "Email") != 0)
        return SYNC_PROTOCOL; /* there are only mail folders to name */
    want->deletes_as_moves = eas_node_bool(eas_node_child(node, EAS_AIRSYNC_DELETESASMOVES), 1);
    want->get_changes = eas_node_bool(changes, -1);
    if (want->deletes_as_moves < 0 || (changes && want->get_changes < 0))
        return SYNC_PROTOCOL;
    if (strcmp(want->key, "0") == 0 && want->get_changes == 1)
        return SYNC_PROTOCOL;
    if ((status = parse_window(&want->window, eas_node_child(node, EAS_AIRSYNC_WINDOWSIZE),
                               SYNC_WINDOW_DEFAULT)) ||
        (status = sync_parse_options(&want->opts, &want->has_options, ctx, node)))
        return status;
    return parse_commands(want, ctx, eas_node_child(node, EAS_AIRSYNC_COMMANDS));
}

static int parse_collections(sync_request_t *request, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *c;
    int count = 0, status = 0, i;

    for (c = eas_node_child(node, EAS_AIRSYNC_COLLECTION); c;
         c = eas_node_next(c, EAS_AIRSYNC_COLLECTION))
        count++;
    if (!count)
        return SYNC_PROTOCOL;
    if (count > ctx->env->max_collections) {
        request->limit = ctx->env->max_collections;
        return SYNC_FOLDERS;
    }
    request->want = apr_pcalloc(ctx->pool, sizeof(*request->want) * (apr_size_t)count);
    for (c = eas_node_child(node, EAS_AIRSYNC_COLLECTION); c && !status;
         c = eas_node_next(c, EAS_AIRSYNC_COLLECTION)) {
        sync_want_t *want = &request->want[request->n];
        status = parse_collection(want, ctx, c);
        for (i = 0; i < request->n && !status; i++)
            if (strcmp(request->want[i].cid, want->cid) == 0)
                status = SYNC_PROTOCOL; /* named twice */
        request->n++;
    }
    return status;
}

/* Wait (minutes) and HeartbeatInterval (seconds). */
static int parse_wait(sync_request_t *request, eas_ctx_t *ctx)
{
    const eas_node_t *wait = eas_node_child(ctx->root, EAS_AIRSYNC_WAIT);
    const eas_node_t *beat = eas_node_child(ctx->root, EAS_AIRSYNC_HEARTBEATINTERVAL);
    apr_int64_t v;

    if (wait && beat)
        return SYNC_PROTOCOL;
    if (wait) {
        if (!eas_node_int(&v, wait, 0, 1000000))
            return SYNC_PROTOCOL;
        request->wait = (int)v * 60;
        request->limit = v < 1 ? 1 : WAIT_MAX_MINUTES;
        if (v < 1 || v > WAIT_MAX_MINUTES)
            return SYNC_INTERVAL;
    }
    if (beat) {
        if (!eas_node_int(&v, beat, 0, 1000000))
            return SYNC_PROTOCOL;
        request->wait = (int)v;
        request->limit = v < HEARTBEAT_MIN ? HEARTBEAT_MIN : HEARTBEAT_MAX;
        if (v < HEARTBEAT_MIN || v > HEARTBEAT_MAX)
            return SYNC_INTERVAL;
    }
    return 0;
}

eas_err_t *sync_parse(sync_request_t *request, int *status, eas_ctx_t *ctx)
{
    const eas_node_t *cols = eas_node_child(ctx->root, EAS_AIRSYNC_COLLECTIONS);
    const eas_node_t *window = eas_node_child(ctx->root, EAS_AIRSYNC_WINDOWSIZE);

    memset(request, 0, sizeof(*request));
    request->partial = eas_node_child(ctx->root, EAS_AIRSYNC_PARTIAL) != NULL;
    request->has_collections = cols != NULL;
    *status = SYNC_PROTOCOL;
    if (!eas_node_child(ctx->root, 0))
        return NULL; /* an empty Sync element, not an empty body */
    if (!cols && (!request->partial || (!window && !eas_node_child(ctx->root, EAS_AIRSYNC_WAIT) &&
                                        !eas_node_child(ctx->root, EAS_AIRSYNC_HEARTBEATINTERVAL))))
        return NULL; /* nothing asked for; Partial alone neither */
    if ((*status = parse_wait(request, ctx)) ||
        (*status = parse_window(&request->window, window, 0)))
        return NULL;
    if (cols)
        *status = parse_collections(request, ctx, cols);
    return NULL;
}

/* ---- the request for an empty one ---- */

#define REQUEST_FORMAT 1

void sync_request_dump(const void **blob, apr_size_t *len, const sync_request_t *request,
                       apr_pool_t *pool)
{
    eas_buf_t b;
    int i;
    eas_buf_init(&b, 64 + (apr_size_t)request->n * 80, pool);
    eas_buf_u8(&b, REQUEST_FORMAT);
    eas_buf_var(&b, (apr_uint64_t)request->window);
    eas_buf_var(&b, (apr_uint64_t)request->wait);
    eas_buf_var(&b, (apr_uint64_t)request->n);
    for (i = 0; i < request->n; i++) {
        const sync_want_t *want = &request->want[i];
        eas_buf_str(&b, want->cid);
        eas_buf_str(&b, want->key);
        eas_buf_u8(&b, want->klass != NULL); /* "Email" where it stands */
        eas_buf_u8(&b, (unsigned)(want->get_changes + 1));
        eas_buf_var(&b, (apr_uint64_t)want->window);
    }
    *blob = b.data;
    *len = b.len;
}

int sync_request_load(sync_request_t *request, const void *blob, apr_size_t len, apr_pool_t *pool)
{
    apr_uint64_t i, n;
    eas_rd_t rd;
    memset(request, 0, sizeof(*request));
    eas_rd_init(&rd, blob, len);
    if (eas_rd_u8(&rd) != REQUEST_FORMAT)
        return 0;
    request->window = (int)eas_rd_var(&rd);
    request->wait = (int)eas_rd_var(&rd);
    n = eas_rd_var(&rd);
    if (rd.bad || n == 0 || n > len)
        return 0;
    request->want = apr_pcalloc(pool, sizeof(*request->want) * (apr_size_t)n);
    for (i = 0; i < n; i++) {
        sync_want_t *want = &request->want[i];
        want->cid = eas_rd_str(&rd, pool);
        want->key = eas_rd_str(&rd, pool);
        want->klass = eas_rd_u8(&rd) ? "Email" : NULL;
        want->get_changes = (int)eas_rd_u8(&rd) - 1;
        want->window = (int)eas_rd_var(&rd);
        want->deletes_as_moves = 1;
    }
    request->n = (int)n;
    return eas_rd_done(&rd);
}
