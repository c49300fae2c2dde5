/* SPDX-License-Identifier: Apache-2.0 */
/* GetItemEstimate: how many changes the next Sync would bring; MS-ASCMD 2.2.1.9, protocol digest
 * 5.4. Works like Sync up to the point where changes would be picked, and keeps nothing. */
#include <apr_strings.h>
#include "cmd_sync.h"

enum { EST_OK = 1, EST_COLLECTION = 2, EST_NOT_PRIMED = 3, EST_KEY = 4 };

#define EST_COLLECTIONS_MAX 1000

typedef struct estimate_t {
    const char *klass, *cid;
    int status;
    apr_size_t count;
} estimate_t;

/* FilterType stands in Options from 14.0, directly in the Collection before. Unlike in Sync, a
 * value that mail folders do not know is an error. */
static int read_filter(int *filter, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *options = eas_node_child(node, EAS_AIRSYNC_OPTIONS);
    const eas_node_t *f = eas_node_child(options ? options : node, EAS_AIRSYNC_FILTERTYPE);
    sync_opts_t opts;
    apr_int64_t v = 0;
    int has;

    *filter = 0;
    if (f && !eas_node_int(&v, f, 0, 8))
        return EAS_STATUS_INVALID_XML;
    if (v > 5)
        return EAS_STATUS_SERVER_ERROR;
    *filter = (int)v;
    return sync_parse_options(&opts, &has, ctx, node) ? EAS_STATUS_INVALID_XML : 0;
}

static eas_err_t *count(estimate_t *est, eas_ctx_t *ctx, eas_state_t *st, const char *key,
                        int filter)
{
    eas_coll_t *coll;
    int status;
    eas_err_t *err;

    if (strcmp(key, "0") == 0) {
        est->status = EST_NOT_PRIMED;
        return NULL;
    }
    err = eas_coll_open(&coll, &status, st, est->cid, key, ctx->pool);
    if (err)
        return err;
    if (status != 1) {
        est->status = status == 3 ? EST_KEY : EST_COLLECTION;
        return NULL;
    }
    if (ctx->req->version >= EAS_V160 && eas_coll_folder(coll)->role == EAS_ROLE_DRAFTS)
        filter = 0; /* as in Sync */
    eas_coll_set_view(coll, filter, mailitem_visible(ctx->req->version));
    err = eas_coll_refresh(coll, ctx->session);
    if (err)
        return err;
    est->status = EST_OK;
    est->count = eas_coll_pending(coll);
    return NULL;
}

/* *status: a Status for the whole answer, or 0. */
static eas_err_t *one(estimate_t *est, int *status, eas_ctx_t *ctx, eas_state_t *st,
                      const eas_node_t *node)
{
    const char *key = eas_node_child_str(node, EAS_AIRSYNC_SYNCKEY, ctx->pool);
    int filter;
    eas_err_t *err;

    est->cid = eas_node_child_str(node, EAS_GETITEMESTIMATE_COLLECTIONID, ctx->pool);
    est->klass = eas_node_child_str(node, EAS_GETITEMESTIMATE_CLASS, ctx->pool);
    if (!est->cid || !*est->cid || strlen(est->cid) > 64) {
        *status = EAS_STATUS_INVALID_XML;
        return NULL;
    }
    if ((*status = read_filter(&filter, ctx, node)) == EAS_STATUS_SERVER_ERROR)
        return NULL;
    if (*status || !key || !*key) {
        est->status = EAS_STATUS_INVALID_XML; /* of this collection only */
        *status = 0;
        return NULL;
    }
    err = count(est, ctx, st, key, filter);
    if (err && !command_fatal(err)) {
        command_log(ctx, err);
        est->status =
            err->kind == EAS_E_GONE || err->kind == EAS_E_STATE ? EST_KEY : EST_COLLECTION;
        err = NULL;
    }
    return err;
}

static eas_err_t *answer(eas_ctx_t *ctx, const estimate_t *est, int n)
{
    eas_writer_t *w = eas_writer_create(ctx->pool);
    int i;
    eas_w_open(w, EAS_GETITEMESTIMATE_GETITEMESTIMATE);
    for (i = 0; i < n; i++) {
        eas_w_open(w, EAS_GETITEMESTIMATE_RESPONSE);
        eas_w_int(w, EAS_GETITEMESTIMATE_STATUS, est[i].status);
        if (est[i].status == EST_OK) {
            eas_w_open(w, EAS_GETITEMESTIMATE_COLLECTION);
            if (ctx->req->version < EAS_V140 && est[i].klass)
                eas_w_str(w, EAS_GETITEMESTIMATE_CLASS, est[i].klass);
            eas_w_str(w, EAS_GETITEMESTIMATE_COLLECTIONID, est[i].cid);
            eas_w_int(w, EAS_GETITEMESTIMATE_ESTIMATE, (apr_int64_t)est[i].count);
            eas_w_close(w);
        }
        eas_w_close(w);
    }
    eas_w_close(w);
    return command_answer(ctx, w);
}

eas_err_t *cmd_getitemestimate(eas_ctx_t *ctx)
{
    const eas_node_t *cols = eas_node_child(ctx->root, EAS_GETITEMESTIMATE_COLLECTIONS), *node;
    estimate_t *est;
    eas_state_t *st;
    int n = 0, status = 0;
    eas_err_t *err = NULL;

    for (node = eas_node_child(cols, EAS_GETITEMESTIMATE_COLLECTION); node;
         node = eas_node_next(node, EAS_GETITEMESTIMATE_COLLECTION))
        n++;
    if (!n || n > EST_COLLECTIONS_MAX) {
        err = eas_err_create(ctx->pool, EAS_E_BAD_REQUEST, "command.estimate",
                             "%d collections asked for", n);
        err->status = EAS_STATUS_INVALID_XML;
        return err;
    }
    est = apr_pcalloc(ctx->pool, sizeof(*est) * (apr_size_t)n);
    if ((err = command_state(&st, ctx)))
        return err;
    n = 0;
    for (node = eas_node_child(cols, EAS_GETITEMESTIMATE_COLLECTION); node && !err && !status;
         node = eas_node_next(node, EAS_GETITEMESTIMATE_COLLECTION))
        err = one(&est[n++], &status, ctx, st, node);
    eas_state_close(st);
    if (!err && status) {
        err = eas_err_create(ctx->pool, EAS_E_BAD_REQUEST, "command.estimate",
                             "a collection is asked for in a wrong form");
        err->status = status;
    }
    return err ? err : answer(ctx, est, n);
}
