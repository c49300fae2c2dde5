/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_wbxml.h"

#include <string.h>
#include <apr_base64.h>
#include <apr_strings.h>

#include "eas_buf.h"
#include "eas_text.h"

/* Whose text nobody reading a log shall see: secrets, bodies, and what says who writes to whom
 * about what. Sorted. */
static const eas_tag_t masked[] = {
    EAS_CONTACTS_BODY,
    EAS_CONTACTS_COMPRESSEDRTF,
    EAS_CONTACTS_PICTURE,
    EAS_EMAIL_BODY,
    EAS_EMAIL_DISPLAYTO,
    EAS_EMAIL_SUBJECT,
    EAS_EMAIL_TO,
    EAS_EMAIL_CC,
    EAS_EMAIL_FROM,
    EAS_EMAIL_REPLYTO,
    EAS_EMAIL_THREADTOPIC,
    EAS_EMAIL_MIMEDATA,
    EAS_CALENDAR_BODY,
    EAS_CALENDAR_COMPRESSED_RTF,
    EAS_CALENDAR_SUBJECT,
    EAS_TASKS_BODY,
    EAS_TASKS_SUBJECT,
    EAS_TASKS_COMPRESSEDRTF,
    EAS_RESOLVERECIPIENTS_TO,
    EAS_RESOLVERECIPIENTS_DATA,
    EAS_PROVISION_DATA,
    EAS_SEARCH_QUERY,
    EAS_SEARCH_FREETEXT,
    EAS_SEARCH_USERNAME,
    EAS_SEARCH_PASSWORD,
    EAS_GAL_DATA,
    EAS_AIRSYNCBASE_DATA,
    EAS_AIRSYNCBASE_PREVIEW,
    EAS_AIRSYNCBASE_CONTENT,
    EAS_SETTINGS_REPLYMESSAGE,
    EAS_SETTINGS_PASSWORD,
    EAS_ITEMOPERATIONS_DATA,
    EAS_ITEMOPERATIONS_USERNAME,
    EAS_ITEMOPERATIONS_PASSWORD,
    EAS_COMPOSEMAIL_MIME,
    EAS_COMPOSEMAIL_FORWARDEENAME,
    EAS_COMPOSEMAIL_FORWARDEEEMAIL,
    EAS_EMAIL2_SENDER,
    EAS_EMAIL2_BCC,
    EAS_NOTES_SUBJECT,
    EAS_FIND_QUERY,
    EAS_FIND_FREETEXT,
    EAS_FIND_PREVIEW,
    EAS_FIND_DISPLAYBCC,
};

static int is_masked(eas_tag_t tag)
{
    for (apr_size_t i = 0; i < sizeof(masked) / sizeof(masked[0]) && masked[i] <= tag; i++) {
        if (masked[i] == tag)
            return 1;
    }
    return 0;
}

typedef struct printer_t {
    eas_buf_t buf;
    apr_size_t max;
    int mask;
} printer_t;

static int full(const printer_t *out)
{
    return out->buf.len >= out->max;
}

static void print_bytes(printer_t *out, const char *s, apr_size_t len)
{
    apr_size_t room = out->max - out->buf.len;

    eas_buf_bytes(&out->buf, s, len < room ? len : room);
}

static void print(printer_t *out, const char *s)
{
    print_bytes(out, s, strlen(s));
}

static void indent(printer_t *out, unsigned depth)
{
    while (depth-- && !full(out))
        print(out, "  ");
}

/* Text with the marks of XML escaped, and control characters too (C0, DEL, C1): the lines are read
 * in terminals. */
static void print_text(printer_t *out, const char *s, apr_size_t len)
{
    char number[8];

    for (apr_size_t i = 0; i < len && !full(out); i++) {
        unsigned char c = (unsigned char)s[i];
        unsigned char next = i + 1 < len ? (unsigned char)s[i + 1] : 0;
        if (c == '&') {
            print(out, "&amp;");
        } else if (c == '<') {
            print(out, "&lt;");
        } else if (c == '>') {
            print(out, "&gt;");
        } else if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) {
            apr_snprintf(number, sizeof(number), "&#%u;", c);
            print(out, number);
        } else if (c == 0xC2 && next >= 0x80 && next < 0xA0) {
            apr_snprintf(number, sizeof(number), "&#%u;", next);
            print(out, number);
            i++;
        } else {
            print_bytes(out, s + i, 1);
        }
    }
}

static void print_base64(printer_t *out, const char *data, apr_size_t len)
{
    char piece[1025];

    while (len && !full(out)) {
        apr_size_t n = len < 768 ? len : 768;
        apr_base64_encode_binary(piece, (const unsigned char *)data, (int)n);
        print(out, piece);
        data += n;
        len -= n;
    }
}

static void print_content(printer_t *out, const eas_node_t *node)
{
    char hidden[48];

    if (out->mask && is_masked(node->tag)) {
        apr_snprintf(hidden, sizeof(hidden), "[%" APR_SIZE_T_FMT " bytes]", node->len);
        print(out, hidden);
    } else if (node->opaque) {
        print_base64(out, node->data, node->len);
    } else {
        print_text(out, node->data, node->len);
    }
}

static void print_open(printer_t *out, const eas_node_t *node, unsigned depth)
{
    indent(out, depth);
    print(out, "<");
    print(out, eas_tag_name(node->tag));
    if (!node->parent || node->parent->tag >> 8 != node->tag >> 8) {
        print(out, " xmlns=\"");
        print(out, eas_tag_page_name(node->tag));
        print(out, "\"");
    }
    if (!node->first && !node->len)
        print(out, "/>\n");
    else
        print(out, node->first ? ">\n" : ">");
    if (node->len)
        print_content(out, node);
}

static void print_close(printer_t *out, const eas_node_t *node, unsigned depth)
{
    if (!node->first && !node->len)
        return;
    if (node->first)
        indent(out, depth);
    print(out, "</");
    print(out, eas_tag_name(node->tag));
    print(out, ">\n");
}

const char *eas_node_xml(const eas_node_t *root, int mask, apr_size_t max, apr_pool_t *pool)
{
    printer_t out = {.max = max, .mask = mask};
    const eas_node_t *node = root;
    unsigned depth = 0;

    eas_buf_init(&out.buf, 1024, pool);
    while (node && !full(&out)) {
        print_open(&out, node, depth);
        if (node->first) {
            node = node->first;
            depth++;
            continue;
        }
        print_close(&out, node, depth);
        while (node != root && !node->next) {
            node = node->parent;
            print_close(&out, node, --depth);
        }
        node = node == root ? NULL : node->next;
    }
    if (max && full(&out)) /* the last character may be cut */
        out.buf.len = eas_utf8_cut(out.buf.data, max, max - 1);
    eas_buf_bytes(&out.buf, "", 1);
    return out.buf.data;
}
