/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_REQ_H
#define EAS_REQ_H
/**
 * One ActiveSync request and its answer, self-contained: own pool, no httpd types, so a command can
 * run on any thread. The httpd room fills eas_req_t (headers, body), eas_req_parse() reads the
 * query string and headers into fields, the command fills eas_resp_t. Source of the rules:
 * MS-ASHTTP 2.2; protocol digest section 1.
 */
#include <apr_tables.h>
#include "eas_err.h"
#include "eas_item.h"

/** Protocol versions as version * 10. */
enum {
    EAS_V25 = 25,
    EAS_V120 = 120,
    EAS_V121 = 121,
    EAS_V140 = 140,
    EAS_V141 = 141,
    EAS_V160 = 160,
    EAS_V161 = 161
};

/** Commands; the value is the code of the base64 query (MS-ASHTTP 2.2.1.1.1.2). */
typedef enum eas_cmd_t {
    EAS_CMD_SYNC = 0,
    EAS_CMD_SENDMAIL,
    EAS_CMD_SMARTFORWARD,
    EAS_CMD_SMARTREPLY,
    EAS_CMD_GETATTACHMENT,
    EAS_CMD_GETHIERARCHY,
    EAS_CMD_CREATECOLLECTION,
    EAS_CMD_DELETECOLLECTION,
    EAS_CMD_MOVECOLLECTION,
    EAS_CMD_FOLDERSYNC,
    EAS_CMD_FOLDERCREATE,
    EAS_CMD_FOLDERDELETE,
    EAS_CMD_FOLDERUPDATE,
    EAS_CMD_MOVEITEMS,
    EAS_CMD_GETITEMESTIMATE,
    EAS_CMD_MEETINGRESPONSE,
    EAS_CMD_SEARCH,
    EAS_CMD_SETTINGS,
    EAS_CMD_PING,
    EAS_CMD_ITEMOPERATIONS,
    EAS_CMD_PROVISION,
    EAS_CMD_RESOLVERECIPIENTS,
    EAS_CMD_VALIDATECERT,
    EAS_CMD_FIND,
    EAS_CMD_COUNT,
    EAS_CMD_UNKNOWN = -1
} eas_cmd_t;

typedef struct eas_req_t {
    apr_pool_t *pool;
    void *log; /**< handle for eas_log() */
    /* filled by the httpd room before eas_req_parse() */
    const char *query;        /**< raw query string, may be NULL */
    const char *h_version;    /**< MS-ASProtocolVersion or NULL */
    const char *h_policy_key; /**< X-MS-PolicyKey or NULL */
    const char *h_multipart;  /**< MS-ASAcceptMultiPart or NULL */
    const char *content_type; /**< or NULL */
    const char *user_agent;   /**< or NULL */
    const char *accept_language;
    int accept_gzip;
    const char *client_ip;
    int (*gone)(void *log);     /**< has the phone closed its connection? NULL = cannot tell */
    const char *login; /**< the authenticated login name */
    int trace;         /**< log the decoded request and answer (EASTrace) */
    eas_span_t body;
    /* filled by eas_req_parse() */
    eas_cmd_t cmd;
    const char *cmd_name; /**< as the phone spelled it, for the log (bounded, made safe) */
    int version;          /**< EAS_V.. */
    int base64_query;
    const char *user;      /**< query's User, informative only */
    const char *device_id; /**< lower-cased; "" when the query has none */
    const char *device_type;
    int has_policy_key;
    apr_uint32_t policy_key;
    apr_uint16_t locale; /**< LCID of the base64 query, 0 = none */
    const char *attachment_name, *collection_id, *item_id, *long_id, *occurrence;
    int save_in_sent;
    int accept_multipart;
} eas_req_t;

typedef struct eas_resp_t {
    int http_status;          /**< 200 unless said otherwise */
    const char *content_type; /**< NULL with an empty body */
    apr_table_t *headers;     /**< further response headers */
    eas_span_t body;          /**< lives in the request's pool */
    int no_gzip;              /**< multipart, attachments, Ping */
    int retry_after;          /**< seconds, 0 = none */
    const char *note;         /**< short outcome for the access log ("status=3"), or NULL */
} eas_resp_t;

/** Reads query and headers. @a ceiling: highest version allowed. On error the message tells why and
 *  status/kind follow protocol digest 1.3 and 1.8; req->version and req->cmd are set as far as they
 *  could be read so that the error can be answered in the right form. Nothing of a bad query is
 *  copied into a log unbounded. Options requests: cmd is EAS_CMD_UNKNOWN and no error for an empty
 * query when @a options is true. */
eas_err_t *eas_req_parse(eas_req_t *req, int ceiling, int options);

#define EAS_DEVICE_ID_MAX   32
#define EAS_DEVICE_TYPE_MAX 32

#endif
