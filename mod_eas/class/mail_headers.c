/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields as a phone wants them: decoded, clean, of bounded length. */
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_text.h"
#include "mail_priv.h"

char *mail_line(const char *s, apr_size_t len, apr_size_t max, apr_pool_t *pool)
{
    char *out = eas_text_clean(s, len) ? apr_pstrmemdup(pool, s, len)
                                       : eas_text_sanitize(&len, s, len, pool);
    for (apr_size_t i = 0; i < len; i++)
        if (out[i] == '\t' || out[i] == '\n' || out[i] == '\r')
            out[i] = ' ';
    while (len && *out == ' ')
        out++, len--;
    if (len > max)
        len = eas_utf8_cut(out, len, max);
    while (len && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
    return out;
}

/* An encoded word of base64 at p: its charset (with "=?" and "?") and its text. Gives what is
 * behind it, NULL = there is none. */
static const char *base64_word(eas_span_t *charset, eas_span_t *text, const char *p)
{
    const char *q, *end;

    if (p[0] != '=' || p[1] != '?' || !(q = strpbrk(p + 2, "? ")) || *q != '?' ||
        (q[1] | 32) != 'b' || q[2] != '?' || !(end = strpbrk(q + 3, "? ")) || end[0] != '?' ||
        end[1] != '=')
        return NULL;
    *charset = (eas_span_t){p, q + 1 - p};
    *text = (eas_span_t){q + 3, end - q - 3};
    return end + 2;
}

/* Some programs cut a character in two between two words of base64, which RFC 2047 forbids and
 * gmime does not forgive: neighbours of one charset become one word. */
static const char *join_base64_words(const char *raw, apr_pool_t *pool)
{
    const char *first = strstr(raw, "=?"), *p = raw;
    eas_buf_t b;

    if (!first || !strstr(first + 2, "=?"))
        return raw;
    eas_buf_init(&b, strlen(raw) + 64, pool);
    while (*p) {
        eas_span_t charset, text, next_charset, next_text;
        const char *end = base64_word(&charset, &text, p), *next;
        eas_buf_t bytes;

        if (!end) {
            eas_buf_bytes(&b, p++, 1);
            continue;
        }
        eas_buf_init(&bytes, text.len, pool);
        for (next_text = text, next_charset = charset;; next_text = text) {
            unsigned char *data;
            apr_size_t len;
            if (!eas_base64_decode(&data, &len, apr_pstrmemdup(pool, next_text.data, next_text.len),
                                   pool))
                return raw; /* damaged: let gmime see what it can make of it */
            eas_buf_bytes(&bytes, data, len);
            next = base64_word(&next_charset, &text, end + strspn(end, " \t"));
            if (!next || next_charset.len != charset.len ||
                strncasecmp(next_charset.data, charset.data, charset.len) != 0)
                break;
            end = next;
        }
        eas_buf_bytes(&b, charset.data, charset.len);
        eas_buf_bytes(&b, "B?", 2);
        char *joined = eas_base64(bytes.data ? bytes.data : "", bytes.len, pool);
        eas_buf_bytes(&b, joined, strlen(joined));
        eas_buf_bytes(&b, "?=", 2);
        p = end;
    }
    eas_buf_u8(&b, 0);
    return b.data;
}

const char *mail_hdr_text(const mail_part_t *part, mail_hdr_t id, apr_size_t max, apr_pool_t *pool)
{
    const char *raw = mail_hdr_raw(part, id, MAIL_MAX_VALUE, pool);
    char *decoded, *line;

    if (!raw || !*raw)
        return NULL;
    if (!strstr(raw, "=?") && eas_text_clean(raw, strlen(raw)))
        return mail_line(raw, strlen(raw), max, pool);
    decoded = g_mime_utils_header_decode_text(mail_gmime_options(), join_base64_words(raw, pool));
    line = decoded ? mail_line(decoded, strlen(decoded), max, pool) : NULL;
    g_free(decoded);
    return line && *line ? line : NULL;
}

/* A list under construction; more than max bytes of it are never written. */
typedef struct list_t {
    char *text;
    apr_size_t len, max;
    int full;
} list_t;

static void list_init(list_t *l, apr_size_t max, apr_size_t expected, apr_pool_t *pool)
{
    memset(l, 0, sizeof(*l));
    l->max = max;
    l->text = apr_palloc(pool, (expected < max ? expected : max) + 1);
}

static void list_add(list_t *l, const char *separator, const char *entry)
{
    apr_size_t sep = l->len ? strlen(separator) : 0, n = strlen(entry);
    if (l->full || !n)
        return;
    if (l->len + sep + n > l->max) {
        l->full = 1;
        return;
    }
    memcpy(l->text + l->len, separator, sep);
    memcpy(l->text + l->len + sep, entry, n);
    l->len += sep + n;
}

static const char *list_text(list_t *l)
{
    l->text[l->len] = '\0';
    return l->len ? l->text : NULL;
}

/* "Name" <a@b>, or the bare address when there is no name. */
static const char *format_address(const char *name, const char *addr, apr_pool_t *pool)
{
    char *quoted, *q;

    if (!name || !*name || strcmp(name, addr) == 0)
        return addr;
    q = quoted = apr_palloc(pool, strlen(name) * 2 + 1);
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            *q++ = '\\';
        *q++ = *name;
    }
    *q = '\0';
    return *addr ? apr_pstrcat(pool, "\"", quoted, "\" <", addr, ">", NULL)
                 : apr_pstrcat(pool, "\"", quoted, "\"", NULL);
}

static void add_addresses(list_t *list, list_t *names, InternetAddressList *al,
                          const char *separator, int depth, apr_pool_t *pool)
{
    int n = internet_address_list_length(al);
    for (int i = 0; i < n && !list->full; i++) {
        InternetAddress *ia = internet_address_list_get_address(al, i);
        const char *raw = internet_address_get_name(ia);
        const char *name = raw ? mail_line(raw, strlen(raw), MAIL_MAX_LINE, pool) : "";
        if (INTERNET_ADDRESS_IS_GROUP(ia)) {
            InternetAddressList *members =
                internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia));
            if (members && depth < 4)
                add_addresses(list, names, members, separator, depth + 1, pool);
        } else {
            const char *addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
            addr = addr ? mail_line(addr, strlen(addr), MAIL_MAX_LINE, pool) : "";
            list_add(list, separator, format_address(name, addr, pool));
            if (names)
                list_add(names, "; ", *name ? name : addr);
        }
    }
}

/* Nothing behind the last comma: a list that was cut must not end in half an address. */
static void cut_list(char *raw, apr_size_t had)
{
    char *comma = had >= MAIL_MAX_VALUE ? strrchr(raw, ',') : NULL;
    if (comma)
        *comma = '\0';
}

/* gmime reads a group within a group within a group by recursion, without an end. No mail program
 * writes any; so of the colons, quoted or not, only a few stay. */
static void limit_groups(char *raw)
{
    int colons = 0;
    for (char *p = strchr(raw, ':'); p; p = strchr(p + 1, ':'))
        if (++colons > MAIL_MAX_GROUPS)
            *p = ' ';
}

/* An address header; *names (may be NULL) gets the names for DisplayTo. A value that is no address
 * list at all is given as the text it is. */
static const char *addresses(const char **names, const mail_part_t *part, mail_hdr_t id,
                             const char *separator, apr_size_t max, apr_pool_t *pool)
{
    char *raw = mail_hdr_raw(part, id, MAIL_MAX_VALUE, pool);
    InternetAddressList *al;
    list_t list, shown;
    const char *text;

    if (!raw || !*raw)
        return NULL;
    cut_list(raw, part->hdr[id].len);
    limit_groups(raw);
    list_init(&list, max, strlen(raw) * 6 + 64, pool);
    list_init(&shown, MAIL_MAX_LIST, names ? strlen(raw) * 6 + 64 : 0, pool);
    al = internet_address_list_parse(mail_gmime_options(), raw);
    if (al) {
        add_addresses(&list, names ? &shown : NULL, al, separator, 0, pool);
        g_object_unref(al);
    } else if (!strchr(raw, ';')) {
        text = mail_hdr_text(part, id, MAIL_MAX_LINE, pool);
        list_add(&list, separator, text ? text : "");
        if (names)
            list_add(&shown, "; ", text ? text : "");
    }
    if (names)
        *names = list_text(&shown);
    return list_text(&list);
}

/* What reply and forward subjects begin with, in the languages of mail programs. */
static const char *const prefixes[] = {"re",  "fw", "fwd", "aw",  "wg",  "sv", "vs", "vb", "ref",
                                       "antw", "tr", "rv",  "enc", "odp", "pd", "vl", "res", "i",
                                       "r",   "bls"};

static const char *skip_prefix(const char *s)
{
    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        apr_size_t n = strlen(prefixes[i]);
        if (strncasecmp(s, prefixes[i], n) != 0)
            continue;
        if (s[n] == '[') { /* Re[2]: */
            apr_size_t digits = strspn(s + n + 1, "0123456789");
            if (!digits || s[n + 1 + digits] != ']')
                continue;
            n += digits + 2;
        }
        if (s[n] == ':')
            return s + n + 1;
    }
    return NULL;
}

const char *mail_topic(const char *subject)
{
    const char *rest;
    while (*subject == ' ')
        subject++;
    while ((rest = skip_prefix(subject)) != NULL) {
        while (*rest == ' ')
            rest++;
        subject = rest;
    }
    return subject;
}

/* The ways to say how urgent a mail is, the most exact first. */
static const struct {
    mail_hdr_t header;
    const char *low, *high; /* beginnings of the value, '|' between */
} urgencies[] = {
    {MH_IMPORTANCE, "low", "high"},
    {MH_X_PRIORITY, "4|5|low", "1|2|high"},
    {MH_X_MSMAIL_PRIORITY, "low", "high"},
    {MH_PRIORITY, "non-urgent", "urgent"},
};

static int begins_with_one(const char *value, const char *list)
{
    while (*list) {
        apr_size_t n = strcspn(list, "|");
        if (strncasecmp(value, list, n) == 0)
            return 1;
        list += n + (list[n] == '|');
    }
    return 0;
}

static int importance(const mail_part_t *part, apr_pool_t *pool)
{
    for (unsigned i = 0; i < sizeof(urgencies) / sizeof(*urgencies); i++) {
        const char *v = mail_hdr_raw(part, urgencies[i].header, 64, pool);
        if (v && *v)
            return begins_with_one(v, urgencies[i].high)  ? 2
                   : begins_with_one(v, urgencies[i].low) ? 0
                                                          : 1;
    }
    return 1;
}

static apr_time_t sent_time(const mail_part_t *part, apr_pool_t *pool)
{
    const char *raw = mail_hdr_raw(part, MH_DATE, 256, pool);
    GDateTime *dt = raw && *raw ? g_mime_utils_header_decode_date(raw) : NULL;
    apr_int64_t seconds = dt ? g_date_time_to_unix(dt) : 0;
    if (dt)
        g_date_time_unref(dt);
    /* what a four-digit year can say and no clock of a mail program is behind */
    return seconds > 0 && seconds < 253402300800LL ? apr_time_from_sec(seconds) : 0;
}

static const char *different_sender(const mail_fields_t *f, const mail_part_t *part,
                                    apr_pool_t *pool)
{
    const char *sender = addresses(NULL, part, MH_SENDER, ", ", MAIL_MAX_LINE, pool);
    if (!sender || !f->from || strcasecmp(sender, f->from) == 0)
        return NULL;
    const char *a = strrchr(sender, '<'), *b = strrchr(f->from, '<');
    char *bare_a = apr_pstrdup(pool, a ? a + 1 : sender);
    char *bare_b = apr_pstrdup(pool, b ? b + 1 : f->from);
    bare_a[strcspn(bare_a, ">")] = '\0';
    bare_b[strcspn(bare_b, ">")] = '\0';
    return strcasecmp(bare_a, bare_b) == 0 ? NULL : sender;
}

static void from_source(mail_fields_t *f, const mail_part_t *p, apr_pool_t *pool)
{
    f->from = addresses(NULL, p, MH_FROM, ", ", MAIL_MAX_LIST, pool);
    f->to = addresses(&f->display_to, p, MH_TO, ", ", MAIL_MAX_LIST, pool);
    f->cc = addresses(NULL, p, MH_CC, ", ", MAIL_MAX_LIST, pool);
    f->bcc = addresses(NULL, p, MH_BCC, ", ", MAIL_MAX_BCC, pool);
    f->reply_to = addresses(NULL, p, MH_REPLY_TO, "; ", MAIL_MAX_LIST, pool);
    f->sender = different_sender(f, p, pool);
    f->subject = mail_hdr_text(p, MH_SUBJECT, MAIL_MAX_LINE, pool);
    f->message_id = mail_hdr_raw(p, MH_MESSAGE_ID, MAIL_MAX_LINE, pool);
    f->in_reply_to = mail_hdr_raw(p, MH_IN_REPLY_TO, MAIL_MAX_LINE, pool);
    f->references = mail_hdr_raw(p, MH_REFERENCES, MAIL_MAX_VALUE, pool);
    f->thread_index = mail_hdr_raw(p, MH_THREAD_INDEX, MAIL_MAX_LINE, pool);
    f->importance = importance(p, pool);
    f->sent = sent_time(p, pool);
}

/* Names of a ready-made list, for DisplayTo. */
static const char *names_of(const char *list_in, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, list_in);
    InternetAddressList *al;
    list_t list, names;

    limit_groups(copy);
    al = internet_address_list_parse(mail_gmime_options(), copy);
    if (!al)
        return list_in;
    list_init(&list, MAIL_MAX_LIST, strlen(list_in) * 2 + 64, pool);
    list_init(&names, MAIL_MAX_LIST, strlen(list_in) * 2 + 64, pool);
    add_addresses(&list, &names, al, ", ", 0, pool);
    g_object_unref(al);
    return list_text(&names);
}

static const char *ready_list(const eas_item_t *it, eas_prop_t prop, apr_size_t max,
                              apr_pool_t *pool)
{
    const char *s = eas_item_str(it, prop, NULL);
    apr_size_t len = s ? strlen(s) : 0;
    if (len > max) { /* end at an address */
        char *cut = apr_pstrmemdup(pool, s, eas_utf8_cut(s, len, max));
        char *comma = strrchr(cut, ',');
        if (comma)
            *comma = '\0';
        s = cut;
    }
    return s && *s ? s : NULL;
}

static void from_preview(mail_fields_t *f, const eas_item_t *it, apr_pool_t *pool)
{
    apr_int64_t priority = eas_item_int(it, EAS_P_MAIL_PRIORITY, 0);

    f->from = ready_list(it, EAS_P_MAIL_FROM, MAIL_MAX_LIST, pool);
    f->to = ready_list(it, EAS_P_MAIL_TO, MAIL_MAX_LIST, pool);
    f->cc = ready_list(it, EAS_P_MAIL_CC, MAIL_MAX_LIST, pool);
    f->bcc = ready_list(it, EAS_P_MAIL_BCC, MAIL_MAX_BCC, pool);
    f->reply_to = ready_list(it, EAS_P_MAIL_REPLY_TO, MAIL_MAX_LIST, pool);
    f->display_to = f->to ? names_of(f->to, pool) : NULL;
    f->subject = eas_item_str(it, EAS_P_MAIL_SUBJECT, NULL);
    if (f->subject)
        f->subject = mail_line(f->subject, strlen(f->subject), MAIL_MAX_LINE, pool);
    f->message_id = eas_item_str(it, EAS_P_MAIL_MESSAGE_ID, NULL);
    f->in_reply_to = eas_item_str(it, EAS_P_MAIL_IN_REPLY_TO, NULL);
    f->references = eas_item_str(it, EAS_P_MAIL_REFERENCES, NULL);
    f->importance = priority == 1 || priority == 2 ? 2 : priority >= 4 ? 0 : 1;
    f->sent = eas_item_time(it, EAS_P_MAIL_SENT, 0);
}

mail_fields_t *mail_fields(const eas_mail_view_t *view)
{
    mail_fields_t *f = view->fields;

    if (f)
        return f;
    f = apr_pcalloc(view->pool, sizeof(*f));
    if (view->root)
        from_source(f, view->root, view->pool);
    else
        from_preview(f, view->item, view->pool);
    f->topic = f->subject ? mail_topic(f->subject) : NULL;
    f->received = eas_item_time(view->item, EAS_P_MAIL_RECEIVED, f->sent);
    f->message_class = mail_message_class(view);
    ((eas_mail_view_t *)view)->fields = f;
    return f;
}
