/* SPDX-License-Identifier: Apache-2.0 */
/* ItemOperations: Fetch of mails and attachments, inline or as parts of a multipart answer;
 * MS-ASCMD 2.2.1.10, protocol digest 5.7 and 1.10. */
#include <apr_strings.h>
#include "cmd_itemoperations.h"

enum { IO_OK = 1, IO_PROTOCOL = 2, IO_SERVER = 3 };

#define IO_MAX 100

static const eas_tag_t operations[] = {EAS_ITEMOPERATIONS_MOVE,
                                       EAS_ITEMOPERATIONS_EMPTYFOLDERCONTENTS,
                                       EAS_ITEMOPERATIONS_FETCH};

/* Operations that change something are not offered: each is answered with "server error". */
static void refuse(eas_writer_t *w, eas_ctx_t *ctx, const eas_node_t *node)
{
    const eas_node_t *conv = eas_node_child(node, EAS_ITEMOPERATIONS_CONVERSATIONID);
    const eas_node_t *cid = eas_node_child(node, EAS_AIRSYNC_COLLECTIONID);
    eas_w_open(w, node->tag);
    eas_w_int(w, EAS_ITEMOPERATIONS_STATUS, IO_SERVER);
    if (node->tag == EAS_ITEMOPERATIONS_MOVE)
        eas_w_opaque(w, EAS_ITEMOPERATIONS_CONVERSATIONID, conv ? conv->data : "",
                     conv ? conv->len : 0);
    else
        eas_w_str(w, EAS_AIRSYNC_COLLECTIONID, cid ? eas_node_str(cid, ctx->pool) : "");
    eas_w_close(w);
}

static void put32(eas_buf_t *b, apr_size_t v)
{
    eas_buf_u32(b, (apr_uint32_t)v);
}

/* The multipart form: count, offsets and lengths, the document, the parts. */
static eas_err_t *multipart(eas_ctx_t *ctx, eas_span_t document, const itemop_parts_t *parts)
{
    eas_spool_t *sp = eas_spool_create(0, NULL, ctx->pool);
    apr_size_t at = 4 + 8 * (apr_size_t)(parts->n + 1);
    eas_err_t *err;
    eas_buf_t b;
    int i;

    eas_buf_init(&b, at, ctx->pool);
    put32(&b, (apr_size_t)parts->n + 1);
    put32(&b, at);
    put32(&b, document.len);
    at += document.len;
    for (i = 0; i < parts->n; i++) {
        put32(&b, at);
        put32(&b, parts->part[i].len);
        at += parts->part[i].len;
    }
    err = eas_spool_write(sp, b.data, b.len);
    if (!err)
        err = eas_spool_write(sp, document.data, document.len);
    for (i = 0; i < parts->n && !err; i++)
        if (parts->part[i].len)
            err = eas_spool_write(sp, parts->part[i].data, parts->part[i].len);
    if (!err)
        err = eas_spool_finish(&ctx->resp->body, sp);
    ctx->resp->content_type = EAS_MULTIPART_TYPE;
    ctx->resp->no_gzip = 1;
    return err;
}

static eas_err_t *run(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx,
                      const itemop_fetch_t *fetches, eas_state_t *st)
{
    const eas_node_t *n;
    unsigned o;
    int i = 0;
    eas_err_t *err = NULL;

    eas_w_open(w, EAS_ITEMOPERATIONS_ITEMOPERATIONS);
    eas_w_int(w, EAS_ITEMOPERATIONS_STATUS, IO_OK);
    eas_w_open(w, EAS_ITEMOPERATIONS_RESPONSE);
    for (o = 0; o < sizeof(operations) / sizeof(operations[0]); o++)
        for (n = eas_node_child(ctx->root, operations[o]); n && !err;
             n = eas_node_next(n, operations[o])) {
            if (n->tag == EAS_ITEMOPERATIONS_FETCH)
                err = itemop_fetch(w, parts, ctx, st, &fetches[i++]);
            else
                refuse(w, ctx, n);
        }
    eas_w_close(w);
    eas_w_close(w);
    return err;
}

eas_err_t *cmd_itemoperations(eas_ctx_t *ctx)
{
    itemop_parts_t parts = {0};
    itemop_fetch_t *fetches;
    eas_span_t document;
    const eas_node_t *n;
    eas_writer_t *w;
    eas_state_t *st;
    int total = 0, nf = 0;
    unsigned o;
    eas_err_t *err;

    for (o = 0; o < sizeof(operations) / sizeof(operations[0]); o++)
        for (n = eas_node_child(ctx->root, operations[o]); n; n = eas_node_next(n, operations[o]))
            total++;
    if (total > IO_MAX) {
        err = eas_err_create(ctx->pool, EAS_E_BAD_REQUEST, "command.itemoperations",
                             "%d operations in one request", total);
        err->status = EAS_STATUS_INVALID_XML;
        return err;
    }
    fetches = apr_pcalloc(ctx->pool, sizeof(*fetches) * (apr_size_t)(total + 1));
    for (n = eas_node_child(ctx->root, EAS_ITEMOPERATIONS_FETCH); n;
         n = eas_node_next(n, EAS_ITEMOPERATIONS_FETCH))
        if (!itemop_parse(&fetches[nf++], ctx, n))
            return command_status(ctx, IO_PROTOCOL);
    if (!total)
        return command_status(ctx, IO_PROTOCOL);
    parts.wanted = ctx->req->accept_multipart;
    parts.part = apr_pcalloc(ctx->pool, sizeof(*parts.part) * (apr_size_t)(total + 1));
    if ((err = command_state(&st, ctx)))
        return err;
    w = eas_writer_create(ctx->pool);
    err = run(w, &parts, ctx, fetches, st);
    eas_state_close(st);
    if (err)
        return err;
    if (!parts.wanted)
        return command_answer(ctx, w);
    err = eas_w_finish(&document, w);
    return err ? err : multipart(ctx, document, &parts);
}
