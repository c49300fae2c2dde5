/* SPDX-License-Identifier: Apache-2.0 */
/* One collection of a Sync: the phone's commands, then the server's changes, as two fragments of
 * the answer. The engine's state is queued only when the whole collection went well. */
#include <apr_strings.h>
#include "cmd_sync.h"
#include "eas_log.h"
#include "eas_time.h"

#define PREVIEW_BLOCK 25

/* Previews of the backend for a block of changes, where the options can be served with them: many
 * mails by one call. */
typedef struct preview_t {
    int use;             /* the options can be served with previews */
    apr_size_t max_text;
    apr_pool_t *pool;    /* of the block */
    int from, to;        /* the changes of the block */
    eas_item_t *items[PREVIEW_BLOCK];
} preview_t;

typedef struct work_t {
    eas_ctx_t *ctx;
    const sync_want_t *want;
    sync_done_t *done;
    eas_coll_t *coll;
    sync_opts_t opts;
    int version;
    preview_t preview;
} work_t;

/* Options: new ones replace the old block whole, else the sticky ones count. */
static void settle_options(work_t *wk)
{
    const void *blob;
    apr_size_t len;
    if (wk->want->has_options) {
        wk->opts = wk->want->opts;
        sync_opts_dump(&blob, &len, &wk->opts, wk->ctx->pool);
        eas_coll_set_options(wk->coll, blob, len);
    } else {
        sync_opts_default(&wk->opts, wk->version);
        blob = eas_coll_options(&len, wk->coll);
        if (blob && !sync_opts_load(&wk->opts, blob, len))
            sync_opts_default(&wk->opts, wk->version);
    }
    wk->opts.mail.version = wk->version;
    /* drafts from 16.0 know no filter */
    if (wk->version >= EAS_V160 && eas_coll_folder(wk->coll)->role == EAS_ROLE_DRAFTS)
        wk->opts.filter = 0;
    eas_coll_set_view(wk->coll, wk->opts.filter, mailitem_visible(wk->version));
}

/* ---- items ---- */

/* Read and Flag travel alone; anything else that changed brings the whole item. */
static int only_flags(const eas_change_t *change)
{
    return change->op == EAS_OP_CHANGE && !(change->changed & ~(EAS_MF_SEEN | EAS_MF_FLAGGED));
}

static int needs_item(const eas_change_t *change)
{
    return !change->suspect && (change->op == EAS_OP_ADD ||
                                (change->op == EAS_OP_CHANGE && !only_flags(change)));
}

/* Asks for the previews of the next block. Where there is none, the source is read. */
static eas_err_t *load_previews(work_t *wk, const eas_change_t *changes, int at, int count)
{
    preview_t *pv = &wk->preview;
    apr_uint32_t uids[PREVIEW_BLOCK];
    eas_item_t *got[PREVIEW_BLOCK] = {0};
    int i, n = 0;
    eas_err_t *err;

    pv->from = at;
    pv->to = at + PREVIEW_BLOCK < count ? at + PREVIEW_BLOCK : count;
    memset(pv->items, 0, sizeof(pv->items));
    for (i = pv->from; i < pv->to; i++)
        if (needs_item(&changes[i]))
            uids[n++] = changes[i].uid;
    if (n < 2)
        return NULL; /* no call to be saved */
    apr_pool_clear(pv->pool);
    err = wk->ctx->env->be->mail->preview(got, wk->ctx->session, eas_coll_folder(wk->coll)->oxid,
                                          uids, n, pv->max_text, pv->pool);
    if (err)
        return command_fatal(err) ? err : NULL;
    for (i = pv->from, n = 0; i < pv->to; i++)
        if (needs_item(&changes[i]))
            pv->items[i - pv->from] = got[n++];
    return NULL;
}

/* The item to write, from the preview where there is one. */
static eas_err_t *read_item(eas_item_t **item, eas_mail_view_t **view, work_t *wk,
                            const eas_change_t *change, eas_item_t *preview, apr_pool_t *pool)
{
    if (preview) {
        mailitem_know(preview, change);
        *item = preview;
        if (!eas_mail_parse(view, preview, pool))
            return NULL;
    }
    return mailitem_read(item, view, wk->ctx, eas_coll_folder(wk->coll)->oxid, change, pool);
}

/* A whole item as ApplicationData: the mail, or a stub that says why not. *vanished: it is gone. */
static eas_err_t *write_item(eas_writer_t *w, int *vanished, work_t *wk, const eas_change_t *change,
                             eas_item_t *preview, const eas_mail_opts_t *opts, apr_pool_t *pool)
{
    fileref_t ref = {wk->ctx, wk->want->cid, change->uid};
    eas_w_mark_t mark = eas_w_mark(w);
    eas_mail_view_t *view;
    eas_item_t *item;
    eas_err_t *err;

    *vanished = 0;
    if (change->suspect) {
        item = mailitem_make(change, NULL, pool);
        err = eas_err_create(pool, EAS_E_INVALID, "command.sync",
                             "mail %u was sent again and again under one key", change->uid);
    } else {
        err = read_item(&item, &view, wk, change, preview, pool);
        if (!err)
            err = eas_mail_write(w, view, opts, fileref_make, &ref, pool);
    }
    if (!err)
        return NULL;
    if (err->kind == EAS_E_NOT_FOUND) {
        *vanished = 1;
        return NULL;
    }
    if (!mailitem_stubbed(err))
        return err;
    eas_log(wk->ctx->req->log, EAS_LOG_WARN, "a mail in collection %s is shown as a stub: %s",
            wk->want->cid, eas_err_chain(err, pool));
    eas_w_reset(w, mark);
    eas_mail_write_stub(w, item, opts, err->message, pool);
    return NULL;
}

/* ---- the phone's commands ---- */

/* Puts what must be answered of the commands into Responses: failures, and every Add. */
static void write_results(work_t *wk)
{
    static const struct {
        eas_tag_t tag, id;
    } tags[] = {
        [EAS_C_ADD] = {EAS_AIRSYNC_ADD, EAS_AIRSYNC_CLIENTID},
        [EAS_C_CHANGE] = {EAS_AIRSYNC_CHANGE, EAS_AIRSYNC_SERVERID},
        [EAS_C_DELETE] = {EAS_AIRSYNC_DELETE, EAS_AIRSYNC_SERVERID},
    };
    static const eas_cop_t order[] = {EAS_C_CHANGE, EAS_C_ADD, EAS_C_DELETE}; /* schema */
    unsigned o;
    int i;
    for (o = 0; o < sizeof(order) / sizeof(order[0]); o++)
        for (i = 0; i < wk->want->ncmds; i++) {
            const eas_ccmd_t *cmd = &wk->want->cmds[i];
            if (cmd->op != order[o] || (cmd->op != EAS_C_ADD && cmd->status == SYNC_OK))
                continue;
            if (!wk->done->responses)
                wk->done->responses = eas_writer_fragment(EAS_PAGE_AIRSYNC, wk->ctx->pool);
            eas_w_open(wk->done->responses, tags[cmd->op].tag);
            eas_w_str(wk->done->responses, tags[cmd->op].id, cmd->id);
            eas_w_int(wk->done->responses, EAS_AIRSYNC_STATUS, cmd->status);
            eas_w_close(wk->done->responses);
        }
}

static eas_err_t *write_fetch(eas_writer_t *w, work_t *wk, const char *id)
{
    eas_mail_opts_t opts = wk->opts.mail;
    eas_change_t item;
    int status = eas_coll_item(&item, wk->coll, id), vanished = 0;
    eas_w_mark_t mark = eas_w_mark(w);
    apr_pool_t *scratch;
    eas_err_t *err = NULL;

    opts.whole = 1;
    eas_w_open(w, EAS_AIRSYNC_FETCH);
    eas_w_str(w, EAS_AIRSYNC_SERVERID, id);
    if (!status) {
        apr_pool_create(&scratch, wk->ctx->pool);
        eas_w_int(w, EAS_AIRSYNC_STATUS, SYNC_OK);
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        err = write_item(w, &vanished, wk, &item, NULL, &opts, scratch);
        if (err) /* its message lives in scratch */
            err = eas_err_wrap(wk->ctx->pool, err, "command.sync", "cannot fetch an item");
        eas_w_close(w);
        if (vanished) {
            eas_w_reset(w, mark);
            eas_w_open(w, EAS_AIRSYNC_FETCH);
            eas_w_str(w, EAS_AIRSYNC_SERVERID, id);
            status = SYNC_NOT_FOUND;
        }
        if (!err)
            apr_pool_destroy(scratch);
    }
    if (status)
        eas_w_int(w, EAS_AIRSYNC_STATUS, status);
    eas_w_close(w);
    return err;
}

static eas_err_t *run_commands(work_t *wk)
{
    eas_err_t *err;
    int i;
    err = eas_coll_commands(wk->coll, wk->want->cmds, wk->want->ncmds, !wk->want->deletes_as_moves,
                            wk->ctx->session);
    if (err)
        return err;
    write_results(wk);
    if (wk->want->nfetches)
        eas_coll_advance(wk->coll);
    if (wk->want->nfetches && !wk->done->responses)
        wk->done->responses = eas_writer_fragment(EAS_PAGE_AIRSYNC, wk->ctx->pool);
    for (i = 0; i < wk->want->nfetches; i++)
        if ((err = write_fetch(wk->done->responses, wk, wk->want->fetches[i])))
            return err;
    return NULL;
}

/* ---- the server's changes ---- */

static eas_err_t *write_change(eas_writer_t *w, int *vanished, work_t *wk,
                               const eas_change_t *change, eas_item_t *preview, apr_pool_t *pool)
{
    static const eas_tag_t tags[] = {
        [EAS_OP_DELETE] = EAS_AIRSYNC_DELETE,
        [EAS_OP_SOFTDELETE] = EAS_AIRSYNC_SOFTDELETE,
        [EAS_OP_CHANGE] = EAS_AIRSYNC_CHANGE,
        [EAS_OP_ADD] = EAS_AIRSYNC_ADD,
    };
    eas_err_t *err = NULL;

    *vanished = 0;
    eas_w_open(w, tags[change->op]);
    eas_w_str(w, EAS_AIRSYNC_SERVERID, change->id);
    if (change->op == EAS_OP_CHANGE || change->op == EAS_OP_ADD) {
        eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
        if (only_flags(change))
            eas_mail_write_flags(w, mailitem_make(change, NULL, pool),
                                 (change->changed & EAS_MF_SEEN ? EAS_MAIL_READ : 0) |
                                     (change->changed & EAS_MF_FLAGGED ? EAS_MAIL_FLAG : 0),
                                 wk->version);
        else
            err = write_item(w, vanished, wk, change, preview, &wk->opts.mail, pool);
        eas_w_close(w);
    }
    eas_w_close(w);
    return err;
}

/* Writes changes until the window, the byte budget or the time is used up. */
static eas_err_t *write_changes(int *sent, work_t *wk, const eas_change_t *changes, int count,
                                sync_left_t *left)
{
    eas_writer_t *w = eas_writer_fragment(EAS_PAGE_AIRSYNC, wk->ctx->pool);
    apr_pool_t *iterpool;
    eas_err_t *err = NULL;
    int i;

    *sent = 0;
    apr_pool_create(&iterpool, wk->ctx->pool);
    apr_pool_create(&wk->preview.pool, wk->ctx->pool);
    wk->preview.use = wk->ctx->env->be->mail->preview &&
                      eas_mail_preview_fits(&wk->preview.max_text, &wk->opts.mail);
    for (i = 0; i < count; i++) {
        eas_w_mark_t mark = eas_w_mark(w);
        int vanished;
        apr_pool_clear(iterpool);
        if (*sent && (eas_w_size(w) > left->bytes || eas_now() > left->deadline)) {
            wk->done->more = 1;
            break;
        }
        if (wk->preview.use && i >= wk->preview.to)
            err = load_previews(wk, changes, i, count);
        if (!err)
            err = write_change(w, &vanished, wk, &changes[i],
                               wk->preview.use ? wk->preview.items[i - wk->preview.from] : NULL,
                               iterpool);
        if (err) {
            err = eas_err_wrap(wk->ctx->pool, err, "command.sync", "cannot bring an item");
            eas_w_reset(w, mark);
            break;
        }
        if (vanished) {
            eas_w_reset(w, mark);
            eas_coll_vanished(wk->coll, &changes[i]);
            continue;
        }
        eas_coll_sent(wk->coll, &changes[i]);
        ++*sent;
    }
    if (!err) /* an error's story may live in it */
        apr_pool_destroy(iterpool);
    if (*sent)
        wk->done->commands = w;
    left->window -= *sent;
    left->bytes -= eas_w_size(w) < left->bytes ? eas_w_size(w) : left->bytes;
    if (err && *sent) { /* what was read goes out, the rest comes with the next request */
        command_log(wk->ctx, err);
        wk->done->more = 1;
        err = NULL;
    }
    return err;
}

static eas_err_t *bring_changes(sync_left_t *left, work_t *wk)
{
    int want = wk->want->window < left->window ? wk->want->window : left->window;
    const eas_change_t *changes;
    int count, sent;
    eas_err_t *err = eas_coll_refresh(wk->coll, wk->ctx->session);
    if (!err)
        err = eas_coll_pick(&changes, &count, &wk->done->more, wk->coll, want, wk->ctx->pool);
    if (!err)
        err = write_changes(&sent, wk, changes, count, left);
    if (err)
        return err;
    /* MoreAvailable without a new key is an endless loop to some phones (digest 10, 3) */
    if (!sent && !wk->want->ncmds)
        wk->done->more = 0;
    return NULL;
}

/* ---- the collection ---- */

/* What an error means for this collection alone; 0: it ends the request. */
static int collection_status(const eas_err_t *err)
{
    switch (err->kind) {
    case EAS_E_GONE:  /* ids are void */
    case EAS_E_STATE: /* our state is */
        return SYNC_KEY;
    case EAS_E_FOLDER_GONE:
    case EAS_E_PERMISSION:
        return SYNC_HIERARCHY;
    default:
        return command_fatal(err) ? 0 : SYNC_SERVER;
    }
}

static eas_err_t *run(work_t *wk, sync_left_t *left)
{
    eas_err_t *err;
    settle_options(wk);
    if (!eas_coll_initial(wk->coll)) {
        if ((err = run_commands(wk)))
            return err;
        if (wk->want->get_changes != 0 && (err = bring_changes(left, wk)))
            return err;
    }
    return eas_coll_finish(&wk->done->key, wk->coll);
}

eas_err_t *sync_collection(sync_done_t *done, sync_left_t *left, eas_ctx_t *ctx, eas_state_t *st,
                           const sync_want_t *want)
{
    work_t wk = {.ctx = ctx, .want = want, .done = done, .version = ctx->req->version};
    sync_left_t before = *left;
    eas_err_t *err;

    memset(done, 0, sizeof(*done));
    done->want = want;
    err = eas_coll_open(&wk.coll, &done->status, st, want->cid, want->key, ctx->pool);
    if (!err && wk.coll)
        err = run(&wk, left);
    if (err) {
        done->status = collection_status(err);
        if (!done->status)
            return err;
        command_log(ctx, err);
        *left = before;
        done->commands = done->responses = NULL;
        done->more = 0;
    }
    if (done->status != SYNC_OK)
        done->key = done->status == SYNC_KEY ? "0" : want->key;
    done->news = done->status != SYNC_OK || done->commands || done->responses || want->ncmds ||
                 (wk.coll && eas_coll_initial(wk.coll));
    return NULL;
}
