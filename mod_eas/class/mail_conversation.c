/* SPDX-License-Identifier: Apache-2.0 */
/* ConversationId and ConversationIndex (MS-ASEMAIL 2.2.2.20, 2.2.2.21). Both must come out the same
 * each time the mail is read, from nothing but its own headers. */
#include <ctype.h>
#include <string.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_crypto.h"
#include "eas_text.h"
#include "mail_priv.h"

#define LEVEL 5       /* bytes of the header and of each response level */
#define MAX_LEVELS 20
#define FILETIME_EPOCH 11644473600LL /* seconds from 1601 to 1970 */

/* The next "<id>" at *p, without the brackets; NULL = no more. */
static const char *next_id(apr_size_t *len, const char **p)
{
    const char *open = strchr(*p, '<'), *close = open ? strchr(open, '>') : NULL;
    if (!close)
        return NULL;
    *len = close - open - 1;
    *p = close + 1;
    return open + 1;
}

static int first_id(const char **id, apr_size_t *len, const char *list)
{
    if (!list)
        return 0;
    *id = next_id(len, &list);
    return *id && *len;
}

void mail_conversation_id(unsigned char out[MAIL_CONVERSATION_ID], const mail_fields_t *f,
                          apr_pool_t *pool)
{
    unsigned char hash[EAS_HASH_LEN];
    const char *id = "", *kind = "id";
    apr_size_t len = 0;
    eas_buf_t b;

    if (!first_id(&id, &len, f->references) && !first_id(&id, &len, f->in_reply_to) &&
        !first_id(&id, &len, f->message_id)) {
        char *topic = apr_pstrdup(pool, f->topic && *f->topic ? f->topic : "");
        for (char *p = topic; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        kind = "topic";
        if (!*topic) {
            kind = "time";
            topic = apr_psprintf(pool, "%" APR_TIME_T_FMT, f->received);
        }
        id = topic;
        len = strlen(topic);
    }
    eas_buf_init(&b, len + 16, pool);
    eas_buf_str(&b, kind);
    eas_buf_blob(&b, id, len);
    eas_sha256(hash, b.data, b.len);
    memcpy(out, hash, MAIL_CONVERSATION_ID);
}

/* What Outlook and Exchange carry in Thread-Index: 22 bytes of header, then the response levels. */
static int from_thread_index(eas_buf_t *b, const char *text, apr_pool_t *pool)
{
    unsigned char *data;
    apr_size_t len;

    if (!text || !eas_base64_decode(&data, &len, text, pool) || len < 22 || data[0] != 1)
        return 0;
    eas_buf_bytes(b, data, LEVEL);
    for (apr_size_t at = 22; at + LEVEL <= len && at < 22 + LEVEL * MAX_LEVELS; at += LEVEL)
        eas_buf_bytes(b, data + at, LEVEL);
    return 1;
}

eas_span_t mail_conversation_index(const mail_fields_t *f, apr_pool_t *pool)
{
    apr_uint64_t filetime =
        (apr_uint64_t)((f->sent ? f->sent : f->received) / APR_USEC_PER_SEC + FILETIME_EPOCH) *
        10000000;
    const char *list = f->references ? f->references : f->in_reply_to ? f->in_reply_to : "", *id;
    apr_size_t len;
    eas_buf_t b;

    eas_buf_init(&b, 64, pool);
    if (!from_thread_index(&b, f->thread_index, pool)) {
        for (int shift = 56; shift > 56 - 8 * LEVEL; shift -= 8)
            eas_buf_u8(&b, (unsigned)(filetime >> shift & 0xFF));
        /* a level for each mail before this one; how much later it came is not known here */
        for (int n = 0; n < MAX_LEVELS && (id = next_id(&len, &list)) != NULL; n++) {
            unsigned char hash[EAS_HASH_LEN];
            eas_sha256(hash, id, len);
            eas_buf_bytes(&b, "\0\0\0\0", LEVEL - 1);
            eas_buf_u8(&b, hash[0]);
        }
    }
    return (eas_span_t){b.data, b.len};
}
