/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query strings of both forms. The first byte chooses version header and ceiling, the rest is the
 * query; whatever comes out keeps its promises, and every refusal can be answered.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "eas_protocol.h"
#include "eas_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void clean(const char *text, apr_size_t max)
{
    if (text)
        check(strlen(text) <= max && eas_text_clean(text, strlen(text)) && !strpbrk(text, "\r\n"));
}

static void check_fields(const eas_req_t *req)
{
    clean(req->device_id, EAS_DEVICE_ID_MAX);
    clean(req->device_type, 4 * EAS_DEVICE_TYPE_MAX);
    clean(req->cmd_name, 32);
    clean(req->attachment_name, 2048);
    clean(req->collection_id, 256);
    clean(req->item_id, 256);
    clean(req->long_id, 1024);
    clean(req->occurrence, 64);
    check(!strpbrk(req->device_id, "/ ,ABCXYZ"));
    check(!req->version || eas_version_text(req->version));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const versions[] = {NULL, "2.5", "12.1", "14.0", "14.1", "16.1", "", "x"};
    static const int ceilings[] = {EAS_V25, EAS_V121, EAS_V141, EAS_V161};
    apr_pool_t *pool;

    if (!size)
        return 0;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    eas_req_t req = {
        .pool = pool,
        .query = apr_pstrmemdup(pool, (const char *)data + 1, size - 1),
        .h_version = versions[data[0] & 7],
        .h_policy_key = data[0] & 0x20 ? (size > 11 ? "4294967295" : "x") : NULL,
        .h_multipart = data[0] & 0x40 ? "T" : NULL,
    };
    int ceiling = ceilings[data[0] >> 3 & 3], options = data[0] >> 7;
    eas_err_t *err = eas_req_parse(&req, ceiling, options);

    check_fields(&req);
    if (options) {
        check(!err && req.cmd == EAS_CMD_UNKNOWN);
    } else if (!err) {
        check(eas_cmd_name(req.cmd) != NULL && *req.device_id && *req.device_type);
        check(req.version && req.version <= ceiling);
    } else {
        eas_resp_t resp = {.http_status = 200};
        check(err->status != 0);
        eas_resp_error(&resp, &req, err->status);
        check((resp.http_status == 200) == (resp.body.len != 0));
        check(resp.http_status == 200 || resp.http_status == 400 || resp.http_status == 501);
    }
    apr_pool_destroy(pool);
    return 0;
}
