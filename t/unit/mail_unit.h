/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_UNIT_H
#define MAIL_UNIT_H
/** What the tests of the mail class share: a mail goes in, the elements that a phone reads come
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "mail_priv.h"

#define CRLF "\r\n"
/** 2026-03-09T08:15:22Z */
#define RECEIVED 1773044122
static const int all_versions[] = {25, 120, 121, 140, 141, 160, 161};
#define EACH_VERSION(v) (unsigned i_##v = 0; i_##v < 7; i_##v++)

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

static inline eas_item_t *item_of(const char *mail, apr_size_t len, apr_pool_t *pool)
{
    eas_item_t *item = eas_item_create(pool);
    eas_item_set_time(item, EAS_P_MAIL_RECEIVED, apr_time_from_sec(RECEIVED));
    eas_item_set_span(item, EAS_P_MAIL_SOURCE, mail, len);
    return item;
}

static inline eas_mail_view_t *view_of_item(const eas_item_t *item, apr_pool_t *pool)
{
    eas_mail_view_t *view = NULL;
    assert_null(eas_mail_parse(&view, item, pool));
    assert_non_null(view);
    return view;
}

static inline eas_mail_view_t *view_of(const char *mail, apr_pool_t *pool)
{
    return view_of_item(item_of(mail, strlen(mail), pool), pool);
}

static inline eas_mail_opts_t opts_of(int version)
{
    return (eas_mail_opts_t){.version = version, .mime_truncation = -1, .truncation = -1};
}

/** One preference; truncation < 0: none. */
static inline eas_mail_opts_t opts_type(int version, int type, long truncation)
{
    eas_mail_opts_t o = opts_of(version);
    o.nprefs = 1;
    o.prefs[0].type = type;
    o.prefs[0].has_truncation = truncation >= 0;
    o.prefs[0].truncation = truncation >= 0 ? (apr_size_t)truncation : 0;
    o.mime_support = type == 4 ? 2 : 0;
    return o;
}

static inline const char *test_ref(void *baton, const char *part, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "ref:", part, NULL);
}

/** What was written, read back; children of the node are the elements of the mail. */
static inline eas_node_t *read_back(eas_writer_t *w, apr_pool_t *pool)
{
    eas_span_t out;
    eas_node_t *root = NULL;

    assert_null(eas_w_finish(&out, w));
    assert_null(eas_wbxml_read(&root, out.data, out.len, &eas_wbxml_limits, pool));
    return root;
}

static inline eas_node_t *written_view(const eas_mail_view_t *view, const eas_mail_opts_t *o,
                                       apr_pool_t *pool)
{
    eas_writer_t *w = eas_writer_create(pool);
    eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
    assert_null(eas_mail_write(w, view, o, test_ref, NULL, pool));
    eas_w_close(w);
    return read_back(w, pool);
}

static inline eas_node_t *written(const char *mail, eas_mail_opts_t o, apr_pool_t *pool)
{
    return written_view(view_of(mail, pool), &o, pool);
}

static inline const char *text_at(const eas_node_t *node, eas_tag_t tag, apr_pool_t *pool)
{
    return eas_node_child_str(node, tag, pool);
}

static inline eas_node_t *body_of(const eas_node_t *data)
{
    return eas_node_child(data, EAS_AIRSYNCBASE_BODY);
}

#define assert_field(node, tag, expected) assert_text(text_at(node, tag, pool), expected)
#define assert_text(actual, expected) assert_text_(actual, expected, __FILE__, __LINE__)
static inline void assert_text_(const char *actual, const char *expected, const char *file,
                                int line)
{
    if (!actual || !expected) {
        if (actual != expected) {
            print_error("%s, not %s\n", actual ? actual : "(absent)",
                        expected ? expected : "(absent)");
            _fail(file, line);
        }
        return;
    }
    _assert_string_equal(actual, expected, file, line);
}

/** "To From Subject": names of the children, for tests of presence and order. */
static inline const char *names_of_children(const eas_node_t *node, apr_pool_t *pool)
{
    const char *all = "";
    for (const eas_node_t *n = node->first; n; n = n->next)
        all = apr_pstrcat(pool, all, *all ? " " : "", eas_tag_name(n->tag), NULL);
    return all;
}

static inline const char *repeat(const char *s, int times, apr_pool_t *pool)
{
    apr_size_t n = strlen(s);
    char *out = apr_palloc(pool, n * times + 1);
    for (int i = 0; i < times; i++)
        memcpy(out + n * i, s, n);
    out[n * times] = '\0';
    return out;
}

/** CPU milliseconds since the process began. */
static inline long cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (long)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

#endif
