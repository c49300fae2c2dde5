/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_TRACE_H
#define EAS_TRACE_H
/** EASTrace: decoded documents in the log, secrets and bodies masked, size-capped. One log line per
 *  line of XML, so that nothing of a phone's bytes can forge a line. */
#include "eas_req.h"
#include "eas_wbxml.h"

void eas_trace(void *log, const char *what, const eas_req_t *req, const eas_node_t *root,
               apr_size_t max, apr_pool_t *pool);
/** @a root NULL: an answer without a document (empty, or an attachment). */
void eas_trace_answer(void *log, const eas_req_t *req, const eas_resp_t *resp,
                      const eas_node_t *root, apr_size_t max, apr_pool_t *pool);

#endif
