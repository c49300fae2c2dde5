/* SPDX-License-Identifier: Apache-2.0 */
/* The mail folder tree (API reference 2): one call, or the recursive listing where that is refused.
 * Only the primary account: ids below "default0/". More than OX_MAX_FOLDERS: the first of them in
 * the server's order, so that a huge account still works. */
#include <string.h>
#include <strings.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "eas_text.h"
#include "ox_priv.h"

#define ROOT "default0"
#define COLUMNS "1,20,300,301,304,305,314,316,321"
#define COLUMNS_CODED "1%2C20%2C300%2C301%2C304%2C305%2C314%2C316%2C321"
enum { C_ID, C_PARENT, C_TITLE, C_MODULE, C_SUBFOLDERS, C_RIGHTS, C_SUBSCRIBED, C_TYPE, C_SYNC };
#define MAX_ID 1024
#define MAX_LEVELS 64

typedef struct node_t {
    eas_folder_t folder;
    int kept;                  /* takes part in sync */
    int seen;                  /* being or already put out */
} node_t;

typedef struct tree_t {
    apr_array_header_t *nodes; /* node_t *, in the server's order */
    apr_hash_t *by_id;
    apr_pool_t *pool;
} tree_t;

static const struct {
    int type;                  /* column 316 */
    eas_role_t role;
} roles[] = {
    {7, EAS_ROLE_INBOX}, {9, EAS_ROLE_DRAFTS}, {10, EAS_ROLE_SENT},
    {11, EAS_ROLE_SPAM}, {12, EAS_ROLE_TRASH},
};

static eas_role_t role_of(const json_t *type)
{
    apr_int64_t n = ox_json_num(type, 0);
    for (unsigned i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (roles[i].type == n)
            return roles[i].role;
    return EAS_ROLE_NONE;
}

/* own_rights: bits (API 2.4), or IMAP ACL letters from servers that pass them through. A server
 * that tells nothing lets the operation itself decide. */
static void read_rights(const json_t *value, int *readable, int *writable)
{
    *readable = *writable = 1;
    if (json_is_integer(value)) {
        json_int_t bits = json_integer_value(value);
        *readable = (bits >> 7 & 0x7f) != 0;
        *writable = (bits >> 14 & 0x7f) != 0;
    } else if (json_is_string(value)) {
        *readable = strchr(json_string_value(value), 'r') != NULL;
        *writable = strpbrk(json_string_value(value), "iwtesd") != NULL;
    }
}

static const char *title_of(const json_t *value, const char *id, apr_pool_t *pool)
{
    const char *title = json_string_value(value);
    if (!title || !*title) {
        const char *slash = strrchr(id, '/');
        title = slash && slash[1] ? slash + 1 : id;
    }
    apr_size_t len = eas_utf8_cut(title, strlen(title), MAX_ID);
    return eas_text_sanitize(NULL, title, len, pool);
}

/* NULL when the row is of no interest at all. */
static node_t *read_row(const json_t *row, apr_pool_t *pool)
{
    const char *id = json_string_value(json_array_get(row, C_ID));
    const char *parent = json_string_value(json_array_get(row, C_PARENT));
    const char *module = json_string_value(json_array_get(row, C_MODULE));
    int readable, writable;

    if (!id || strlen(id) > MAX_ID || strncmp(id, ROOT "/", sizeof(ROOT)) != 0
        || (module && strcmp(module, "mail") != 0))
        return NULL;
    node_t *node = apr_pcalloc(pool, sizeof(*node));
    read_rights(json_array_get(row, C_RIGHTS), &readable, &writable);
    node->folder.id = apr_pstrdup(pool, id);
    node->folder.parent = parent && strlen(parent) <= MAX_ID ? apr_pstrdup(pool, parent) : NULL;
    node->folder.title = title_of(json_array_get(row, C_TITLE), id, pool);
    node->folder.klass = EAS_CLASS_MAIL;
    node->folder.role = role_of(json_array_get(row, C_TYPE));
    node->folder.readonly = !writable;
    node->kept = readable && ox_json_bool(json_array_get(row, C_SYNC)) != 0
                 && (ox_json_bool(json_array_get(row, C_SUBSCRIBED)) != 0
                     || node->folder.role != EAS_ROLE_NONE);
    return node;
}

static void add_rows(tree_t *tree, const json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach (rows, i, row) {
        if (tree->nodes->nelts >= OX_MAX_FOLDERS)
            return;
        node_t *node = read_row(row, tree->pool);
        if (!node || apr_hash_get(tree->by_id, node->folder.id, APR_HASH_KEY_STRING))
            continue;
        APR_ARRAY_PUSH(tree->nodes, node_t *) = node;
        apr_hash_set(tree->by_id, node->folder.id, APR_HASH_KEY_STRING, node);
    }
}

/* The nearest ancestor that takes part, NULL at the top. Bounded: ids may form a ring. */
static node_t *kept_parent(const tree_t *tree, const node_t *node)
{
    for (int level = 0; node->folder.parent && level < MAX_LEVELS; level++) {
        node_t *up = apr_hash_get(tree->by_id, node->folder.parent, APR_HASH_KEY_STRING);
        if (!up || up->kept)
            return up;
        node = up;
    }
    return NULL;
}

/* One of each role, the first; and an INBOX there must be (its IMAP name is fixed). */
static void settle_roles(tree_t *tree)
{
    unsigned taken = 0;
    for (int i = 0; i < tree->nodes->nelts; i++) {
        node_t *node = APR_ARRAY_IDX(tree->nodes, i, node_t *);
        unsigned bit = 1u << node->folder.role;
        if (!node->kept || (node->folder.role && (taken & bit)))
            node->folder.role = EAS_ROLE_NONE;
        else
            taken |= bit;
    }
    for (int i = 0; !(taken & 1u << EAS_ROLE_INBOX) && i < tree->nodes->nelts; i++) {
        node_t *node = APR_ARRAY_IDX(tree->nodes, i, node_t *);
        if (node->kept && strcasecmp(node->folder.id, ROOT "/INBOX") == 0) {
            node->folder.role = EAS_ROLE_INBOX;
            return;
        }
    }
}

static void put_out(apr_array_header_t *out, const tree_t *tree, node_t *node)
{
    node_t *chain[MAX_LEVELS];
    int depth = 0;
    while (node && !node->seen && depth < MAX_LEVELS) {
        node->seen = 1;
        chain[depth++] = node;
        node = kept_parent(tree, node);
        chain[depth - 1]->folder.parent = node ? node->folder.id : NULL;
    }
    /* Cut where the walk ended in its own ring or too deep: that folder is shown at the top. */
    for (int i = 0; node && i < depth; i++)
        if (chain[i] == node || depth == MAX_LEVELS) {
            chain[depth - 1]->folder.parent = NULL;
            break;
        }
    while (depth)
        APR_ARRAY_PUSH(out, eas_folder_t) = chain[--depth]->folder;
}

void ox_folders_tree(const eas_folder_t **folders, int *count, const json_t *rows,
                     apr_pool_t *pool)
{
    tree_t tree = {.pool = pool};
    apr_array_header_t *out = apr_array_make(pool, 64, sizeof(eas_folder_t));

    tree.nodes = apr_array_make(pool, 64, sizeof(node_t *));
    tree.by_id = apr_hash_make(pool);
    add_rows(&tree, rows);
    settle_roles(&tree);
    for (int i = 0; i < tree.nodes->nelts; i++) {
        node_t *node = APR_ARRAY_IDX(tree.nodes, i, node_t *);
        if (node->kept)
            put_out(out, &tree, node);
    }
    *folders = (const eas_folder_t *)out->elts;
    *count = out->nelts;
}

/* ---- asking --------------------------------------------------------------------------------- */

/* Rows of the answer go into @a rows; ids of folders with children into @a more. */
static void gather(json_t *rows, apr_array_header_t *more, const json_t *data, apr_pool_t *pool)
{
    size_t i;
    json_t *row;
    json_array_foreach (data, i, row) {
        const char *id = json_string_value(json_array_get(row, C_ID));
        if (json_array_size(rows) >= OX_MAX_FOLDERS)
            return;
        json_array_append(rows, row);
        if (id && strlen(id) <= MAX_ID && strncmp(id, ROOT "/", sizeof(ROOT)) == 0
            && ox_json_bool(json_array_get(row, C_SUBFOLDERS)) == 1)
            APR_ARRAY_PUSH(more, const char *) = apr_pstrdup(pool, id);
    }
}

/* One level: all its parents in batches. A parent that cannot be listed has no children; the root
 * must be listable. */
static eas_err_t *read_level(json_t *rows, apr_array_header_t *more, eas_session_t *session,
                             const apr_array_header_t *parents, apr_pool_t *pool)
{
    for (int from = 0; from < parents->nelts; from += OX_BATCH) {
        int n = parents->nelts - from < OX_BATCH ? parents->nelts - from : OX_BATCH;
        const char *body = "[";
        json_t *answers;
        for (int i = 0; i < n; i++) {
            const char *parent = APR_ARRAY_IDX(parents, from + i, const char *);
            body = apr_pstrcat(pool, body, i ? "," : "",
                               "{\"module\":\"folders\",\"action\":\"list\",\"columns\":\"" COLUMNS
                               "\",\"parent\":", ox_json_quote(pool, parent), "}", NULL);
        }
        body = apr_pstrcat(pool, body, "]", NULL);
        eas_err_t *err = ox_call_multiple(&answers, session, "ox.folders", body, strlen(body), n,
                                          pool);
        if (err)
            return err;
        for (int i = 0; !err && i < n; i++) {
            const json_t *answer = json_array_get(answers, (size_t)i);
            eas_err_t *part = ox_envelope_check(answer, "ox.folders", pool);
            if (!part)
                gather(rows, more, json_object_get(answer, "data"), pool);
            else if (part->kind == EAS_E_UNAVAILABLE
                     || strcmp(APR_ARRAY_IDX(parents, from + i, const char *), ROOT) == 0)
                err = part;
        }
        json_decref(answers);
        if (err)
            return err;
    }
    return NULL;
}

/* Bounded: ids may form a ring, so the number of parents asked for is that of folders at most. */
static eas_err_t *read_recursively(json_t **rows, eas_session_t *session, apr_pool_t *pool)
{
    apr_array_header_t *parents = apr_array_make(pool, 1, sizeof(const char *));
    eas_err_t *err = NULL;
    int asked = 0;

    *rows = json_array();
    APR_ARRAY_PUSH(parents, const char *) = ROOT;
    while (!err && parents->nelts && asked < OX_MAX_FOLDERS) {
        apr_array_header_t *more = apr_array_make(pool, 16, sizeof(const char *));
        asked += parents->nelts;
        err = read_level(*rows, more, session, parents, pool);
        parents = more;
    }
    return err;
}

static eas_err_t *folders_list(const eas_folder_t **folders, int *count, eas_session_t *session,
                               eas_class_t klass, apr_pool_t *pool)
{
    ox_call_t call = {.tag = "ox.folders", .module = "folders",
                      .query = "action=allVisible&content_type=mail&columns=" COLUMNS_CODED};
    json_t *root = NULL, *rows = NULL;
    eas_err_t *err = NULL;

    *folders = NULL;
    *count = 0;
    if (klass != EAS_CLASS_MAIL)
        return NULL;
    err = ox_call(&root, session, &call, pool);
    if (!err)
        ox_folders_tree(folders, count, json_object_get(json_object_get(root, "data"), "private"),
                        pool);
    if (err ? err->kind == EAS_E_UNSUPPORTED || err->kind == EAS_E_INTERNAL
                  || err->kind == EAS_E_INVALID || err->kind == EAS_E_FOLDER_GONE
            : *count == 0) {
        err = read_recursively(&rows, session, pool);
        if (!err)
            ox_folders_tree(folders, count, rows, pool);
    }
    json_decref(root);
    json_decref(rows);
    /* The user has no mail: the class is empty, not broken (API 10.2). */
    if (err && (ox_errors_is(err, "MSG-0013") || ox_errors_is(err, "SVL-0016")))
        err = NULL;
    return err;
}

const eas_be_folders_t ox_folders_ops = {
    .list = folders_list,
};
