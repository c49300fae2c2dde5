/* SPDX-License-Identifier: Apache-2.0 */
/* The device record: which phones a user has. Durable, since later it also says what was decided
 * about a phone; written only when something in it changes. */
#include <apr_strings.h>
#include "eas_time.h"
#include "sync_priv.h"

#define DEVICE_FORMAT 1

static int count_device(void *baton, const char *device_hash)
{
    int *n = baton;
    (void)device_hash;
    ++*n;
    return 0;
}

static eas_err_t *below_limit(eas_state_t *st)
{
    int n = 0;
    eas_err_t *err =
        st->cfg->store->v->devices(st->cfg->store, st->user, count_device, &n, st->pool);
    if (err)
        return err;
    if (n < st->cfg->max_devices)
        return NULL;
    err = eas_err_create(st->pool, EAS_E_FORBIDDEN, "sync.device",
                         "the user has %d devices already (EASMaxDevices)", n);
    err->status = 177;
    return err;
}

eas_err_t *eas_device_seen(eas_state_t *st, const char *type, const char *user_agent, int version)
{
    const eas_store_vtable_t *v = st->cfg->store->v;
    const char *name = apr_pstrcat(st->pool, st->user, "\n", st->device, NULL);
    apr_uint64_t born = (apr_uint64_t)apr_time_sec(eas_now());
    const void *val;
    apr_size_t len;
    eas_buf_t b;
    eas_err_t *err;

    if (strcmp(st->device, "validate") == 0)
        return NULL;
    err = v->recall(&val, &len, st->cfg->store, "device", name, st->pool);
    if (err)
        return eas_err_wrap(st->pool, err, "sync.device", "cannot read the device record");
    if (val) {
        eas_rd_t rd;
        unsigned format;
        eas_rd_init(&rd, val, len);
        format = eas_rd_u8(&rd);
        if (format > DEVICE_FORMAT)
            return eas_err_create(st->pool, EAS_E_NEWER, "sync.device",
                                  "device record of format %u", format);
        born = eas_rd_var(&rd);
    } else if ((err = below_limit(st))) {
        return err;
    }
    eas_buf_init(&b, 256, st->pool);
    eas_buf_u8(&b, DEVICE_FORMAT);
    eas_buf_var(&b, born);
    eas_buf_str(&b, st->device);
    eas_buf_str(&b, type);
    eas_buf_str(&b, user_agent ? apr_pstrndup(st->pool, user_agent, 256) : "");
    eas_buf_var(&b, (apr_uint64_t)version);
    if (val && len == b.len && memcmp(val, b.data, len) == 0)
        return NULL;
    err = v->keep(st->cfg->store, "device", name, b.data, b.len, st->pool);
    return err ? eas_err_wrap(st->pool, err, "sync.device", "cannot write the device record")
               : NULL;
}
