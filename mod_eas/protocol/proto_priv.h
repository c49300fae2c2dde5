/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_PRIV_H
#define PROTO_PRIV_H
/** What the files of this room share. */
#include "eas_protocol.h"
#include "eas_wbxml.h"

typedef struct proto_command_t {
    const char *name;
    int first, last; /**< versions that have it */
    eas_tag_t root, status;
    int protocol_error; /**< Status of a document of wrong structure, on the root */
    int bad_state;      /**< Status when our state of the device is lost: start anew */
} proto_command_t;

extern const proto_command_t proto_commands[EAS_CMD_COUNT];

/** One parameter of either form of the query: checks it and stores it in @a req. */
typedef enum proto_param_t {
    PROTO_P_CMD,
    PROTO_P_USER,
    PROTO_P_DEVICE_ID,
    PROTO_P_DEVICE_TYPE,
    PROTO_P_ATTACHMENT_NAME,
    PROTO_P_COLLECTION_ID,
    PROTO_P_ITEM_ID,
    PROTO_P_LONG_ID,
    PROTO_P_OCCURRENCE,
    PROTO_P_SAVE_IN_SENT,
    PROTO_P_COUNT
} proto_param_t;

/** The raw values of a query, before they are checked; data NULL = not given. */
typedef struct proto_query_t {
    eas_span_t value[PROTO_P_COUNT];
    int version; /**< base64 form: the version byte, else 0 */
    int code;    /**< base64 form: the command code, else -1 */
    apr_uint16_t locale;
    int has_policy_key;
    apr_uint32_t policy_key;
    int options; /**< base64 form: bits of Options */
} proto_query_t;

/** Undoes %XX strictly; *plus: '+' stands for a blank. NULL when an escape is broken. */
char *proto_unescape(apr_size_t *len, const char *text, apr_size_t textlen, int plus,
                     apr_pool_t *pool);
/** Cmd=..&User=..; 0 when an escape is broken. */
int proto_query_plain(proto_query_t *q, const char *text, apr_pool_t *pool);
/** The base64 form (digest 1.4), already decoded; NULL or what is wrong with it. */
const char *proto_query_binary(proto_query_t *q, const unsigned char *data, apr_size_t len);

#endif
