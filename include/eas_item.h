/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EAS_ITEM_H
#define EAS_ITEM_H
/**
 * The neutral item: a bag of properties between the class codecs (wire) and the backend.
 *
 * Every property is in one of three states: absent (nothing said), null (explicitly removed) or a
 * value; ActiveSync ghosting and OX's partial updates both need the difference. The list of all
 * properties is eas_props.def.
 *
 * Memory: an item and all it holds live in the pool given to eas_item_create(); setters keep the
 * pointers they are given (no copy), so values must live as long as the item. One thread at a time.
 *
 *     eas_item_t *it = eas_item_create(pool);
 *     eas_item_set_time(it, EAS_P_MAIL_RECEIVED, row->received);
 *     eas_item_set_bool(it, EAS_P_MAIL_READ, 1);
 */
#include <apr_pools.h>
#include <apr_time.h>

typedef enum eas_prop_t {
#define EAS_PROP(name, type) EAS_P_##name,
#include "eas_props.def"
#undef EAS_PROP
    EAS_P_COUNT
} eas_prop_t;

typedef enum eas_ptype_t {
    EAS_PT_STR,
    EAS_PT_INT,
    EAS_PT_BOOL,
    EAS_PT_TIME,
    EAS_PT_SPAN
} eas_ptype_t;

typedef enum eas_pstate_t { EAS_PS_ABSENT = 0, EAS_PS_NULL, EAS_PS_VALUE } eas_pstate_t;

/** Bytes that somebody else owns (heap or mapped file); not NUL-terminated. */
typedef struct eas_span_t {
    const char *data;
    apr_size_t len;
} eas_span_t;

typedef struct eas_item_t eas_item_t;

eas_item_t *eas_item_create(apr_pool_t *pool);
eas_ptype_t eas_prop_type(eas_prop_t prop);
const char *eas_prop_name(eas_prop_t prop);
eas_pstate_t eas_item_state(const eas_item_t *item, eas_prop_t prop);
void eas_item_set_null(eas_item_t *item, eas_prop_t prop);
void eas_item_set_str(eas_item_t *item, eas_prop_t prop, const char *value);
void eas_item_set_int(eas_item_t *item, eas_prop_t prop, apr_int64_t value);
void eas_item_set_bool(eas_item_t *item, eas_prop_t prop, int value);
void eas_item_set_time(eas_item_t *item, eas_prop_t prop, apr_time_t value);
void eas_item_set_span(eas_item_t *item, eas_prop_t prop, const char *data, apr_size_t len);
/** Getters: the value, or the given default when absent or null. */
const char *eas_item_str(const eas_item_t *item, eas_prop_t prop, const char *dflt);
apr_int64_t eas_item_int(const eas_item_t *item, eas_prop_t prop, apr_int64_t dflt);
int eas_item_bool(const eas_item_t *item, eas_prop_t prop, int dflt);
apr_time_t eas_item_time(const eas_item_t *item, eas_prop_t prop, apr_time_t dflt);
eas_span_t eas_item_span(const eas_item_t *item, eas_prop_t prop);

#endif
