/* SPDX-License-Identifier: Apache-2.0 */
/* Mail objects of `get` (API reference 3.5) as items: many mails in one call, cut bodies, no MIME
 * work. Only where that shows the mail faithfully; all else is read from the source. */
#include <string.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_text.h"
#include "ox_priv.h"

#define MIN_TEXT 10000         /* smaller values of max_size are not accepted (API 3.5) */
#define MAX_ADDRESSES 500
#define MAX_LINE 8192          /* bytes of a subject, a name, an address */
#define MAX_PARTS 1000

/* Clean copy of a JSON string, NULL when it is none or empty. */
static const char *text_of(const json_t *value, apr_size_t max, apr_pool_t *pool)
{
    const char *s = json_string_value(value);
    apr_size_t len = json_string_length(value);
    if (!s || !len)
        return NULL;
    if (max && len > max)
        len = eas_utf8_cut(s, len, max);
    s = eas_text_clean(s, len) ? apr_pstrmemdup(pool, s, len)
                               : eas_text_sanitize(NULL, s, len, pool);
    return *s ? s : NULL;
}

static void put_text(eas_item_t *item, eas_prop_t prop, const json_t *value, apr_pool_t *pool)
{
    const char *s = text_of(value, MAX_LINE, pool);
    if (s)
        eas_item_set_str(item, prop, s);
}

/* Name of an address as a quoted string (RFC 5322 3.2.4), line ends made spaces. */
static void put_quoted(eas_buf_t *b, const char *name)
{
    eas_buf_bytes(b, "\"", 1);
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            eas_buf_bytes(b, "\\", 1);
        eas_buf_bytes(b, *name == '\r' || *name == '\n' ? " " : name, 1);
    }
    eas_buf_bytes(b, "\" ", 2);
}

/* [["Name or null","user@host"],...] */
static void put_addresses(eas_item_t *item, eas_prop_t prop, const json_t *list, apr_pool_t *pool)
{
    eas_buf_t b;
    size_t i;
    json_t *entry;

    eas_buf_init(&b, 256, pool);
    json_array_foreach (list, i, entry) {
        const char *name = text_of(json_array_get(entry, 0), MAX_LINE, pool);
        const char *address = text_of(json_array_get(entry, 1), MAX_LINE, pool);
        if (i == MAX_ADDRESSES)
            break;
        if (!address || strpbrk(address, "<>\r\n"))
            continue;
        if (b.len)
            eas_buf_bytes(&b, ", ", 2);
        if (name)
            put_quoted(&b, name);
        eas_buf_bytes(&b, "<", 1);
        eas_buf_bytes(&b, address, strlen(address));
        eas_buf_bytes(&b, ">", 1);
    }
    if (b.len)
        eas_item_set_str(item, prop, apr_pstrmemdup(pool, b.data, b.len));
}

static void put_time(eas_item_t *item, eas_prop_t prop, const json_t *value)
{
    apr_int64_t ms = ox_json_num(value, -1);
    if (ms >= 0 && ms <= 253402300799999LL) /* the year 9999 */
        eas_item_set_time(item, prop, ms * 1000);
}

static void put_flags(eas_item_t *item, apr_int64_t mask)
{
    unsigned ours = ox_rows_flags((apr_uint32_t)mask);
    eas_item_set_bool(item, EAS_P_MAIL_READ, !!(ours & EAS_MF_SEEN));
    eas_item_set_bool(item, EAS_P_MAIL_FLAGGED, !!(ours & EAS_MF_FLAGGED));
    eas_item_set_bool(item, EAS_P_MAIL_ANSWERED, !!(ours & EAS_MF_ANSWERED));
    eas_item_set_bool(item, EAS_P_MAIL_FORWARDED, !!(ours & EAS_MF_FORWARDED));
    eas_item_set_bool(item, EAS_P_MAIL_DRAFT, !!(ours & EAS_MF_DRAFT));
}

/* Lower case, without parameters. */
static const char *type_of(const json_t *value, apr_pool_t *pool)
{
    const char *s = text_of(value, MAX_LINE, pool);
    if (!s)
        return "application/octet-stream";
    char *copy = apr_pstrmemdup(pool, s, strcspn(s, "; \t\r\n"));
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* What the message's own type says about previews: signed and encrypted mail needs its bytes. */
static int needs_source(const char *type)
{
    static const char *const types[] = {"multipart/signed", "multipart/encrypted",
                                        "application/pkcs7-mime", "application/x-pkcs7-mime",
                                        "multipart/report"};
    for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(type, types[i]) == 0)
            return 1;
    return 0;
}

static void put_part(eas_buf_t *b, const json_t *entry, const char *type, apr_pool_t *pool)
{
    apr_int64_t size = ox_json_num(json_object_get(entry, "size"), -1);
    const char *disp = json_string_value(json_object_get(entry, "disp"));
    eas_buf_str(b, text_of(json_object_get(entry, "id"), MAX_LINE, pool));
    eas_buf_str(b, text_of(json_object_get(entry, "filename"), MAX_LINE, pool));
    eas_buf_str(b, type);
    eas_buf_str(b, text_of(json_object_get(entry, "cid"), MAX_LINE, pool));
    eas_buf_var(b, size < 0 ? 0 : (apr_uint64_t)size + 1);
    eas_buf_u8(b, disp && strcmp(disp, "inline") == 0);
}

/* A body part as text; 0 when the mail has a second one of its kind. */
static int put_body(eas_item_t *item, const json_t *entry, int html, int cut, apr_pool_t *pool)
{
    eas_prop_t prop = html ? EAS_P_MAIL_HTML : EAS_P_MAIL_TEXT;
    const char *s = text_of(json_object_get(entry, "content"), 0, pool);
    if (eas_item_state(item, prop) != EAS_PS_ABSENT)
        return 0;
    eas_item_set_str(item, prop, s ? s : "");
    eas_item_set_bool(item, html ? EAS_P_MAIL_HTML_CUT : EAS_P_MAIL_TEXT_CUT,
                      cut || ox_json_bool(json_object_get(entry, "truncated")) == 1);
    return 1;
}

static int put_bodies(eas_item_t *item, const json_t *mail, apr_pool_t *pool)
{
    const json_t *entries = json_object_get(mail, "attachments");
    const json_t *nested = json_object_get(mail, "nested_msgs");
    /* Told for the whole mail by some versions: then any body may be cut. */
    int cut = ox_json_bool(json_object_get(mail, "truncated")) == 1, any_cut = 0, count = 0;
    eas_buf_t parts;
    json_t *entry;
    size_t i;

    if (json_array_size(entries) + json_array_size(nested) > MAX_PARTS)
        return 0;
    json_array_foreach (entries, i, entry)
        any_cut |= ox_json_bool(json_object_get(entry, "truncated")) == 1;
    eas_buf_init(&parts, 256, pool);
    json_array_foreach (entries, i, entry) {
        const char *type = type_of(json_object_get(entry, "content_type"), pool);
        int plain = strcmp(type, "text/plain") == 0, html = strcmp(type, "text/html") == 0;
        if ((plain || html) && json_is_string(json_object_get(entry, "content"))
            && !json_is_string(json_object_get(entry, "filename"))) {
            if (!put_body(item, entry, html, cut && !any_cut, pool))
                return 0;
        } else {
            put_part(&parts, entry, type, pool);
            count++;
        }
    }
    json_array_foreach (nested, i, entry) {
        put_part(&parts, entry, "message/rfc822", pool);
        count++;
    }
    if (count) {
        eas_buf_t record;
        eas_buf_init(&record, parts.len + 10, pool);
        eas_buf_var(&record, (apr_uint64_t)count);
        eas_buf_bytes(&record, parts.data, parts.len);
        eas_item_set_span(item, EAS_P_MAIL_PARTS, record.data, record.len);
    }
    return 1;
}

eas_item_t *ox_preview_item(const json_t *mail, apr_pool_t *pool)
{
    const json_t *headers = json_object_get(mail, "headers");
    eas_item_t *item = eas_item_create(pool);
    const char *type;
    apr_int64_t n;

    if (!json_is_object(mail) || !json_is_array(json_object_get(mail, "attachments")))
        return NULL;
    type = type_of(json_object_get(mail, "content_type"), pool);
    if (needs_source(type))
        return NULL;
    if (json_is_string(json_object_get(mail, "content_type")))
        eas_item_set_str(item, EAS_P_MAIL_CONTENT_TYPE, type);
    put_text(item, EAS_P_MAIL_SUBJECT, json_object_get(mail, "subject"), pool);
    put_addresses(item, EAS_P_MAIL_FROM, json_object_get(mail, "from"), pool);
    put_addresses(item, EAS_P_MAIL_TO, json_object_get(mail, "to"), pool);
    put_addresses(item, EAS_P_MAIL_CC, json_object_get(mail, "cc"), pool);
    put_addresses(item, EAS_P_MAIL_BCC, json_object_get(mail, "bcc"), pool);
    put_addresses(item, EAS_P_MAIL_REPLY_TO, json_object_get(mail, "reply_to"), pool);
    put_time(item, EAS_P_MAIL_SENT, json_object_get(mail, "sent_date"));
    put_time(item, EAS_P_MAIL_RECEIVED, json_object_get(mail, "received_date"));
    put_text(item, EAS_P_MAIL_MESSAGE_ID, json_object_get(headers, "Message-ID"), pool);
    if (eas_item_state(item, EAS_P_MAIL_MESSAGE_ID) == EAS_PS_ABSENT)
        put_text(item, EAS_P_MAIL_MESSAGE_ID, json_object_get(headers, "Message-Id"), pool);
    put_text(item, EAS_P_MAIL_IN_REPLY_TO, json_object_get(headers, "In-Reply-To"), pool);
    put_text(item, EAS_P_MAIL_REFERENCES, json_object_get(headers, "References"), pool);
    if ((n = ox_json_num(json_object_get(mail, "priority"), -1)) >= 0 && n <= 5)
        eas_item_set_int(item, EAS_P_MAIL_PRIORITY, n);
    if ((n = ox_json_num(json_object_get(mail, "size"), -1)) >= 0)
        eas_item_set_int(item, EAS_P_MAIL_SIZE, n);
    if ((n = ox_json_num(json_object_get(mail, "color_label"), -1)) >= 0 && n <= 10)
        eas_item_set_int(item, EAS_P_MAIL_LABEL, n);
    if ((n = ox_json_num(json_object_get(mail, "flags"), -1)) >= 0)
        put_flags(item, n);
    return put_bodies(item, mail, pool) ? item : NULL;
}

static eas_err_t *preview_batch(eas_item_t **items, eas_session_t *session, const char *folder,
                                const apr_uint32_t *uids, int count, apr_size_t max_text,
                                apr_pool_t *pool)
{
    const char *quoted = ox_json_quote(pool, folder);
    json_t *answers;
    eas_buf_t b;

    eas_buf_init(&b, 8192, pool);
    for (int i = 0; i < count; i++) {
        const char *part = apr_psprintf(
            pool, "%s{\"module\":\"mail\",\"action\":\"get\",\"folder\":%s,\"id\":\"%u\","
            "\"view\":\"raw\",\"max_size\":\"%" APR_SIZE_T_FMT "\",\"unseen\":\"true\","
            "\"timezone\":\"UTC\"}", i ? "," : "[", quoted, (unsigned)uids[i],
            max_text < MIN_TEXT ? MIN_TEXT : max_text);
        eas_buf_bytes(&b, part, strlen(part));
    }
    eas_buf_bytes(&b, "]", 1);
    eas_err_t *err = ox_call_multiple(&answers, session, "ox.get", b.data, b.len, count, pool);
    for (int i = 0; !err && i < count; i++) {
        const json_t *answer = json_array_get(answers, (size_t)i);
        const json_t *mail = json_object_get(answer, "data");
        eas_err_t *part = ox_envelope_check(answer, "ox.get", pool);
        if (part && (part->kind == EAS_E_UNAVAILABLE || part->kind == EAS_E_FOLDER_GONE))
            err = part;
        else if (!part && ox_json_num(json_object_get(mail, "id"), 0) == (apr_int64_t)uids[i])
            items[i] = ox_preview_item(mail, pool);
    }
    json_decref(answers);
    return err;
}

eas_err_t *ox_preview(eas_item_t **items, eas_session_t *session, const char *folder,
                      const apr_uint32_t *uids, int count, apr_size_t max_text, apr_pool_t *pool)
{
    for (int i = 0; i < count; i++)
        items[i] = NULL;
    for (int i = 0; i < count; i += OX_BATCH) {
        int n = count - i < OX_BATCH ? count - i : OX_BATCH;
        eas_err_t *err = preview_batch(items + i, session, folder, uids + i, n, max_text, pool);
        if (err)
            return err;
    }
    return NULL;
}
