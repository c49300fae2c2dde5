/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_protocol.h"

#include "proto_priv.h"

static const struct {
    int status, http;
} below_14[] = {
#define EAS_STATUS(value, name, http) {value, http},
#include "eas_status.def"
#undef EAS_STATUS
};

/* Where a command is answered another way (digest 1.8). */
static const struct {
    int status;
    eas_cmd_t cmd;
    int http;
} exceptions[] = {
    {EAS_STATUS_INVALID_IDS, EAS_CMD_SENDMAIL, 500},
    {EAS_STATUS_SYNC_STATE_NOT_FOUND, EAS_CMD_PROVISION, 500},
};

int eas_status_http(int status, eas_cmd_t cmd)
{
    for (apr_size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
        if (exceptions[i].status == status && exceptions[i].cmd == cmd)
            return exceptions[i].http;
    }
    for (apr_size_t i = 0; i < sizeof(below_14) / sizeof(below_14[0]); i++) {
        if (below_14[i].status == status)
            return below_14[i].http;
    }
    return 500;
}

/* One row per kind. Status 0: the command's own (proto_commands). The two Status values of folders
 * and items are answered by commands themselves; what gets here is a command that has none. */
static const struct {
    int status, http;
} kinds[] = {
    [EAS_E_INTERNAL] = {EAS_STATUS_SERVER_ERROR, 500},
    [EAS_E_BAD_WBXML] = {EAS_STATUS_INVALID_WBXML, 400},
    [EAS_E_BAD_REQUEST] = {0, 400},
    [EAS_E_TOO_LARGE] = {EAS_STATUS_INVALID_CONTENT, 413},
    [EAS_E_UNSUPPORTED] = {EAS_STATUS_COMMAND_NOT_SUPPORTED, 501},
    [EAS_E_CREDENTIALS] = {EAS_STATUS_ACCESS_DENIED, 401},
    [EAS_E_FORBIDDEN] = {EAS_STATUS_ACCESS_DENIED, 403},
    [EAS_E_UNAVAILABLE] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
    [EAS_E_BUSY] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
    [EAS_E_SESSION] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
    [EAS_E_NOT_FOUND] = {EAS_STATUS_ITEM_NOT_FOUND, 500},
    [EAS_E_FOLDER_GONE] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 500},
    [EAS_E_CONFLICT] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
    [EAS_E_EXISTS] = {EAS_STATUS_SERVER_ERROR, 500},
    [EAS_E_PERMISSION] = {EAS_STATUS_ACCESS_DENIED, 403},
    [EAS_E_INVALID] = {EAS_STATUS_INVALID_CONTENT, 400},
    [EAS_E_QUOTA] = {EAS_STATUS_MAILBOX_QUOTA_EXCEEDED, 507},
    [EAS_E_GONE] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
    [EAS_E_STATE] = {0, 500},
    [EAS_E_NEWER] = {EAS_STATUS_SERVER_ERROR_RETRY_LATER, 503},
};

static int is_kind(eas_kind_t kind)
{
    return kind >= EAS_E_INTERNAL && kind <= EAS_E_NEWER;
}

int eas_status_of_kind(eas_kind_t kind, eas_cmd_t cmd)
{
    int known = cmd >= 0 && cmd < EAS_CMD_COUNT;

    if (!is_kind(kind))
        return EAS_STATUS_SERVER_ERROR;
    if (kind == EAS_E_STATE)
        return known ? proto_commands[cmd].bad_state : EAS_STATUS_SYNC_STATE_NOT_FOUND;
    if (kind == EAS_E_BAD_REQUEST)
        return known ? proto_commands[cmd].protocol_error : EAS_STATUS_INVALID_XML;
    return kinds[kind].status;
}

int eas_http_of_kind(eas_kind_t kind)
{
    return is_kind(kind) ? kinds[kind].http : 500;
}
