/* SPDX-License-Identifier: Apache-2.0 */
/* Sync: from request to answer. The order that matters: everything is worked out, the state is
 * committed, then the answer leaves. */
#include <apr_strings.h>
#include "cmd_sync.h"
#include "eas_time.h"

/* "Sync ( Status n [Limit] )": errors of the whole request. */
static eas_err_t *global_status(eas_ctx_t *ctx, int status, int limit)
{
    eas_writer_t *w = eas_writer_create(ctx->pool);
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_int(w, EAS_AIRSYNC_STATUS, status);
    if (status == SYNC_INTERVAL || status == SYNC_FOLDERS)
        eas_w_int(w, EAS_AIRSYNC_LIMIT, limit);
    eas_w_close(w);
    ctx->resp->note = apr_psprintf(ctx->pool, "status=%d", status);
    return command_answer(ctx, w);
}

/* ---- empty and partial requests ---- */

/* Takes collections that the phone did not name from its last request. Their keys are those that
 * the phone presented; if a newer one was issued since, nobody knows whether the phone got it, and
 * it has to say so itself: Status 13. */
static eas_err_t *complete(int *status, sync_request_t *request, eas_ctx_t *ctx, eas_state_t *st)
{
    sync_request_t last;
    sync_want_t *all;
    apr_size_t len;
    const void *blob = eas_request_recall(&len, st, ctx->pool);
    int i, j, n = 0;

    *status = SYNC_INCOMPLETE;
    if (!blob || !sync_request_load(&last, blob, len, ctx->pool))
        return NULL;
    all = apr_pcalloc(ctx->pool, sizeof(*all) * (apr_size_t)(last.n + request->n));
    for (i = 0; i < last.n; i++) {
        const char *newest;
        eas_err_t *err;
        for (j = 0; j < request->n; j++)
            if (strcmp(request->want[j].cid, last.want[i].cid) == 0)
                break;
        if (j < request->n)
            continue;
        err = eas_coll_newest_key(&newest, st, last.want[i].cid, ctx->pool);
        if (err && command_fatal(err))
            return err;
        if (err || !newest || strcmp(newest, last.want[i].key) != 0)
            return NULL;
        all[n++] = last.want[i];
    }
    for (j = 0; j < request->n; j++)
        all[n++] = request->want[j];
    if (n > ctx->env->max_collections) {
        *status = SYNC_FOLDERS;
        request->limit = ctx->env->max_collections;
        return NULL;
    }
    request->want = all;
    request->n = n;
    if (!request->window)
        request->window = last.window;
    if (!request->wait)
        request->wait = last.wait;
    *status = 0;
    return NULL;
}

/* Remembers a request that may be repeated: one without commands and without key 0. */
static void remember(const sync_request_t *request, eas_ctx_t *ctx, eas_state_t *st)
{
    const void *blob = "";
    apr_size_t len = 0;
    int i;
    if (ctx->req->version < EAS_V121)
        return;
    for (i = 0; i < request->n; i++)
        if (request->want[i].ncmds || request->want[i].nfetches ||
            strcmp(request->want[i].key, "0") == 0)
            break;
    if (i == request->n)
        sync_request_dump(&blob, &len, request, ctx->pool);
    eas_request_keep(st, blob, len);
}

/* ---- the answer ---- */

static void write_collection(eas_writer_t *w, const sync_done_t *done, int version)
{
    eas_w_open(w, EAS_AIRSYNC_COLLECTION);
    if (version < EAS_V140 && done->want->klass)
        eas_w_str(w, EAS_AIRSYNC_CLASS, done->want->klass);
    eas_w_str(w, EAS_AIRSYNC_SYNCKEY, done->key);
    eas_w_str(w, EAS_AIRSYNC_COLLECTIONID, done->want->cid);
    eas_w_int(w, EAS_AIRSYNC_STATUS, done->status);
    if (done->more)
        eas_w_empty(w, EAS_AIRSYNC_MOREAVAILABLE);
    if (done->commands) {
        eas_w_open(w, EAS_AIRSYNC_COMMANDS);
        eas_w_splice(w, done->commands);
        eas_w_close(w);
    }
    if (done->responses) {
        eas_w_open(w, EAS_AIRSYNC_RESPONSES);
        eas_w_splice(w, done->responses);
        eas_w_close(w);
    }
    eas_w_close(w);
}

static eas_err_t *write_answer(eas_ctx_t *ctx, const sync_done_t *done, int n, int wait)
{
    int all = ctx->req->version < EAS_V121, news = 0, i;
    eas_writer_t *w;

    for (i = 0; i < n; i++)
        news += done[i].news;
    if (!news && !all) {
        if (wait) {
            /* Nothing to bring, and the phone would ask again at once: let it come back later. */
            ctx->resp->http_status = 503;
            ctx->resp->retry_after = 60;
            ctx->resp->note = "wait";
        } else {
            ctx->resp->note = "unchanged";
        }
        return NULL;
    }
    w = eas_writer_create(ctx->pool);
    eas_w_open(w, EAS_AIRSYNC_SYNC);
    eas_w_open(w, EAS_AIRSYNC_COLLECTIONS);
    for (i = 0; i < n; i++)
        if (all || done[i].news)
            write_collection(w, &done[i], ctx->req->version);
    eas_w_close(w);
    eas_w_close(w);
    ctx->resp->note = apr_psprintf(ctx->pool, "collections=%d", all ? n : news);
    return command_answer(ctx, w);
}

/* ---- the request ---- */

/* Works the collections through in their order. An error that ends the request counts only when
 * nothing was achieved yet; later it is Status 5 of its collection. */
static eas_err_t *collections(sync_done_t *done, int *achieved, const sync_request_t *request,
                              eas_ctx_t *ctx, eas_state_t *st)
{
    sync_left_t left = {.window = request->window ? request->window
                                                  : SYNC_WINDOW_MAX * ctx->env->max_collections,
                        .bytes = ctx->env->response_budget,
                        .deadline = eas_now() + ctx->env->time_budget};
    int i;
    *achieved = 0;
    for (i = 0; i < request->n; i++) {
        eas_err_t *err = sync_collection(&done[i], &left, ctx, st, &request->want[i]);
        if (err) {
            if (!*achieved || err->kind == EAS_E_CREDENTIALS || err->kind == EAS_E_FORBIDDEN)
                return err;
            command_log(ctx, err);
            done[i].status = SYNC_SERVER;
            done[i].key = request->want[i].key;
            done[i].commands = done[i].responses = NULL;
            done[i].more = 0;
            done[i].news = 1;
        }
        *achieved |= done[i].news && done[i].status == SYNC_OK;
    }
    return NULL;
}

static eas_err_t *run(int *status, sync_request_t *request, sync_done_t **done, eas_ctx_t *ctx,
                      eas_state_t *st)
{
    int achieved;
    eas_err_t *err;

    *status = 0;
    if (!ctx->root || request->partial) {
        err = complete(status, request, ctx, st);
        if (err || *status)
            return err;
    }
    *done = apr_pcalloc(ctx->pool, sizeof(**done) * (apr_size_t)(request->n + 1));
    err = collections(*done, &achieved, request, ctx, st);
    if (!err)
        err = eas_state_commit(st);
    if (!err)
        remember(request, ctx, st);
    return err;
}

eas_err_t *cmd_sync(eas_ctx_t *ctx)
{
    sync_request_t request;
    sync_done_t *done = NULL;
    eas_state_t *st;
    int status = 0;
    eas_err_t *err;

    memset(&request, 0, sizeof(request));
    if (!ctx->root && ctx->req->version < EAS_V121) {
        err = eas_err_create(ctx->pool, EAS_E_BAD_REQUEST, "command.sync", "empty body");
        err->status = EAS_STATUS_INVALID_CONTENT;
        return err;
    }
    if (ctx->root && ((err = sync_parse(&request, &status, ctx))))
        return err;
    if (status)
        return global_status(ctx, status, request.limit);
    err = command_state(&st, ctx);
    if (err && err->kind == EAS_E_BUSY) {
        command_log(ctx, err);
        return global_status(ctx, SYNC_RETRY, 0);
    }
    if (err)
        return err;
    err = run(&status, &request, &done, ctx, st);
    eas_state_close(st);
    if (err)
        return err;
    if (status)
        return global_status(ctx, status, request.limit);
    return write_answer(ctx, done, request.n, request.wait);
}
