/* SPDX-License-Identifier: Apache-2.0 */
/* The module record and where it hangs itself in. */
#include "httpd_priv.h"

#include <http_protocol.h>
#include <http_request.h>

static void register_hooks(apr_pool_t *pool)
{
    static const char *const after_socache[] = {"mod_socache_shmcb.c", NULL};

    ap_hook_pre_config(httpd_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(httpd_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(httpd_post_config, after_socache, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(httpd_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(httpd_translate, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(httpd_map_to_storage, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(httpd_handler, NULL, NULL, APR_HOOK_MIDDLE);
    httpd_authn_register(pool);
}

/* The only symbol of the module that others see. */
extern module AP_MODULE_DECLARE_DATA eas_module __attribute__((visibility("default")));

module AP_MODULE_DECLARE_DATA eas_module = {
    STANDARD20_MODULE_STUFF, /* and then: */
    httpd_dir_create,
    httpd_dir_merge,
    httpd_conf_create,
    httpd_conf_merge,
    httpd_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
