/* SPDX-License-Identifier: Apache-2.0 */
/* eas_directives.def made to work: one table of rows, one parser per type. */
#include "httpd_priv.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <http_core.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

typedef struct row_t row_t;

/* Parses @a text into the field; NULL or what is wrong, as the rest of a sentence. */
typedef const char *(*parse_fn)(void *field, const row_t *row, const char *text, apr_pool_t *pool);

struct row_t {
    const char *name;
    apr_size_t offset, size;
    parse_fn parse;
    int server_only;
    const char *dflt;
    apr_int64_t low, high;
};

/* ---- parsers --------------------------------------------------------------------------------- */

typedef struct unit_t {
    const char *name;
    apr_int64_t factor;
} unit_t;

static const unit_t size_units[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {0}};
static const unit_t time_units[] = {{"", 1},     {"s", 1},     {"m", 60}, {"min", 60},
                                    {"h", 3600}, {"d", 86400}, {0}};
static const unit_t no_units[] = {{"", 1}, {0}};

static const char *range(const row_t *row, const unit_t *units, apr_pool_t *pool)
{
    const char *known = "";

    for (; units->name; units++)
        if (*units->name)
            known = apr_pstrcat(pool, known, *known ? ", " : " (units: ", units->name, NULL);
    return apr_psprintf(pool,
                        "must be a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT "%s%s",
                        row->low, row->high, known, *known ? ")" : "");
}

static const char *number(apr_int64_t *value, const row_t *row, const char *text,
                          const unit_t *units, apr_pool_t *pool)
{
    const unit_t *unit;
    char *end;
    apr_int64_t n;

    errno = 0;
    n = apr_strtoi64(text, &end, 10);
    for (unit = units; unit->name && strcasecmp(unit->name, end) != 0; unit++)
        ;
    if (errno || end == text || !apr_isdigit(*text) || !unit->name ||
        n > row->high / unit->factor || n * unit->factor < row->low || n * unit->factor > row->high)
        return range(row, units, pool);
    *value = n * unit->factor;
    return NULL;
}

static const char *parse_INTEGER(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    apr_int64_t n = 0;
    const char *wrong = number(&n, row, text, no_units, pool);
    *(int *)field = (int)n;
    return wrong;
}

static const char *parse_SIZE(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    apr_int64_t n = 0;
    const char *wrong = number(&n, row, text, size_units, pool);
    *(apr_size_t *)field = (apr_size_t)n;
    return wrong;
}

static const char *parse_TIME(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    apr_int64_t n = 0;
    const char *wrong = number(&n, row, text, time_units, pool);
    *(apr_interval_time_t *)field = apr_time_from_sec(n);
    return wrong;
}

static const char *parse_FLAG(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    int on = strcasecmp(text, "on") == 0;
    if (!on && strcasecmp(text, "off") != 0)
        return "must be On or Off";
    *(int *)field = on;
    return NULL;
}

static const char *parse_VERSION(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    *(int *)field = eas_version_parse(text);
    return *(int *)field
               ? NULL
               : apr_psprintf(pool, "must be one of %s", eas_versions_list(EAS_V161, pool));
}

static const char *parse_STRING(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    apr_int64_t len = (apr_int64_t)strlen(text);

    if (len < row->low || len > row->high)
        return apr_psprintf(pool, "must have %d to %d characters", (int)row->low, (int)row->high);
    for (const char *p = text; *p; p++)
        if (apr_iscntrl(*p))
            return "must not contain control characters";
    *(const char **)field = apr_pstrdup(pool, text);
    return NULL;
}

static const char *parse_PATH(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    const char *path = ap_server_root_relative(pool, text);
    if (!*text || !path)
        return "must be a path";
    *(const char **)field = path;
    return NULL;
}

static const char *parse_URL(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    apr_uri_t uri;

    if (apr_uri_parse(pool, text, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        (strcasecmp(uri.scheme, "http") != 0 && strcasecmp(uri.scheme, "https") != 0))
        return "must be a URL that begins with http:// or https://";
    if (uri.user || uri.query || uri.fragment)
        return "must hold scheme, host, port and path only";
    *(const char **)field = apr_pstrdup(pool, text);
    return NULL;
}

static const char *parse_TEMPLATE(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    int user = 0;

    for (const char *p = strchr(text, '%'); p; p = strchr(p + 2, '%')) {
        if (p[1] != 'u' && p[1] != 'd' && p[1] != '%')
            return "may contain %u, %d and %% only";
        user |= p[1] == 'u';
    }
    if (!user)
        return "must contain %u, the name of the user";
    *(const char **)field = apr_pstrdup(pool, text);
    return NULL;
}

static const char *parse_RATE(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    eas_auth_rate_t *rate = field;
    const row_t seconds = {.low = 1, .high = 86400};
    const char *slash = strchr(text, '/'), *wrong;
    apr_int64_t n = 0, window = 1;

    wrong = number(&n, row, slash ? apr_pstrmemdup(pool, text, (apr_size_t)(slash - text)) : text,
                   no_units, pool);
    if (!wrong && (slash || n))
        wrong = slash ? number(&window, &seconds, slash + 1, time_units, pool) : "";
    if (wrong)
        return "must be a number of failures and a time, such as 10/300 or 10/5m, or 0";
    rate->count = (int)n;
    rate->window = apr_time_from_sec(window);
    return NULL;
}

static const char *parse_TRACE(void *field, const row_t *row, const char *text, apr_pool_t *pool)
{
    httpd_trace_t *trace = apr_pcalloc(pool, sizeof(*trace));
    static const char usage[] = "must be Off, On, or a list of user=NAME and device=ID";

    trace->users = apr_array_make(pool, 2, sizeof(const char *));
    trace->devices = apr_array_make(pool, 2, sizeof(const char *));
    *(const httpd_trace_t **)field = trace;
    if (strcasecmp(text, "on") == 0 || strcasecmp(text, "off") == 0) {
        trace->all = strcasecmp(text, "on") == 0;
        return NULL;
    }
    if (!*text)
        return usage;
    while (*text) {
        char *word = ap_getword_conf(pool, &text), *value = strchr(word, '=');
        apr_array_header_t *list;
        if (value)
            *value++ = '\0';
        else
            value = ap_getword_conf(pool, &text);
        list = strcasecmp(word, "user") == 0     ? trace->users
               : strcasecmp(word, "device") == 0 ? trace->devices
                                                 : NULL;
        if (!list || !*value)
            return usage;
        *(const char **)apr_array_push(list) = value;
    }
    return NULL;
}

/* ---- the table ------------------------------------------------------------------------------- */

enum { VHOST = 0, SERVER = 1 };

static const row_t rows[HTTPD_D_COUNT] = {
#define EAS_DIRECTIVE(type, field, name, scope, dflt, low, high, text)                             \
    {name,                                                                                         \
     offsetof(eas_conf_t, field),                                                                  \
     sizeof(((eas_conf_t *)0)->field),                                                             \
     parse_##type,                                                                                 \
     scope,                                                                                        \
     dflt,                                                                                         \
     low,                                                                                          \
     high},
#include "eas_directives.def"
#undef EAS_DIRECTIVE
};

static void *field_of(const eas_conf_t *conf, const row_t *row)
{
    return (char *)conf + row->offset;
}

static const char *set_value(cmd_parms *cmd, void *dir, const char *text)
{
    const row_t *row = cmd->info;
    eas_conf_t *conf = ap_get_module_config(cmd->server->module_config, &eas_module);
    const char *wrong =
        ap_check_cmd_context(cmd, row->server_only ? GLOBAL_ONLY : NOT_IN_DIR_CONTEXT);
    if (wrong)
        return wrong;
    wrong = row->parse(field_of(conf, row), row, text, cmd->pool);
    if (wrong)
        return apr_pstrcat(cmd->pool, row->name, " \"", text, "\": the value ", wrong, NULL);
    conf->set[row - rows] = 1;
    return NULL;
}

/* httpd gives a directive to every module that names it: that is how we learn of two which belong
 * to others. core and mod_auth_basic get them all the same. */
static const char *see_handler(cmd_parms *cmd, void *dir, const char *name)
{
    eas_conf_t *conf = ap_get_module_config(cmd->server->module_config, &eas_module);
    int ours = strcmp(name, HTTPD_HANDLER) == 0;

    ((httpd_dir_t *)dir)->handles = ours;
    conf->handles |= ours;
    return NULL;
}

static const char *see_provider(cmd_parms *cmd, void *dir, const char *name)
{
    httpd_dir_t *d = dir;

    d->provider = d->provider > 0 || strcmp(name, "ox") == 0;
    return NULL;
}

const command_rec httpd_commands[] = {
#define ARGS_STRING AP_INIT_TAKE1
#define ARGS_URL AP_INIT_TAKE1
#define ARGS_PATH AP_INIT_TAKE1
#define ARGS_TEMPLATE AP_INIT_TAKE1
#define ARGS_INTEGER AP_INIT_TAKE1
#define ARGS_FLAG AP_INIT_TAKE1
#define ARGS_VERSION AP_INIT_TAKE1
#define ARGS_SIZE AP_INIT_TAKE1
#define ARGS_TIME AP_INIT_TAKE1
#define ARGS_RATE AP_INIT_TAKE1
#define ARGS_TRACE AP_INIT_RAW_ARGS
#define EAS_DIRECTIVE(type, field, name, scope, dflt, low, high, text)                             \
    ARGS_##type(name, set_value, (void *)&rows[HTTPD_D_##field], RSRC_CONF, text),
#include "eas_directives.def"
#undef EAS_DIRECTIVE
    AP_INIT_TAKE1("SetHandler", see_handler, NULL, OR_FILEINFO,
                  "a handler name; mod_eas looks for its own"),
    AP_INIT_ITERATE("AuthBasicProvider", see_provider, NULL, OR_AUTHCFG,
                    "names of authentication providers; mod_eas looks for its own"),
    {NULL}};

/* ---- create and merge ------------------------------------------------------------------------ */

void *httpd_dir_create(apr_pool_t *pool, char *path)
{
    httpd_dir_t *dir = apr_palloc(pool, sizeof(*dir));

    *dir = (httpd_dir_t){.handles = -1, .provider = -1};
    return dir;
}

void *httpd_dir_merge(apr_pool_t *pool, void *base, void *add)
{
    const httpd_dir_t *b = base, *a = add;
    httpd_dir_t *dir = apr_palloc(pool, sizeof(*dir));

    dir->handles = a->handles < 0 ? b->handles : a->handles;
    dir->provider = a->provider < 0 ? b->provider : a->provider;
    return dir;
}

void *httpd_conf_create(apr_pool_t *pool, server_rec *s)
{
    eas_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    for (int i = 0; i < HTTPD_D_COUNT; i++)
        if (*rows[i].dflt)
            rows[i].parse(field_of(conf, &rows[i]), &rows[i], rows[i].dflt, pool);
    return conf;
}

void *httpd_conf_merge(apr_pool_t *pool, void *base, void *add)
{
    eas_conf_t *conf = apr_pmemdup(pool, base, sizeof(*conf));
    const eas_conf_t *a = add;

    for (int i = 0; i < HTTPD_D_COUNT; i++) {
        if (!a->set[i])
            continue;
        memcpy(field_of(conf, &rows[i]), field_of(a, &rows[i]), rows[i].size);
        conf->set[i] = 1;
    }
    /* another backend must not go by the name of the server's: users of both would be taken for
     * the same */
    if (a->set[HTTPD_D_backend] && !a->set[HTTPD_D_backend_name]) {
        conf->backend_name = NULL;
        conf->set[HTTPD_D_backend_name] = 0;
    }
    conf->handles = a->handles;
    return conf;
}

eas_conf_t *httpd_conf(server_rec *s)
{
    return ap_get_module_config(s->module_config, &eas_module);
}

int httpd_serves(server_rec *s)
{
    return httpd_conf(s)->backend != NULL;
}
