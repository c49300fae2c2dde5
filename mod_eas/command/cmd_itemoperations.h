/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_ITEMOPERATIONS_H
#define CMD_ITEMOPERATIONS_H
/** Fetch of ItemOperations: what is asked for, and how it is answered. */
#include "command_priv.h"
#include "eas_buf.h"
#include "eas_spool.h"

#define ITEMOP_SCHEMA_MAX 64

/** Raw parts of a multipart answer, in order. */
typedef struct itemop_parts_t {
    int wanted;
    int n;
    eas_span_t *part;
} itemop_parts_t;

typedef struct itemop_fetch_t {
    int mailbox; /**< Store is the mailbox */
    const char *cid, *server_id, *long_id, *link_id, *fileref;
    int has_range;
    apr_size_t from, to; /**< inclusive, zero based */
    int has_schema;
    eas_tag_t schema[ITEMOP_SCHEMA_MAX + 1];
    eas_mail_opts_t opts;
} itemop_fetch_t;

/** Reads a Fetch; 0: the whole request is answered with Status 2. */
int itemop_parse(itemop_fetch_t *fetch, eas_ctx_t *ctx, const eas_node_t *node);
/** Writes its answer. An error ends the whole request. */
eas_err_t *itemop_fetch(eas_writer_t *w, itemop_parts_t *parts, eas_ctx_t *ctx, eas_state_t *st,
                        const itemop_fetch_t *fetch);

#endif
