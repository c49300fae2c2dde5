/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_protocol.h"

#include <strings.h>
#include <apr_strings.h>

#include "proto_priv.h"

/* MS-ASCMD; digest 1.4 (codes), 2 (what a structural error is answered with), 3 (versions). A
 * command whose own error stands deeper than its root says 103 there. Collections were 1.0's
 * folders. */
const proto_command_t proto_commands[EAS_CMD_COUNT] = {
    [EAS_CMD_SYNC] = {"Sync", 25, 161, EAS_AIRSYNC_SYNC, EAS_AIRSYNC_STATUS, 4, 3},
    [EAS_CMD_SENDMAIL] = {"SendMail", 25, 161, EAS_COMPOSEMAIL_SENDMAIL, EAS_COMPOSEMAIL_STATUS,
                          103, 132},
    [EAS_CMD_SMARTFORWARD] = {"SmartForward", 25, 161, EAS_COMPOSEMAIL_SMARTFORWARD,
                              EAS_COMPOSEMAIL_STATUS, 103, 132},
    [EAS_CMD_SMARTREPLY] = {"SmartReply", 25, 161, EAS_COMPOSEMAIL_SMARTREPLY,
                            EAS_COMPOSEMAIL_STATUS, 103, 132},
    [EAS_CMD_GETATTACHMENT] = {"GetAttachment", 25, 121, 0, 0, 103, 132},
    [EAS_CMD_GETHIERARCHY] = {"GetHierarchy", 25, 121, EAS_FOLDERHIERARCHY_FOLDERS, 0, 103, 132},
    [EAS_CMD_CREATECOLLECTION] = {"CreateCollection", 25, 121, 0, 0, 103, 132},
    [EAS_CMD_DELETECOLLECTION] = {"DeleteCollection", 25, 121, 0, 0, 103, 132},
    [EAS_CMD_MOVECOLLECTION] = {"MoveCollection", 25, 121, 0, 0, 103, 132},
    [EAS_CMD_FOLDERSYNC] = {"FolderSync", 25, 161, EAS_FOLDERHIERARCHY_FOLDERSYNC,
                            EAS_FOLDERHIERARCHY_STATUS, 10, 9},
    [EAS_CMD_FOLDERCREATE] = {"FolderCreate", 25, 161, EAS_FOLDERHIERARCHY_FOLDERCREATE,
                              EAS_FOLDERHIERARCHY_STATUS, 10, 9},
    [EAS_CMD_FOLDERDELETE] = {"FolderDelete", 25, 161, EAS_FOLDERHIERARCHY_FOLDERDELETE,
                              EAS_FOLDERHIERARCHY_STATUS, 10, 9},
    [EAS_CMD_FOLDERUPDATE] = {"FolderUpdate", 25, 161, EAS_FOLDERHIERARCHY_FOLDERUPDATE,
                              EAS_FOLDERHIERARCHY_STATUS, 10, 9},
    [EAS_CMD_MOVEITEMS] = {"MoveItems", 25, 161, EAS_MOVE_MOVEITEMS, EAS_MOVE_STATUS, 103, 132},
    [EAS_CMD_GETITEMESTIMATE] = {"GetItemEstimate", 25, 161, EAS_GETITEMESTIMATE_GETITEMESTIMATE,
                                 EAS_GETITEMESTIMATE_STATUS, 103, 132},
    [EAS_CMD_MEETINGRESPONSE] = {"MeetingResponse", 25, 161, EAS_MEETINGRESPONSE_MEETINGRESPONSE,
                                 EAS_MEETINGRESPONSE_STATUS, 103, 132},
    [EAS_CMD_SEARCH] = {"Search", 25, 161, EAS_SEARCH_SEARCH, EAS_SEARCH_STATUS, 103, 132},
    [EAS_CMD_SETTINGS] = {"Settings", 120, 161, EAS_SETTINGS_SETTINGS, EAS_SETTINGS_STATUS, 2, 132},
    [EAS_CMD_PING] = {"Ping", 25, 161, EAS_PING_PING, EAS_PING_STATUS, 4, 132},
    [EAS_CMD_ITEMOPERATIONS] = {"ItemOperations", 120, 161, EAS_ITEMOPERATIONS_ITEMOPERATIONS,
                                EAS_ITEMOPERATIONS_STATUS, 2, 132},
    [EAS_CMD_PROVISION] = {"Provision", 25, 161, EAS_PROVISION_PROVISION, EAS_PROVISION_STATUS, 2,
                           132},
    [EAS_CMD_RESOLVERECIPIENTS] = {"ResolveRecipients", 25, 161,
                                   EAS_RESOLVERECIPIENTS_RESOLVERECIPIENTS,
                                   EAS_RESOLVERECIPIENTS_STATUS, 5, 132},
    [EAS_CMD_VALIDATECERT] = {"ValidateCert", 25, 161, EAS_VALIDATECERT_VALIDATECERT,
                              EAS_VALIDATECERT_STATUS, 2, 132},
    [EAS_CMD_FIND] = {"Find", 161, 161, EAS_FIND_FIND, EAS_FIND_STATUS, 103, 132},
};

static int in_range(eas_cmd_t cmd)
{
    return cmd >= 0 && cmd < EAS_CMD_COUNT;
}

const char *eas_cmd_name(eas_cmd_t cmd)
{
    return in_range(cmd) ? proto_commands[cmd].name : NULL;
}

eas_cmd_t eas_cmd_lookup(const char *name)
{
    for (int cmd = 0; name && cmd < EAS_CMD_COUNT; cmd++) {
        if (strcasecmp(proto_commands[cmd].name, name) == 0)
            return (eas_cmd_t)cmd;
    }
    return EAS_CMD_UNKNOWN;
}

int eas_cmd_in_version(eas_cmd_t cmd, int version)
{
    return in_range(cmd) && version >= proto_commands[cmd].first &&
           version <= proto_commands[cmd].last;
}

const char *eas_cmds_list(const char *offered, int ceiling, apr_pool_t *pool)
{
    const char *list = "";

    for (int cmd = 0; cmd < EAS_CMD_COUNT; cmd++) {
        if (offered[cmd] && proto_commands[cmd].first <= ceiling)
            list = apr_pstrcat(pool, list, *list ? "," : "", proto_commands[cmd].name, NULL);
    }
    return list;
}

eas_cmd_t eas_cmd_of_tag(apr_uint16_t root)
{
    for (int cmd = 0; root && cmd < EAS_CMD_COUNT; cmd++) {
        if (proto_commands[cmd].root == root)
            return (eas_cmd_t)cmd;
    }
    return EAS_CMD_UNKNOWN;
}

apr_uint16_t eas_cmd_root(eas_cmd_t cmd)
{
    return in_range(cmd) ? proto_commands[cmd].root : 0;
}

apr_uint16_t eas_cmd_status(eas_cmd_t cmd)
{
    return in_range(cmd) ? proto_commands[cmd].status : 0;
}
