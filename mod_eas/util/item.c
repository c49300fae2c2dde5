/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_item.h"

#include <assert.h>
#include <string.h>

typedef struct slot_t {
    eas_prop_t prop;
    eas_pstate_t state;
    union {
        const char *str;
        apr_int64_t num; /* INT, BOOL, TIME */
        eas_span_t span;
    } v;
} slot_t;

struct eas_item_t {
    apr_pool_t *pool;
    slot_t *slots; /* sorted by property: codecs mostly set them in order */
    int count, cap;
};

static const struct {
    const char *name;
    eas_ptype_t type;
} props[EAS_P_COUNT] = {
#define EAS_PROP(NAME, TYPE) [EAS_P_##NAME] = {#NAME, EAS_PT_##TYPE},
#include "eas_props.def"
#undef EAS_PROP
};

eas_ptype_t eas_prop_type(eas_prop_t prop)
{
    return props[prop].type;
}

const char *eas_prop_name(eas_prop_t prop)
{
    return props[prop].name;
}

eas_item_t *eas_item_create(apr_pool_t *pool)
{
    eas_item_t *item = apr_pcalloc(pool, sizeof(*item));
    item->pool = pool;
    return item;
}

/* Index of @a prop, or where it would be inserted. */
static int locate(const eas_item_t *item, eas_prop_t prop)
{
    int lo = 0, hi = item->count;

    if (hi && item->slots[hi - 1].prop < prop)
        return hi;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (item->slots[mid].prop < prop)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const slot_t *find(const eas_item_t *item, eas_prop_t prop)
{
    int at = locate(item, prop);
    return at < item->count && item->slots[at].prop == prop ? &item->slots[at] : NULL;
}

static const slot_t *find_value(const eas_item_t *item, eas_prop_t prop)
{
    const slot_t *slot = find(item, prop);
    return slot && slot->state == EAS_PS_VALUE ? slot : NULL;
}

static slot_t *put(eas_item_t *item, eas_prop_t prop, eas_pstate_t state)
{
    int at = locate(item, prop);

    if (at == item->count || item->slots[at].prop != prop) {
        if (item->count == item->cap) {
            int cap = item->cap ? item->cap * 2 : 16;
            slot_t *grown = apr_palloc(item->pool, cap * sizeof(*grown));
            if (item->count)
                memcpy(grown, item->slots, item->count * sizeof(*grown));
            item->slots = grown;
            item->cap = cap;
        }
        memmove(item->slots + at + 1, item->slots + at, (item->count - at) * sizeof(slot_t));
        item->count++;
    }
    memset(&item->slots[at], 0, sizeof(slot_t));
    item->slots[at].prop = prop;
    item->slots[at].state = state;
    return &item->slots[at];
}

eas_pstate_t eas_item_state(const eas_item_t *item, eas_prop_t prop)
{
    const slot_t *slot = find(item, prop);
    return slot ? slot->state : EAS_PS_ABSENT;
}

void eas_item_set_null(eas_item_t *item, eas_prop_t prop)
{
    put(item, prop, EAS_PS_NULL);
}

void eas_item_set_str(eas_item_t *item, eas_prop_t prop, const char *value)
{
    assert(props[prop].type == EAS_PT_STR);
    put(item, prop, value ? EAS_PS_VALUE : EAS_PS_NULL)->v.str = value;
}

static void set_num(eas_item_t *item, eas_prop_t prop, eas_ptype_t type, apr_int64_t value)
{
    assert(props[prop].type == type);
    put(item, prop, EAS_PS_VALUE)->v.num = value;
}

void eas_item_set_int(eas_item_t *item, eas_prop_t prop, apr_int64_t value)
{
    set_num(item, prop, EAS_PT_INT, value);
}

void eas_item_set_bool(eas_item_t *item, eas_prop_t prop, int value)
{
    set_num(item, prop, EAS_PT_BOOL, value != 0);
}

void eas_item_set_time(eas_item_t *item, eas_prop_t prop, apr_time_t value)
{
    set_num(item, prop, EAS_PT_TIME, value);
}

void eas_item_set_span(eas_item_t *item, eas_prop_t prop, const char *data, apr_size_t len)
{
    assert(props[prop].type == EAS_PT_SPAN);
    put(item, prop, EAS_PS_VALUE)->v.span = (eas_span_t){data, len};
}

const char *eas_item_str(const eas_item_t *item, eas_prop_t prop, const char *dflt)
{
    const slot_t *slot = find_value(item, prop);
    return slot && props[prop].type == EAS_PT_STR ? slot->v.str : dflt;
}

static apr_int64_t get_num(const eas_item_t *item, eas_prop_t prop, eas_ptype_t type,
                           apr_int64_t dflt)
{
    const slot_t *slot = find_value(item, prop);
    return slot && props[prop].type == type ? slot->v.num : dflt;
}

apr_int64_t eas_item_int(const eas_item_t *item, eas_prop_t prop, apr_int64_t dflt)
{
    return get_num(item, prop, EAS_PT_INT, dflt);
}

int eas_item_bool(const eas_item_t *item, eas_prop_t prop, int dflt)
{
    return (int)get_num(item, prop, EAS_PT_BOOL, dflt);
}

apr_time_t eas_item_time(const eas_item_t *item, eas_prop_t prop, apr_time_t dflt)
{
    return get_num(item, prop, EAS_PT_TIME, dflt);
}

eas_span_t eas_item_span(const eas_item_t *item, eas_prop_t prop)
{
    const slot_t *slot = find_value(item, prop);
    return slot && props[prop].type == EAS_PT_SPAN ? slot->v.span : (eas_span_t){NULL, 0};
}
