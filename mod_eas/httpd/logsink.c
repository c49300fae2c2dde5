/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd_priv.h"

#include "eas_log.h"

static server_rec *main_server; /* set before there are threads */

static void to_error_log(void *where, eas_level_t level, const char *line)
{
    static const int levels[] = {
        [EAS_LOG_ERROR] = APLOG_ERR,     [EAS_LOG_WARN] = APLOG_WARNING,
        [EAS_LOG_NOTICE] = APLOG_NOTICE, [EAS_LOG_INFO] = APLOG_INFO,
        [EAS_LOG_DEBUG] = APLOG_DEBUG,
    };

    if (where)
        ap_log_rerror(APLOG_MARK, levels[level], 0, (request_rec *)where, "eas: %s", line);
    else
        ap_log_error(APLOG_MARK, levels[level], 0, main_server, "eas: %s", line);
}

void httpd_log_init(server_rec *s)
{
    main_server = s;
    eas_log_sink(to_error_log);
}
