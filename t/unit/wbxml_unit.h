/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WBXML_UNIT_H
#define WBXML_UNIT_H
/** What the WBXML and protocol tests share: a pool per test, documents out of byte strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <apr_general.h>

#include "eas_wbxml.h"

/** The bytes of a string literal, NULs included. */
#define BYTES(literal) (literal), sizeof(literal) - 1
/** Document header: version 1.3, public id 1, UTF-8, no string table. */
#define HEAD "\x03\x01\x6A\x00"

static inline int pool_setup(void **state)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    *state = pool;
    return 0;
}

static inline int pool_teardown(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, pool_setup, pool_teardown)

static inline eas_node_t *must_read(const char *data, apr_size_t len, apr_pool_t *pool)
{
    eas_node_t *root;
    eas_err_t *err = eas_wbxml_read(&root, data, len, &eas_wbxml_limits, pool);

    if (err)
        fail_msg("%s", err->message);
    return root;
}

static inline eas_span_t must_finish(eas_writer_t *w)
{
    eas_span_t out;
    eas_err_t *err = eas_w_finish(&out, w);

    if (err)
        fail_msg("%s", err->message);
    return out;
}

#define assert_span(span, bytes, length)                                                           \
    do {                                                                                           \
        assert_int_equal((span).len, (length));                                                    \
        assert_memory_equal((span).data, (bytes), (length));                                       \
    } while (0)

#endif
