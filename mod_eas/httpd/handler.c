/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler eas: from a request that authentication let in to an answer. */
#include "httpd_priv.h"

#include <string.h>
#include <strings.h>
#include <http_protocol.h>
#include <apr_strings.h>
#include "eas_log.h"
#include "eas_spool.h"

/* There is no file behind the address: no directory is walked, no .htaccess looked for. */
static char no_file[] = "eas:/";

int httpd_translate(request_rec *r)
{
    const httpd_dir_t *dir = ap_get_module_config(r->per_dir_config, &eas_module);

    if (dir->handles <= 0)
        return DECLINED;
    r->filename = no_file;
    return OK;
}

int httpd_map_to_storage(request_rec *r)
{
    return r->filename == no_file ? OK : DECLINED;
}

/* ---- body ------------------------------------------------------------------------------------ */

/* The body's bytes after all input filters. OK, or what the handler returns to httpd: an HTTP
 * status, or that a filter has answered already. */
static int read_body(eas_call_t *call, apr_size_t limit)
{
    request_rec *r = call->r;
    eas_spool_t *spool = eas_spool_create(limit, NULL, call->req.pool);
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *length = apr_table_get(r->headers_in, "Content-Length"), *data;
    apr_size_t len;
    apr_off_t announced;
    apr_status_t rv;
    eas_err_t *err = NULL;
    int end = 0;

    if (length && ap_parse_strict_length(&announced, length) && announced > (apr_off_t)limit)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    while (!end && !err) {
        rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                            HUGE_STRING_LEN);
        if (rv != APR_SUCCESS)
            return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !err;
             b = APR_BUCKET_NEXT(b)) {
            if (APR_BUCKET_IS_EOS(b)) {
                end = 1;
                break;
            }
            if (APR_BUCKET_IS_METADATA(b))
                continue;
            if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ) != APR_SUCCESS)
                return HTTP_BAD_REQUEST;
            err = eas_spool_write(spool, data, len);
        }
        apr_brigade_cleanup(bb);
    }
    if (!err)
        err = eas_spool_finish(&call->req.body, spool);
    if (!err)
        return OK;
    eas_log(r, EAS_LOG_WARN, "request body: %s", eas_err_chain(err, call->req.pool));
    return eas_http_of_kind(err->kind);
}

/* ---- what is asked --------------------------------------------------------------------------- */

static int in_list(const apr_array_header_t *list, const char *name)
{
    for (int i = 0; name && i < list->nelts; i++)
        if (strcasecmp(APR_ARRAY_IDX(list, i, const char *), name) == 0)
            return 1;
    return 0;
}

static int wants_trace(const eas_call_t *call, const httpd_trace_t *trace)
{
    return trace->all || in_list(trace->users, call->req.login) ||
           in_list(trace->users, call->cred.login) || in_list(trace->devices, call->req.device_id);
}

/* What the access log may show: %{eas-user}n and so on. */
static void set_notes(eas_call_t *call)
{
    request_rec *r = call->r;

    if (call->req.login)
        apr_table_set(r->notes, "eas-user", call->req.login);
    apr_table_set(r->notes, "eas-device", httpd_call_device(call));
    apr_table_set(r->notes, "eas-cmd",
                  r->method_number == M_OPTIONS ? "OPTIONS"
                  : *call->req.cmd_name         ? call->req.cmd_name
                                                : "-");
}

/* OK: there is an answer; else httpd's to give. */
static int run(eas_call_t *call, eas_resp_t *resp)
{
    const eas_conf_t *conf = httpd_conf(call->r->server);
    eas_req_t *req = &call->req;
    const char *coding = apr_table_get(call->r->headers_in, "Content-Encoding");
    eas_err_t *err;
    int status;

    if (coding && strcasecmp(coding, "identity") != 0) {
        resp->http_status = HTTP_UNSUPPORTED_MEDIA_TYPE;
        return OK;
    }
    if (call->bad) {
        eas_log(call->r, EAS_LOG_WARN, "request refused: %s", eas_err_chain(call->bad, req->pool));
        eas_resp_error(resp, req, call->bad->status);
        return OK;
    }
    if ((status = read_body(call, conf->max_body)) != OK)
        return status;
    req->trace = wants_trace(call, conf->trace);
    eas_command_run(resp, req, &call->site->env, call->verdict.session);
    err = eas_auth_done(call->site->auth, &call->verdict, resp->http_status == HTTP_UNAUTHORIZED,
                        req->pool);
    if (err)
        eas_log(call->r, EAS_LOG_WARN, "session not kept: %s", eas_err_chain(err, req->pool));
    return OK;
}

int httpd_handler(request_rec *r)
{
    static const char hello[] =
        "This is an ActiveSync server. Enter its name in the account settings "
        "of a phone.\n";
    eas_resp_t resp = {.http_status = HTTP_OK};
    eas_call_t *call;
    int status;

    if (!r->handler || strcmp(r->handler, HTTPD_HANDLER) != 0)
        return DECLINED;
    if (!(call = httpd_call(r)))
        return HTTP_SERVICE_UNAVAILABLE;
    set_notes(call);
    if (!call->judged || call->verdict.result != EAS_AUTH_GRANTED) {
        eas_log(r, EAS_LOG_WARN,
                "nobody has logged in: SetHandler eas needs AuthType Basic, "
                "AuthBasicProvider ox and Require valid-user at the same place");
        return HTTP_FORBIDDEN;
    }
    if (r->method_number == M_OPTIONS) {
        resp.headers = call->site->options;
    } else if (r->method_number == M_POST) {
        if ((status = run(call, &resp)) != OK)
            return status;
    } else {
        resp.http_status = HTTP_NOT_IMPLEMENTED;
        resp.content_type = "text/plain; charset=utf-8";
        resp.body = (eas_span_t){hello, sizeof(hello) - 1};
        resp.no_gzip = 1;
        apr_table_setn(r->headers_out, "Allow", "OPTIONS,POST");
    }
    return httpd_answer(call, &resp);
}
