/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our reader accepts and our writer wrote again, libwbxml reads to the same elements. It never
 * sees the input itself: some documents abort it. Opaque data is written as text, since libwbxml
 * has rules of its own for where it may stand, and large documents are left out: it is quadratic.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <wbxml/wbxml.h>
#include <wbxml/wbxml_conv.h>

#include "eas_wbxml.h"

enum { DOC_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

/* Elements as they are, any text as "x"; returns how many elements. */
static int write_skeleton(eas_writer_t *w, const eas_node_t *root)
{
    const eas_node_t *node = root;
    int count = 0;

    while (node) {
        count++;
        if (node->first) {
            eas_w_open(w, node->tag);
            node = node->first;
            continue;
        }
        eas_w_str(w, node->tag, node->len ? "x" : "");
        while (node != root && !node->next) {
            node = node->parent;
            eas_w_close(w);
        }
        node = node == root ? NULL : node->next;
    }
    return count;
}

static int count_elements(const char *xml)
{
    int count = 0;

    for (; (xml = strchr(xml, '<')); xml++)
        count += xml[1] != '/' && xml[1] != '?' && xml[1] != '!';
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    eas_node_t *root;
    eas_writer_t *w;
    eas_span_t doc;
    WBXMLConvWBXML2XML *conv;
    WB_UTINY *xml = NULL;
    WB_ULONG len = 0;
    int count;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (size > DOC_MAX ||
        eas_wbxml_read(&root, (const char *)data, size, &eas_wbxml_limits, pool)) {
        apr_pool_destroy(pool);
        return 0;
    }
    w = eas_writer_create(pool);
    count = write_skeleton(w, root);
    check(eas_w_finish(&doc, w) == NULL);
    check(wbxml_conv_wbxml2xml_create(&conv) == WBXML_OK);
    wbxml_conv_wbxml2xml_set_language(conv, WBXML_LANG_ACTIVESYNC);
    wbxml_conv_wbxml2xml_set_charset(conv, WBXML_CHARSET_UTF_8);
    wbxml_conv_wbxml2xml_set_gen_type(conv, WBXML_GEN_XML_COMPACT);
    check(wbxml_conv_wbxml2xml_run(conv, (WB_UTINY *)doc.data, doc.len, &xml, &len) == WBXML_OK);
    check(count_elements((char *)xml) == count);
    free(xml);
    wbxml_conv_wbxml2xml_destroy(conv);
    apr_pool_destroy(pool);
    return 0;
}
