/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WBXML_AGAIN_H
#define WBXML_AGAIN_H
/** Writes a tree that was read; for tests and fuzz targets that compare the two directions. */
#include "eas_wbxml.h"

static inline void wbxml_write_again(eas_writer_t *w, const eas_node_t *root)
{
    const eas_node_t *node = root;

    while (node) {
        int has_text = node->opaque || node->len;
        if (node->opaque && !node->first)
            eas_w_opaque(w, node->tag, node->data, node->len);
        else if (node->len)
            eas_w_strn(w, node->tag, node->data, node->len);
        else
            eas_w_open(w, node->tag);
        if (node->first) {
            node = node->first;
            continue;
        }
        if (!has_text)
            eas_w_close(w);
        while (node != root && !node->next) {
            node = node->parent;
            eas_w_close(w);
        }
        node = node == root ? NULL : node->next;
    }
}

#endif
