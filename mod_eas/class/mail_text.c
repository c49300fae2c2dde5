/* SPDX-License-Identifier: Apache-2.0 */
/* A mail's body as plain text or as HTML, whatever it was written as. */
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "eas_buf.h"
#include "eas_text.h"
#include "mail_priv.h"

#define PREVIEW_HTML (64 * 1024) /* as much of an HTML body is read for a preview */

static const char html_begin[] = "<html><head><meta http-equiv=\"Content-Type\" "
                                 "content=\"text/html; charset=utf-8\"></head><body>\r\n";
static const char html_end[] = "\r\n</body></html>";

static int is_html(const mail_part_t *part)
{
    return strcmp(part->type, "text/html") == 0;
}

static int is_blank(eas_span_t s)
{
    for (apr_size_t i = 0; i < s.len; i++)
        if (!g_ascii_isspace(s.data[i]))
            return 0;
    return 1;
}

/* Every line end becomes CRLF. */
static eas_span_t crlf(eas_span_t s, apr_pool_t *pool)
{
    apr_size_t bare = 0, i;
    char *out, *o;

    for (i = 0; i < s.len; i++) {
        const char *p = memchr(s.data + i, '\n', s.len - i);
        if (!p)
            break;
        i = p - s.data;
        bare += i == 0 || p[-1] != '\r';
    }
    if (!bare)
        return s;
    o = out = apr_palloc(pool, s.len + bare + 1);
    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '\n' && (i == 0 || s.data[i - 1] != '\r'))
            *o++ = '\r';
        *o++ = s.data[i];
    }
    *o = '\0';
    return (eas_span_t){out, o - out};
}

/* Text as HTML: markup escaped, line breaks and indentation kept. */
static void put_escaped(eas_buf_t *b, eas_span_t s)
{
    const char *run = s.data, *end = s.data + s.len;

    for (const char *p = s.data; p < end; p++) {
        const char *as = NULL;
        switch (*p) {
        case '<': as = "&lt;"; break;
        case '>': as = "&gt;"; break;
        case '&': as = "&amp;"; break;
        case '"': as = "&quot;"; break;
        case '\r': as = ""; break;
        case '\n': as = "<br>\r\n"; break;
        case ' ':
            if (p == s.data || p[-1] == '\n' || p[-1] == ' ')
                as = "&nbsp;";
            break;
        default: break;
        }
        if (!as)
            continue;
        eas_buf_bytes(b, run, p - run);
        eas_buf_bytes(b, as, strlen(as));
        run = p + 1;
    }
    eas_buf_bytes(b, run, end - run);
}

/* Where the value of a charset attribute or parameter within the tag lies. */
static int find_charset(const char **value, apr_size_t *len, const char *p, const char *end)
{
    for (; p + 8 < end; p++) {
        const char *v = p + 7;
        apr_size_t n = 0;
        if ((*p | 32) != 'c' || strncasecmp(p, "charset", 7) != 0)
            continue;
        while (v < end && (*v == ' ' || *v == '=' || *v == '"' || *v == '\''))
            v++;
        while (v + n < end && (g_ascii_isalnum(v[n]) || v[n] == '-' || v[n] == '_' || v[n] == ':'))
            n++;
        if (v == p + 7 || !n)
            continue;
        *value = v;
        *len = n;
        return 1;
    }
    return 0;
}

/* The document goes out as UTF-8, so its meta elements must not claim something else. */
static eas_span_t neutral_charset(eas_span_t html, apr_pool_t *pool)
{
    const char *p = html.data, *end = p + html.len, *from = p, *value;
    apr_size_t len;
    eas_buf_t b;

    b.data = NULL;
    while ((p = memchr(p, '<', end - p)) != NULL) {
        const char *close;
        p++;
        if (end - p >= 5 && strncasecmp(p, "body", 4) == 0 && !g_ascii_isalnum(p[4]))
            break;
        if (end - p < 5 || strncasecmp(p, "meta", 4) != 0 || g_ascii_isalnum(p[4]))
            continue;
        close = memchr(p, '>', end - p);
        if (!close)
            break;
        if (find_charset(&value, &len, p, close) &&
            (len != 5 || strncasecmp(value, "utf-8", 5) != 0)) {
            if (!b.data)
                eas_buf_init(&b, html.len + 64, pool);
            eas_buf_bytes(&b, from, value - from);
            eas_buf_bytes(&b, "utf-8", 5);
            from = value + len;
        }
        p = close;
    }
    if (!b.data)
        return html;
    eas_buf_bytes(&b, from, end - from);
    return (eas_span_t){b.data, b.len};
}

static eas_span_t to_text(eas_span_t html, apr_pool_t *pool)
{
    eas_span_t out;
    out.data = eas_html_to_text(&out.len, html.data, html.len, pool);
    return out;
}

static eas_span_t plain_part(const mail_part_t *part, apr_pool_t *pool)
{
    eas_span_t s = mail_decode_text(part, pool);
    const char *format = mail_ct_param(part, "format"), *delsp = mail_ct_param(part, "delsp");

    if (is_html(part))
        return to_text(s, pool);
    if (format && strcasecmp(format, "flowed") == 0)
        s = mail_unflow(s, delsp && strcasecmp(delsp, "yes") == 0, pool);
    return crlf(s, pool);
}

#define PART(list, i) APR_ARRAY_IDX(list, i, mail_part_t *)

static eas_span_t join_plain(apr_array_header_t *list, apr_pool_t *pool)
{
    eas_buf_t b;

    if (list->nelts == 1)
        return plain_part(PART(list, 0), pool);
    eas_buf_init(&b, 1024, pool);
    for (int i = 0; i < list->nelts; i++) {
        eas_span_t s = plain_part(PART(list, i), pool);
        if (b.len && s.len && b.data[b.len - 1] != '\n')
            eas_buf_bytes(&b, "\r\n", 2);
        eas_buf_bytes(&b, s.data, s.len);
    }
    return (eas_span_t){b.data, b.len};
}

static eas_span_t join_html(apr_array_header_t *list, apr_pool_t *pool)
{
    int bare = list->nelts == 0 || !is_html(PART(list, 0));
    eas_buf_t b;

    if (list->nelts == 1 && !bare)
        return neutral_charset(mail_decode_text(PART(list, 0), pool), pool);
    eas_buf_init(&b, 4096, pool);
    if (bare)
        eas_buf_bytes(&b, html_begin, sizeof(html_begin) - 1);
    for (int i = 0; i < list->nelts; i++) {
        const mail_part_t *part = PART(list, i);
        if (is_html(part)) {
            eas_span_t s = neutral_charset(mail_decode_text(part, pool), pool);
            eas_buf_bytes(&b, s.data, s.len);
        } else {
            eas_buf_bytes(&b, "<div>", 5);
            put_escaped(&b, plain_part(part, pool));
            eas_buf_bytes(&b, "</div>", 6);
        }
    }
    if (bare)
        eas_buf_bytes(&b, html_end, sizeof(html_end) - 1);
    return (eas_span_t){b.data, b.len};
}

static eas_span_t wrap_plain(eas_span_t plain, apr_pool_t *pool)
{
    eas_buf_t b;
    eas_buf_init(&b, plain.len + plain.len / 8 + 256, pool);
    eas_buf_bytes(&b, html_begin, sizeof(html_begin) - 1);
    put_escaped(&b, plain);
    eas_buf_bytes(&b, html_end, sizeof(html_end) - 1);
    return (eas_span_t){b.data, b.len};
}

static eas_span_t clean(const char *text, apr_pool_t *pool)
{
    eas_span_t s = {text, strlen(text)};
    if (!eas_text_clean(s.data, s.len))
        s.data = eas_text_sanitize(&s.len, s.data, s.len, pool);
    return s;
}

static eas_span_t from_preview(const eas_mail_view_t *view, int type)
{
    const char *plain = eas_item_str(view->item, EAS_P_MAIL_TEXT, NULL);
    const char *html = eas_item_str(view->item, EAS_P_MAIL_HTML, NULL);
    apr_pool_t *pool = view->pool;

    if (type == 2)
        return html ? neutral_charset(clean(html, pool), pool)
                    : wrap_plain(crlf(clean(plain ? plain : "", pool), pool), pool);
    if (html && (!plain || is_blank((eas_span_t){plain, strlen(plain)})))
        return to_text(clean(html, pool), pool);
    return crlf(clean(plain ? plain : "", pool), pool);
}

static eas_span_t from_parts(const eas_mail_view_t *view, int type)
{
    eas_span_t s;
    if (type == 2)
        return join_html(view->html, view->pool);
    s = join_plain(view->plain, view->pool);
    /* an empty text alternative says nothing about the HTML beside it */
    if (view->native == 2 && is_blank(s))
        s = join_plain(view->html, view->pool);
    return s;
}

eas_span_t mail_text(const eas_mail_view_t *view, int type)
{
    eas_mail_view_t *v = (eas_mail_view_t *)view;
    if (!v->have_text[type]) {
        v->text[type] = v->root ? from_parts(v, type) : from_preview(v, type);
        v->have_text[type] = 1;
    }
    return v->text[type];
}

apr_size_t mail_text_size(const eas_mail_view_t *view, int type)
{
    apr_size_t len = mail_text(view, type).len;
    int html = eas_item_state(view->item, EAS_P_MAIL_HTML) == EAS_PS_VALUE;
    int cut = type == 2 || eas_item_state(view->item, EAS_P_MAIL_TEXT) != EAS_PS_VALUE
                  ? eas_item_bool(view->item, html ? EAS_P_MAIL_HTML_CUT : EAS_P_MAIL_TEXT_CUT, 0)
                  : eas_item_bool(view->item, EAS_P_MAIL_TEXT_CUT, 0);
    apr_int64_t whole = eas_item_int(view->item, EAS_P_MAIL_SIZE, 0);

    if (view->root || !cut)
        return len;
    for (int i = 0; i < view->atts->nelts; i++)
        whole -= APR_ARRAY_IDX(view->atts, i, mail_att_t).size;
    return whole > (apr_int64_t)len ? (apr_size_t)whole : len + 1;
}

const char *mail_preview_text(const eas_mail_view_t *view, int chars, apr_pool_t *pool)
{
    eas_span_t s = {NULL, 0};
    apr_size_t left = (apr_size_t)chars;
    eas_buf_t b;
    int space = 0;

    if (!view->have_text[1] && view->have_text[2] && view->native == 2) {
        eas_span_t start = view->text[2];
        if (start.len > PREVIEW_HTML)
            start.len = eas_utf8_cut(start.data, start.len, PREVIEW_HTML);
        s = to_text(start, pool);
    }
    if (!s.len) /* or so much style that no text has come yet */
        s = mail_text(view, 1);
    eas_buf_init(&b, left * 4 + 4, pool);
    for (apr_size_t i = 0; i < s.len && left;) {
        apr_size_t n = eas_utf8_prefix(s.data + i, s.len - i < 4 ? s.len - i : 4, 1);
        if (!n || g_ascii_isspace(s.data[i])) {
            space = b.len > 0;
            i++;
            continue;
        }
        if (space) {
            eas_buf_bytes(&b, " ", 1);
            space = 0;
            if (!--left)
                break;
        }
        eas_buf_bytes(&b, s.data + i, n);
        i += n;
        left--;
    }
    while (b.len && b.data[b.len - 1] == ' ')
        b.len--;
    eas_buf_u8(&b, 0);
    return b.data;
}
