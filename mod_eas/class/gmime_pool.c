/* SPDX-License-Identifier: Apache-2.0 */
/* gmime's life in a process of pools and threads. It is started by the first message, never when
 * the module is loaded: httpd loads modules twice, and GObject types do not outlive their
 * library. */
#include <pthread.h>
#include "mail_priv.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static GMimeParserOptions *options;

static void start(void)
{
    static const char *charsets[] = {"utf-8", "windows-1252", NULL};
    g_mime_init();
    options = g_mime_parser_options_new();
    g_mime_parser_options_set_fallback_charsets(options, charsets);
}

void mail_gmime_start(void)
{
    pthread_once(&once, start);
}

GMimeParserOptions *mail_gmime_options(void)
{
    return options;
}

static apr_status_t drop(void *object)
{
    g_object_unref(object);
    return APR_SUCCESS;
}

void *mail_gmime_hold(void *object, apr_pool_t *pool)
{
    if (object)
        apr_pool_cleanup_register(pool, object, drop, apr_pool_cleanup_null);
    return object;
}
