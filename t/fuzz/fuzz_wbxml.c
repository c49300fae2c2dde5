/* SPDX-License-Identifier: Apache-2.0 */
/* The reader takes any bytes; what it accepts is printed, and written and read again to the same
 * tree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>

#include "eas_text.h"
#include "wbxml_again.h"

enum { XML_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

/* The writer cleans text: then it need not be the same, only readable. */
static void same_node(const eas_node_t *a, const eas_node_t *b)
{
    check(a->tag == b->tag);
    check(!a->first == !b->first);
    if (a->opaque && !a->first)
        check(b->opaque && a->len == b->len &&
              memcmp(a->data ? a->data : "", b->data, a->len) == 0);
    else if (a->len && eas_text_clean(a->data, a->len))
        check(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
    else
        check(!b->len || eas_utf8_valid(b->data, b->len));
}

static void same_tree(const eas_node_t *root, const eas_node_t *again)
{
    const eas_node_t *a = root, *b = again;

    for (;;) {
        same_node(a, b);
        if (a->first) {
            a = a->first;
            b = b->first;
            continue;
        }
        while (a != root && !a->next) {
            a = a->parent;
            check(!b->next);
            b = b->parent;
        }
        if (a == root)
            return;
        a = a->next;
        check((b = b->next) != NULL);
    }
}

static void write_and_compare(const eas_node_t *root, apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);
    eas_node_t *again;
    eas_span_t out;

    wbxml_write_again(w, root);
    check(eas_w_finish(&out, w) == NULL);
    check(eas_wbxml_read(&again, out.data, out.len, &eas_wbxml_limits, pool) == NULL);
    same_tree(root, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* small limits, so that small inputs reach them */
    static const eas_wbxml_limits_t limits = {
        .depth = 12, .elements = 64, .string = 48, .opaque = 64};
    apr_pool_t *pool;
    eas_node_t *root;
    eas_err_t *err;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    err = eas_wbxml_read(&root, (const char *)data, size, &limits, pool);
    check(!err == !!root);
    err = eas_wbxml_read(&root, (const char *)data, size, &eas_wbxml_limits, pool);
    check(!err == !!root);
    if (!err) {
        check(strlen(eas_node_xml(root, 0, XML_MAX, pool)) <= XML_MAX);
        check(strlen(eas_node_xml(root, 1, XML_MAX, pool)) <= XML_MAX);
        check(eas_node_str(root, pool) != NULL);
        write_and_compare(root, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
