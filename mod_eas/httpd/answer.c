/* SPDX-License-Identifier: Apache-2.0 */
/* An eas_resp_t on its way out: one length, never chunked, packed by ourselves. */
#include "httpd_priv.h"

#include <http_protocol.h>
#include <apr_buckets.h>
#include <apr_strings.h>
#include "eas_gzip.h"
#include "eas_log.h"

/* An answer of this size fits into a socket's buffer: sending it at once holds no thread. */
#define FLUSH_MAX (16 * 1024)

static void set_headers(request_rec *r, const eas_call_t *call, const eas_resp_t *resp)
{
    const apr_array_header_t *more = resp->headers ? apr_table_elts(resp->headers) : NULL;

    apr_table_setn(r->headers_out, "Cache-Control", "private");
    apr_table_setn(r->headers_out, "MS-Server-ActiveSync", call->site->server_version);
    for (int i = 0; more && i < more->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(more, i, apr_table_entry_t);
        apr_table_setn(r->headers_out, e->key, e->val);
    }
    if (resp->retry_after)
        apr_table_setn(r->headers_out, "Retry-After", apr_itoa(r->pool, resp->retry_after));
    if (resp->content_type)
        ap_set_content_type(r, resp->content_type);
    /* filters of httpd would make it chunked, or pack it twice */
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
}

/* The phone asked for it, so an answer that got longer by it goes out all the same. */
static void pack(eas_span_t *body, request_rec *r, const eas_call_t *call)
{
    eas_spool_t *spool = eas_spool_create(0, NULL, call->req.pool);
    eas_span_t packed;
    eas_err_t *err = eas_gzip(spool, *body, call->req.pool);

    if (!err)
        err = eas_spool_finish(&packed, spool);
    if (err) { /* plain is as good */
        eas_log(r, EAS_LOG_WARN, "cannot compress: %s", eas_err_chain(err, call->req.pool));
        return;
    }
    *body = packed;
    apr_table_setn(r->headers_out, "Content-Encoding", "gzip");
}

int httpd_answer(eas_call_t *call, eas_resp_t *resp)
{
    request_rec *r = call->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);
    eas_span_t body = resp->body;

    r->status = resp->http_status;
    set_headers(r, call, resp);
    apr_table_set(r->notes, "eas-status", resp->note ? resp->note : "-");
    if (r->status == HTTP_UNAUTHORIZED)
        ap_note_auth_failure(r);
    /* after these the two ends may not agree where the next request begins */
    if (r->status == HTTP_BAD_REQUEST || r->status == HTTP_REQUEST_ENTITY_TOO_LARGE)
        r->connection->keepalive = AP_CONN_CLOSE;
    if (body.len && call->req.accept_gzip && !resp->no_gzip)
        pack(&body, r, call);
    ap_set_content_length(r, (apr_off_t)body.len);
    /* The bytes, on the heap or mapped, live in the call's pool, which outlives the request's last
     * bucket. A bucket that should stay longer takes a copy when the pool ends. */
    if (body.len)
        APR_BRIGADE_INSERT_TAIL(bb,
                                apr_bucket_pool_create(body.data, body.len, call->req.pool, alloc));
    if (body.len <= FLUSH_MAX) /* leaves before the log is written and the next request sought */
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb); /* it can only fail because the phone went away */
    return OK;
}
