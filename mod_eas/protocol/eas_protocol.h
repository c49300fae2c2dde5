/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_PROTOCOL_H
#define EAS_PROTOCOL_H
/**
 * What the protocol says about versions, commands and status numbers; one table each.
 * Source: MS-ASHTTP, MS-ASCMD 2.2.2; protocol digest 1.2, 1.8, 3, 6.
 */
#include "eas_req.h"

#define EAS_WBXML_TYPE     "application/vnd.ms-sync.wbxml"
#define EAS_MULTIPART_TYPE "application/vnd.ms-sync.multipart"

/** "14.1" <-> 141; 0 / NULL when unknown. */
int eas_version_parse(const char *text);
const char *eas_version_text(int version);
/** "2.5,12.0,..." up to the ceiling; what MS-Server-ActiveSync says for it. */
const char *eas_versions_list(int ceiling, apr_pool_t *pool);
const char *eas_server_version(int ceiling);

/** Command name, NULL when out of range; lookup is case-insensitive. */
const char *eas_cmd_name(eas_cmd_t cmd);
eas_cmd_t eas_cmd_lookup(const char *name);
/** First and last version which has the command. */
int eas_cmd_in_version(eas_cmd_t cmd, int version);
/** The comma list of those commands of @a offered (an array of EAS_CMD_COUNT flags) which exist up
 * to the ceiling. */
const char *eas_cmds_list(const char *offered, int ceiling, apr_pool_t *pool);
/** Root tag of a command's answer and its Status tag; 0 when it has none. */
eas_cmd_t eas_cmd_of_tag(apr_uint16_t root);
apr_uint16_t eas_cmd_root(eas_cmd_t cmd);
apr_uint16_t eas_cmd_status(eas_cmd_t cmd);

/** Common Status values (protocol digest 6): X-macro list in eas_status.def, EAS_STATUS_<NAME>. */
typedef enum eas_status_t {
#define EAS_STATUS(value, name, http) EAS_STATUS_##name = value,
#include "eas_status.def"
#undef EAS_STATUS
    EAS_STATUS_END
} eas_status_t;
/** HTTP status that stands for a Status >= 101 below 14.0 (digest 1.8). */
int eas_status_http(int status, eas_cmd_t cmd);
/** The Status for an error kind, as a global error of @a cmd; >= 101 possible. */
int eas_status_of_kind(eas_kind_t kind, eas_cmd_t cmd);
/** HTTP status for an error kind where no Status can be given (auth, limits, below 14.0). */
int eas_http_of_kind(eas_kind_t kind);

/** Fills @a resp with a global error in the form of the version: root with Status (14.0+), or HTTP.
 */
void eas_resp_error(eas_resp_t *resp, const eas_req_t *req, int status);
/** Headers of the OPTIONS answer (also for FolderSync key 0). */
void eas_resp_options(eas_resp_t *resp, const char *offered, int ceiling, int with_rp,
                      apr_pool_t *pool);

#endif
