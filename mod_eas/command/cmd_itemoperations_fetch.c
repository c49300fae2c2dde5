/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <apr_strings.h>
#include "cmd_itemoperations.h"

/* Status values of a Fetch. */
enum {
    FETCH_OK = 1,
    FETCH_SERVER = 3,
    FETCH_NOT_FOUND = 6,
    FETCH_RANGE = 8,
    FETCH_STORE = 9,
    FETCH_TOO_LARGE = 11,
    FETCH_CONVERSION = 14,
    FETCH_ATTACHMENT = 15,
    FETCH_DENIED = 16
};

/* ---- reading ---- */

/* "m-n", zero based, n >= m. */
static int parse_range(itemop_fetch_t *f, const char *text)
{
    char *end;
    apr_int64_t from, to;
    if (*text < '0' || *text > '9')
        return 0;
    from = apr_strtoi64(text, &end, 10);
    if (*end != '-' || end[1] < '0' || end[1] > '9')
        return 0;
    to = apr_strtoi64(end + 1, &end, 10);
    if (*end || to < from)
        return 0;
    f->has_range = 1;
    f->from = (apr_size_t)from;
    f->to = (apr_size_t)to;
    return 1;
}

static int parse_schema(itemop_fetch_t *f, const eas_node_t *schema)
{
    const eas_node_t *n;
    int count = 0;
    f->has_schema = 1;
    for (n = eas_node_child(schema, 0); n; n = eas_node_next(n, 0)) {
        if (count == ITEMOP_SCHEMA_MAX)
            return 0;
        f->schema[count++] = n->tag;
    }
    return 1;
}

static int parse_options(itemop_fetch_t *f, eas_ctx_t *ctx, const eas_node_t *options)
{
    const eas_node_t *range = eas_node_child(options, EAS_ITEMOPERATIONS_RANGE);
    const eas_node_t *schema = eas_node_child(options, EAS_ITEMOPERATIONS_SCHEMA);
    const eas_node_t *n;

    if (range && !parse_range(f, eas_node_str(range, ctx->pool)))
        return 0;
    if (f->fileref) /* an attachment knows no other option */
        for (n = eas_node_child(options, 0); n; n = eas_node_next(n, 0))
            if (n->tag != EAS_ITEMOPERATIONS_RANGE)
                return 0;
    if (schema && !parse_schema(f, schema))
        return 0;
    return eas_mail_read_options(&f->opts, options, ctx->req->version, ctx->pool) == NULL;
}

int itemop_parse(itemop_fetch_t *f, eas_ctx_t *ctx, const eas_node_t *node)
{
    const char *store = eas_node_child_str(node, EAS_ITEMOPERATIONS_STORE, ctx->pool);
    const eas_node_t *ref = eas_node_child(node, EAS_AIRSYNCBASE_FILEREFERENCE);

    if (!store || (ref && eas_node_next(ref, EAS_AIRSYNCBASE_FILEREFERENCE)))
        return 0;
    f->mailbox = apr_strnatcasecmp(store, "Mailbox") == 0;
    f->cid = eas_node_child_str(node, EAS_AIRSYNC_COLLECTIONID, ctx->pool);
    f->server_id = eas_node_child_str(node, EAS_AIRSYNC_SERVERID, ctx->pool);
    f->long_id = eas_node_child_str(node, EAS_SEARCH_LONGID, ctx->pool);
    f->link_id = eas_node_child_str(node, EAS_DOCUMENTLIBRARY_LINKID, ctx->pool);
    f->fileref = eas_node_str(ref, ctx->pool);
    return parse_options(f, ctx, eas_node_child(node, EAS_ITEMOPERATIONS_OPTIONS));
}

/* ---- answering ---- */

static int status_of(const eas_err_t *err)
{
    switch (err->kind) {
    case EAS_E_NOT_FOUND:
    case EAS_E_FOLDER_GONE:
        return FETCH_NOT_FOUND;
    case EAS_E_PERMISSION:
        return FETCH_DENIED;
    case EAS_E_TOO_LARGE:
        return FETCH_TOO_LARGE;
    case EAS_E_INVALID:
        return FETCH_CONVERSION;
    default:
        return FETCH_SERVER;
    }
}

/* What identified the item in the request comes back. */
static void write_ids(eas_writer_t *w, const itemop_fetch_t *f)
{
    if (f->cid && !f->fileref)
        eas_w_str(w, EAS_AIRSYNC_COLLECTIONID, f->cid);
    if (f->server_id && !f->fileref)
        eas_w_str(w, EAS_AIRSYNC_SERVERID, f->server_id);
    if (f->long_id)
        eas_w_str(w, EAS_SEARCH_LONGID, f->long_id);
}

static void write_status(eas_writer_t *w, const itemop_fetch_t *f, int status)
{
    eas_w_int(w, EAS_ITEMOPERATIONS_STATUS, status);
    write_ids(w, f);
    if (f->link_id)
        eas_w_str(w, EAS_DOCUMENTLIBRARY_LINKID, f->link_id);
    if (f->fileref)
        eas_w_str(w, EAS_AIRSYNCBASE_FILEREFERENCE, f->fileref);
}

/* Cuts the data to the asked range. 0: beyond the end. */
static int apply_range(eas_span_t *data, apr_size_t *from, apr_size_t *to, const itemop_fetch_t *f)
{
    if (f->from >= data->len)
        return 0;
    *from = f->from;
    *to = f->to < data->len ? f->to : data->len - 1;
    data->data += *from;
    data->len = *to - *from + 1;
    return 1;
}

static void write_attachment(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx,
                             const itemop_fetch_t *f, eas_span_t data, const char *type)
{
    apr_size_t total = data.len, from = 0, to = 0;
    if (f->has_range && !apply_range(&data, &from, &to, f)) {
        write_status(w, f, FETCH_RANGE);
        return;
    }
    write_status(w, f, FETCH_OK);
    eas_w_open(w, EAS_ITEMOPERATIONS_PROPERTIES);
    if (f->has_range) {
        eas_w_str(w, EAS_ITEMOPERATIONS_RANGE,
                  apr_psprintf(ctx->pool, "%" APR_SIZE_T_FMT "-%" APR_SIZE_T_FMT, from, to));
        eas_w_int(w, EAS_ITEMOPERATIONS_TOTAL, (apr_int64_t)total);
    }
    eas_w_str(w, EAS_AIRSYNCBASE_CONTENTTYPE, type);
    if (parts->wanted) {
        parts->part[parts->n++] = data;
        eas_w_int(w, EAS_ITEMOPERATIONS_PART, parts->n);
    } else {
        eas_w_base64(w, EAS_ITEMOPERATIONS_DATA, data.data, data.len);
    }
    eas_w_close(w);
}

static eas_err_t *fetch_attachment(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx,
                                   eas_state_t *st, const itemop_fetch_t *f)
{
    const eas_hfolder_t *folder;
    eas_change_t known = {0};
    eas_mail_view_t *view;
    eas_item_t *item;
    eas_span_t data;
    const char *cid, *part, *type;
    eas_err_t *err;

    if (!fileref_open(&cid, &known.uid, &part, ctx, f->fileref)) {
        write_status(w, f, FETCH_ATTACHMENT);
        return NULL;
    }
    err = eas_hierarchy_find(&folder, st, cid, ctx->pool);
    if (!err && folder &&
        !(err = mailitem_read(&item, &view, ctx, folder->oxid, &known, ctx->pool)))
        err = eas_mail_attachment(&data, &type, view, part, ctx->pool);
    if (err && command_fatal(err))
        return err;
    if (err)
        command_log(ctx, err);
    if (err || !folder)
        write_status(w, f, err && err->kind != EAS_E_NOT_FOUND ? status_of(err) : FETCH_ATTACHMENT);
    else
        write_attachment(w, parts, ctx, f, data, type);
    return NULL;
}

static eas_err_t *write_mail(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx,
                             const itemop_fetch_t *f, eas_mail_view_t *view, apr_uint32_t uid)
{
    fileref_t ref = {ctx, f->cid, uid};
    eas_span_t body = {0};
    apr_pool_t *scratch;
    eas_err_t *err;

    write_status(w, f, FETCH_OK);
    eas_w_str(w, EAS_AIRSYNC_CLASS, "Email");
    eas_w_open(w, EAS_ITEMOPERATIONS_PROPERTIES);
    apr_pool_create(&scratch, ctx->pool);
    err = eas_mail_write_properties(w, &body, view, &f->opts, f->has_schema ? f->schema : NULL,
                                    parts->wanted, parts->n + 1, fileref_make, &ref, ctx->pool,
                                    scratch);
    if (!err && parts->wanted && body.data)
        parts->part[parts->n++] = body;
    eas_w_close(w);
    return err;
}

static eas_err_t *fetch_mail(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx,
                             eas_state_t *st, const itemop_fetch_t *f)
{
    eas_w_mark_t mark = eas_w_mark(w);
    const eas_hfolder_t *folder;
    eas_change_t known = {0};
    eas_mail_view_t *view;
    eas_item_t *item;
    int found = 0;
    eas_err_t *err = eas_hierarchy_find(&folder, st, f->cid, ctx->pool);

    if (!err && folder && !eas_server_id_parse(&known.uid, f->cid, f->server_id))
        folder = NULL;
    if (!err && folder) {
        apr_uint32_t uid = known.uid;
        err = eas_coll_known(&known, &found, st, f->cid, f->server_id, ctx->pool);
        known.uid = uid;
    }
    if (!err && folder)
        err = mailitem_read(&item, &view, ctx, folder->oxid, &known, ctx->pool);
    if (!err && folder)
        err = write_mail(w, parts, ctx, f, view, known.uid);
    if (err && command_fatal(err))
        return err;
    if (err) {
        command_log(ctx, err);
        eas_w_reset(w, mark);
    }
    if (err || !folder)
        write_status(w, f, err ? status_of(err) : FETCH_NOT_FOUND);
    return NULL;
}

eas_err_t *itemop_fetch(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx, eas_state_t *st,
                        const itemop_fetch_t *f)
{
    eas_err_t *err = NULL;
    eas_w_open(w, EAS_ITEMOPERATIONS_FETCH);
    if (!f->mailbox)
        write_status(w, f, FETCH_STORE);
    else if (f->fileref)
        err = fetch_attachment(w, parts, ctx, st, f);
    else if (f->cid && f->server_id)
        err = fetch_mail(w, parts, ctx, st, f);
    else
        write_status(w, f, FETCH_NOT_FOUND);
    eas_w_close(w);
    return err;
}
