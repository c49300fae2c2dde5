/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include "eas_log.h"
#include "eas_protocol.h"
#include "eas_trace.h"

static void lines(void *log, const char *xml, apr_pool_t *pool)
{
    const char *end;
    for (; *xml; xml = *end ? end + 1 : end) {
        end = strchr(xml, '\n');
        if (!end)
            end = xml + strlen(xml);
        if (end > xml)
            eas_log(log, EAS_LOG_NOTICE, "trace: %s",
                    apr_pstrmemdup(pool, xml, (apr_size_t)(end - xml)));
    }
}

void eas_trace(void *log, const char *what, const eas_req_t *req, const eas_node_t *root,
               apr_size_t max, apr_pool_t *pool)
{
    eas_log(log, EAS_LOG_NOTICE, "trace: %s %s, version %s, %" APR_SIZE_T_FMT " bytes", what,
            req->cmd_name, eas_version_text(req->version), req->body.len);
    lines(log, eas_node_xml(root, 1, max, pool), pool);
}

void eas_trace_answer(void *log, const eas_req_t *req, const eas_resp_t *resp,
                      const eas_node_t *root, apr_size_t max, apr_pool_t *pool)
{
    eas_log(log, EAS_LOG_NOTICE, "trace: answer to %s, HTTP %d, %" APR_SIZE_T_FMT " bytes of %s",
            req->cmd_name, resp->http_status, resp->body.len,
            resp->content_type ? resp->content_type : "nothing");
    if (root)
        lines(log, eas_node_xml(root, 1, max, pool), pool);
}
