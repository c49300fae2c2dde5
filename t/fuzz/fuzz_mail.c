/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a mail: they give an item that decodes and obeys the body preferences, and each
 * attachment that it lists can be had. The first four bytes say how the phone asks; with the
 * highest bit set the rest is WBXML and stands for Options and for a Change. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>

#include "eas_mail.h"
#include "eas_text.h"

enum { HEAD = 4, WBXML = 0x80 };

static const int versions[] = {25, 120, 121, 140, 141, 160, 161, 161};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static const char *same_name(void *baton, const char *part, apr_pool_t *pool)
{
    return part;
}

static void ask(eas_mail_opts_t *o, const uint8_t *head)
{
    memset(o, 0, sizeof(*o));
    o->version = versions[head[0] & 7];
    o->mime_support = head[0] >> 3 & 3;
    o->whole = head[0] >> 5 & 1;
    o->mime_truncation = (head[1] & 15) - 1;
    o->truncation = (head[1] >> 4) - 1;
    for (int type = 1; type <= 4; type++) {
        if (!(head[2] & 1 << type))
            continue;
        o->prefs[o->nprefs++] = (eas_bodypref_t){.type = type,
                                                 .has_truncation = head[2] >> 5 & 1,
                                                 .truncation = head[3],
                                                 .all_or_none = head[2] >> 6 & 1,
                                                 .preview = head[2] & 1 ? head[3] : 0};
    }
    o->has_part = head[2] >> 7;
    o->part = (eas_bodypref_t){.type = 2, .has_truncation = 1, .truncation = head[3], .preview = 9};
}

static eas_node_t *read_back(eas_writer_t *w, apr_pool_t *pool)
{
    eas_span_t out;
    eas_node_t *root = NULL;

    check(eas_w_finish(&out, w) == NULL);
    check(eas_wbxml_read(&root, out.data, out.len, &eas_wbxml_limits, pool) == NULL);
    return root;
}

static void check_body(const eas_node_t *item, const eas_mail_opts_t *o)
{
    const eas_node_t *body = eas_node_child(item, EAS_AIRSYNCBASE_BODY), *data;
    apr_int64_t type, size, truncated;

    check(body != NULL);
    check(eas_node_int(&type, eas_node_child(body, EAS_AIRSYNCBASE_TYPE), 1, 4));
    check(
        eas_node_int(&size, eas_node_child(body, EAS_AIRSYNCBASE_ESTIMATEDDATASIZE), 0, INT64_MAX));
    data = eas_node_child(body, EAS_AIRSYNCBASE_DATA);
    if (!data)
        return;
    check((apr_int64_t)data->len <= size);
    check(data->opaque || eas_text_clean(data->data ? data->data : "", data->len));
    if (eas_node_int(&truncated, eas_node_child(body, EAS_AIRSYNCBASE_TRUNCATED), 1, 1))
        check((apr_int64_t)data->len < size && !(o->whole));
    else
        check((apr_int64_t)data->len == size);
    for (int i = 0; i < o->nprefs && !o->whole; i++)
        if (o->prefs[i].type == type && o->prefs[i].has_truncation)
            check(data->len <= o->prefs[i].truncation);
}

static void check_attachments(const eas_node_t *item, const eas_mail_view_t *view, apr_pool_t *pool)
{
    const eas_node_t *all = eas_node_child(item, EAS_AIRSYNCBASE_ATTACHMENTS), *a;

    for (a = eas_node_child(all, 0); a; a = eas_node_next(a, 0)) {
        const char *part = eas_node_child_str(a, EAS_AIRSYNCBASE_FILEREFERENCE, pool), *type = NULL;
        const char *name = eas_node_child_str(a, EAS_AIRSYNCBASE_DISPLAYNAME, pool);
        eas_span_t bytes;
        check(name && *name && !strpbrk(name, "/\\\r\n\t"));
        check(eas_mail_attachment(&bytes, &type, view, part, pool) == NULL);
        check(type && *type);
    }
}

static void show(const eas_item_t *item, const eas_mail_opts_t *o, apr_pool_t *pool)
{
    static const eas_tag_t schema[] = {EAS_EMAIL_SUBJECT, EAS_AIRSYNCBASE_BODY, 0};
    eas_mail_view_t *view;
    eas_writer_t *w = eas_writer_create(pool);
    eas_span_t part;
    eas_node_t *node;

    check(eas_mail_parse(&view, item, pool) == NULL);
    eas_w_open(w, EAS_AIRSYNC_APPLICATIONDATA);
    check(eas_mail_write(w, view, o, same_name, NULL, pool) == NULL);
    eas_w_close(w);
    node = read_back(w, pool);
    if (o->version >= 120) {
        check_body(node, o);
        check_attachments(node, view, pool);
    }
    w = eas_writer_create(pool);
    eas_w_open(w, EAS_ITEMOPERATIONS_PROPERTIES);
    check(eas_mail_write_properties(w, &part, view, o, schema, 1, 1, same_name, NULL, pool, pool) ==
          NULL);
    eas_w_close(w);
    read_back(w, pool);
}

static void read_requests(const char *data, size_t size, int version, apr_pool_t *pool)
{
    eas_mail_change_t change;
    eas_mail_opts_t opts;
    eas_node_t *root;

    if (eas_wbxml_read(&root, data, size, &eas_wbxml_limits, pool))
        return;
    memset(&opts, 0, sizeof(opts));
    if (!eas_mail_read_options(&opts, root, version, pool))
        check(opts.nprefs >= 0 && opts.nprefs <= EAS_BODYPREF_MAX && opts.version == version);
    if (!eas_mail_read_change(&change, root, version, pool))
        check(change.read >= -1 && change.read <= 1 && change.flagged >= -1 && change.flagged <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool;
    eas_mail_opts_t opts;
    eas_item_t *item;

    if (size <= HEAD)
        return 0;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ask(&opts, data);
    if (data[0] & WBXML) {
        read_requests((const char *)data + HEAD, size - HEAD, opts.version, pool);
    } else {
        item = eas_item_create(pool);
        eas_item_set_span(item, EAS_P_MAIL_SOURCE, (const char *)data + HEAD, size - HEAD);
        eas_item_set_bool(item, EAS_P_MAIL_FLAGGED, data[1] & 1);
        show(item, &opts, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
