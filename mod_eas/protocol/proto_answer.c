/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_protocol.h"

#include <apr_strings.h>

#include "eas_wbxml.h"

/* From which Status value on a version below 14.0 answers by HTTP. */
enum { FIRST_GLOBAL_STATUS = 101 };

static void answer_http(eas_resp_t *resp, const eas_req_t *req, int status)
{
    resp->http_status = eas_status_http(status, req->cmd);
    /* a phone that sends no policy key cannot provision: nothing follows a 449 (digest 1.8) */
    if (status == EAS_STATUS_REMOTE_WIPE_REQUESTED && !req->has_policy_key)
        resp->http_status = 403;
    resp->content_type = NULL;
    resp->body = (eas_span_t){NULL, 0};
}

void eas_resp_error(eas_resp_t *resp, const eas_req_t *req, int status)
{
    eas_tag_t status_tag = eas_cmd_status(req->cmd);
    eas_writer_t *w;

    resp->note = apr_psprintf(req->pool, "status=%d", status);
    if (!status_tag || !req->version ||
        (status >= FIRST_GLOBAL_STATUS && req->version < EAS_V140)) {
        answer_http(resp, req, status);
        return;
    }
    w = eas_writer_create(req->pool);
    eas_w_open(w, eas_cmd_root(req->cmd));
    eas_w_int(w, status_tag, status);
    eas_w_close(w);
    if (eas_w_finish(&resp->body, w)) { /* out of memory */
        answer_http(resp, req, EAS_STATUS_SERVER_ERROR_RETRY_LATER);
        return;
    }
    resp->http_status = 200;
    resp->content_type = EAS_WBXML_TYPE;
}

void eas_resp_options(eas_resp_t *resp, const char *offered, int ceiling, int with_rp,
                      apr_pool_t *pool)
{
    const char *versions = eas_versions_list(ceiling, pool);

    if (!resp->headers)
        resp->headers = apr_table_make(pool, 8);
    apr_table_setn(resp->headers, "MS-Server-ActiveSync", eas_server_version(ceiling));
    apr_table_setn(resp->headers, "MS-ASProtocolVersions", versions);
    apr_table_setn(resp->headers, "MS-ASProtocolCommands", eas_cmds_list(offered, ceiling, pool));
    if (with_rp) {
        apr_table_setn(resp->headers, "X-MS-RP", versions);
    } else {
        apr_table_setn(resp->headers, "Public", "OPTIONS,POST");
        apr_table_setn(resp->headers, "Allow", "OPTIONS,POST");
    }
}
