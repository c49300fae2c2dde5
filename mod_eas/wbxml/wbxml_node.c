/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_wbxml.h"

#include <apr_strings.h>

#include "eas_text.h"

eas_node_t *eas_node_child(const eas_node_t *node, eas_tag_t tag)
{
    eas_node_t *child = node ? node->first : NULL;

    while (child && tag && child->tag != tag)
        child = child->next;
    return child;
}

eas_node_t *eas_node_next(const eas_node_t *node, eas_tag_t tag)
{
    eas_node_t *next = node ? node->next : NULL;

    while (next && tag && next->tag != tag)
        next = next->next;
    return next;
}

const char *eas_node_str(const eas_node_t *node, apr_pool_t *pool)
{
    if (!node)
        return NULL;
    if (!node->len)
        return "";
    /* the reader has checked strings; OPAQUE bytes may be anything, NUL included */
    if (node->opaque && !eas_text_clean(node->data, node->len))
        return eas_text_sanitize(NULL, node->data, node->len, pool);
    return apr_pstrmemdup(pool, node->data, node->len);
}

const char *eas_node_child_str(const eas_node_t *node, eas_tag_t tag, apr_pool_t *pool)
{
    return eas_node_str(eas_node_child(node, tag), pool);
}

int eas_node_int(apr_int64_t *value, const eas_node_t *node, apr_int64_t lo, apr_int64_t hi)
{
    apr_int64_t v = 0;
    apr_size_t i = 0;
    int negative;

    if (!node || !node->len)
        return 0;
    negative = node->data[0] == '-';
    i += negative;
    if (i == node->len || node->len - i > 18) /* 18 digits always fit */
        return 0;
    for (; i < node->len; i++) {
        if (node->data[i] < '0' || node->data[i] > '9')
            return 0;
        v = v * 10 + (node->data[i] - '0');
    }
    if (negative)
        v = -v;
    if (v < lo || v > hi)
        return 0;
    *value = v;
    return 1;
}

int eas_node_bool(const eas_node_t *node, int dflt)
{
    if (!node)
        return dflt;
    if (!node->len)
        return node->first ? -1 : 1;
    if (node->len == 1 && (node->data[0] == '0' || node->data[0] == '1'))
        return node->data[0] - '0';
    return -1;
}
