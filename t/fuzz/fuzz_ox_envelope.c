/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the OX API other than listings: envelope, folder rows, mail objects to items; and
 * Set-Cookie values. First byte: 'c' for cookie headers, anything else for an answer. */
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include "eas_buf.h"
#include "eas_text.h"
#include "ox_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cookies(const char *text, size_t len, apr_pool_t *pool)
{
    eas_session_t *session = apr_pcalloc(pool, sizeof(*session));
    session->pool = pool;
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        ox_cookie_set(session, text, n);
        text += end ? n + 1 : n;
        len -= end ? n + 1 : n;
    }
    const char *line = ox_cookie_line(session);
    for (; line && *line; line++)
        if ((unsigned char)*line < 0x20 || (unsigned char)*line > 0x7e)
            abort();
    for (int i = 0; i < session->ncookies; i++)
        if (!ox_cookie_valid(session->cookies[i].name, session->cookies[i].value))
            abort();
}

static void tree(const json_t *rows, apr_pool_t *pool)
{
    const eas_folder_t *folders;
    int count;
    ox_folders_tree(&folders, &count, rows, pool);
    for (int i = 0; i < count; i++) {
        int known = !folders[i].parent;
        for (int j = 0; j < i; j++)
            known |= folders[i].parent && strcmp(folders[j].id, folders[i].parent) == 0;
        if (!known || !folders[i].title)
            abort();
    }
}

static void preview(const json_t *mail, apr_pool_t *pool)
{
    eas_item_t *item = ox_preview_item(mail, pool);
    for (int prop = 0; item && prop < EAS_P_COUNT; prop++) {
        const char *s = eas_prop_type(prop) == EAS_PT_STR ? eas_item_str(item, prop, "") : "";
        if (!eas_text_clean(s, strlen(s)))
            abort();
    }
    if (!item || eas_item_state(item, EAS_P_MAIL_PARTS) == EAS_PS_ABSENT)
        return;
    eas_span_t parts = eas_item_span(item, EAS_P_MAIL_PARTS);
    eas_rd_t r;
    eas_rd_init(&r, parts.data, parts.len);
    for (apr_uint64_t n = eas_rd_var(&r); n && !r.bad; n--) {
        for (int i = 0; i < 4; i++)
            eas_rd_str(&r, pool);
        eas_rd_var(&r);
        eas_rd_u8(&r);
    }
    if (!eas_rd_done(&r))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int started;
    apr_pool_t *pool;
    json_t *root;

    if (!started) {
        apr_initialize();
        started = 1;
    }
    if (size < 2)
        return 0;
    apr_pool_create(&pool, NULL);
    if (data[0] == 'c') {
        cookies((const char *)data + 1, size - 1, pool);
    } else {
        ox_envelope_parse(&root, (const char *)data + 1, size - 1);
        eas_err_t *err = ox_envelope_check(root, "fuzz", pool);
        if (err && strpbrk(eas_err_chain(err, pool), "\r\n"))
            abort();
        const json_t *value = json_object_get(root, "data");
        tree(json_is_object(value) ? json_object_get(value, "private") : value, pool);
        preview(value, pool);
        ox_json_num(value, 0);
        ox_json_bool(value);
        ox_json_text(value, pool);
        json_decref(root);
    }
    apr_pool_destroy(pool);
    return 0;
}
