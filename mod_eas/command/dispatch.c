/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and the one place where errors become Status or HTTP and are logged. */
#include <apr_strings.h>
#include "command_priv.h"
#include "eas_log.h"
#include "eas_trace.h"

#define GONE_AFTER (10 * 1000) /* a wait for the lease that is worth a look, microseconds */

enum {
    NEEDS_FOLDERS = 1, /* backend groups without which a command is not offered */
    NEEDS_MAIL = 2,
    EMPTY_OK = 4,      /* an empty body means something (protocol digest 1.9) */
    NO_WBXML = 8,      /* the body, if any, is not WBXML */
};

static const struct command_t {
    eas_run_fn run;
    int flags;
} commands[EAS_CMD_COUNT] = {
    [EAS_CMD_SYNC] = {cmd_sync, NEEDS_MAIL | EMPTY_OK},
    [EAS_CMD_FOLDERSYNC] = {cmd_foldersync, NEEDS_FOLDERS},
    [EAS_CMD_GETITEMESTIMATE] = {cmd_getitemestimate, NEEDS_MAIL},
    [EAS_CMD_ITEMOPERATIONS] = {cmd_itemoperations, NEEDS_MAIL},
    [EAS_CMD_GETATTACHMENT] = {cmd_getattachment, NEEDS_MAIL | EMPTY_OK | NO_WBXML},
};

static int offered(const eas_env_t *env, int cmd)
{
    const struct command_t *c = &commands[cmd];
    return c->run && (!(c->flags & NEEDS_FOLDERS) || env->be->folders) &&
           (!(c->flags & NEEDS_MAIL) || env->be->mail);
}

const char *eas_commands_offered(const eas_env_t *env, apr_pool_t *pool)
{
    char *flags = apr_pcalloc(pool, EAS_CMD_COUNT);
    int i;
    for (i = 0; i < EAS_CMD_COUNT; i++)
        flags[i] = (char)offered(env, i);
    return flags;
}

eas_err_t *command_answer(eas_ctx_t *ctx, eas_writer_t *w)
{
    ctx->resp->content_type = EAS_WBXML_TYPE;
    return eas_w_finish(&ctx->resp->body, w);
}

eas_err_t *command_status(eas_ctx_t *ctx, int status)
{
    eas_writer_t *w = eas_writer_create(ctx->pool);
    eas_w_open(w, eas_cmd_root(ctx->req->cmd));
    eas_w_int(w, eas_cmd_status(ctx->req->cmd), status);
    eas_w_close(w);
    ctx->resp->note = apr_psprintf(ctx->pool, "status=%d", status);
    return command_answer(ctx, w);
}

eas_err_t *command_state(eas_state_t **st, eas_ctx_t *ctx)
{
    apr_time_t start = apr_time_now();
    eas_err_t *err = eas_state_open(st, &ctx->cfg, ctx->who, ctx->req->device_id, ctx->pool);
    /* A phone that gave up while its request waited behind another one has repeated it by now.
     * Served out of its turn it would only move the state on for nobody. */
    if (!err && apr_time_now() - start > GONE_AFTER && ctx->req->gone &&
        ctx->req->gone(ctx->req->log)) {
        eas_state_close(*st);
        err = eas_err_create(ctx->pool, EAS_E_BUSY, "command",
                             "the phone went away while its request waited");
    }
    return err;
}

int command_fatal(const eas_err_t *err)
{
    switch (err->kind) {
    case EAS_E_CREDENTIALS:
    case EAS_E_FORBIDDEN:
    case EAS_E_SESSION:
    case EAS_E_UNAVAILABLE:
    case EAS_E_BUSY:
    case EAS_E_NEWER:
        return 1;
    default:
        return 0;
    }
}

void command_log(eas_ctx_t *ctx, const eas_err_t *err)
{
    eas_log(ctx->req->log, EAS_LOG_WARN, "%s: %s", eas_cmd_name(ctx->req->cmd),
            eas_err_chain(err, ctx->pool));
}

/* Turns an error into the answer, and says so once. */
static void convert(eas_resp_t *resp, const eas_req_t *req, const eas_err_t *err)
{
    int status = err->status;
    eas_log(req->log, EAS_LOG_WARN, "%s: %s", req->cmd_name ? req->cmd_name : "-",
            eas_err_chain(err, req->pool));
    resp->body.data = NULL;
    resp->body.len = 0;
    resp->content_type = NULL;
    switch (err->kind) {
    case EAS_E_UNAVAILABLE: /* the only answer that costs nothing on any client: digest 1.7 */
    case EAS_E_BUSY:
    case EAS_E_SESSION:
    case EAS_E_NEWER:
        resp->http_status = 503;
        resp->retry_after = err->retry_after ? err->retry_after : 60;
        return;
    case EAS_E_CREDENTIALS:
    case EAS_E_TOO_LARGE:
        resp->http_status = eas_http_of_kind(err->kind);
        return;
    default:
        if (!status)
            status = eas_status_of_kind(err->kind, req->cmd);
        eas_resp_error(resp, req, status);
        resp->note = apr_psprintf(req->pool, "status=%d", status);
    }
}

static eas_err_t *bad(const eas_req_t *req, eas_kind_t kind, int status, const char *what)
{
    eas_err_t *err = eas_err_create(req->pool, kind, "command", "%s", what);
    err->status = status;
    return err;
}

/* Checks and decodes the body as far as all commands have it in common. */
static eas_err_t *decode(eas_ctx_t *ctx, const struct command_t *c)
{
    const eas_req_t *req = ctx->req;
    eas_node_t *root;
    eas_err_t *err;

    if (c->flags & NO_WBXML)
        return NULL;
    if (req->body.len == 0) {
        if (c->flags & EMPTY_OK)
            return NULL;
        return bad(req, EAS_E_BAD_REQUEST, EAS_STATUS_INVALID_CONTENT, "empty body");
    }
    err = eas_wbxml_read(&root, req->body.data, req->body.len, &eas_wbxml_limits, ctx->pool);
    if (err)
        return err;
    ctx->root = root;
    if (req->trace)
        eas_trace(req->log, "request", req, root, ctx->env->trace_max, ctx->pool);
    if (eas_cmd_of_tag(root->tag) != req->cmd)
        return bad(req, EAS_E_BAD_REQUEST, EAS_STATUS_INVALID_XML,
                   "the document is not the command's");
    return NULL;
}

static void trace_answer(eas_ctx_t *ctx)
{
    const eas_resp_t *resp = ctx->resp;
    eas_node_t *root = NULL;
    if (resp->body.len && resp->content_type && strcmp(resp->content_type, EAS_WBXML_TYPE) == 0 &&
        eas_wbxml_read(&root, resp->body.data, resp->body.len, &eas_wbxml_limits, ctx->pool))
        root = NULL;
    eas_trace_answer(ctx->req->log, ctx->req, resp, root, ctx->env->trace_max, ctx->pool);
}

void eas_command_run(eas_resp_t *resp, const eas_req_t *req, const eas_env_t *env,
                     eas_session_t *session)
{
    eas_ctx_t ctx = {.pool = req->pool, .req = req, .resp = resp, .env = env, .session = session};
    eas_err_t *err;

    if (!resp->http_status)
        resp->http_status = 200;
    ctx.who = env->be->session->identity(session);
    ctx.cfg = (eas_sync_cfg_t){.be = env->be,
                               .store = env->store,
                               .cache = env->cache,
                               .log = req->log,
                               .max_devices = env->max_devices,
                               .lease_wait = env->lease_wait,
                               .flag_peek = env->flag_peek,
                               .flag_refresh = env->flag_refresh};
    if (req->cmd < 0 || req->cmd >= EAS_CMD_COUNT || !offered(env, req->cmd) ||
        !eas_cmd_in_version(req->cmd, req->version)) {
        err = bad(req, EAS_E_UNSUPPORTED, EAS_STATUS_COMMAND_NOT_SUPPORTED,
                  "command is not offered in this version");
    } else {
        err = decode(&ctx, &commands[req->cmd]);
        if (!err)
            err = commands[req->cmd].run(&ctx);
    }
    if (err)
        convert(resp, req, err);
    if (req->trace)
        trace_answer(&ctx);
}
