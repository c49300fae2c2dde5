/* SPDX-License-Identifier: Apache-2.0 */
/* See ox_rows.h. The parser works on whole rows: what a piece of the body ends within is carried
 * over, so the hot loop knows no states. */
#include <stdlib.h>
#include <string.h>
#include "ox_rows.h"

#define TAG "ox.rows"
#define ROW_MAX 160            /* longest row with its comma and spaces */
#define TAIL_MAX (64 * 1024)   /* envelope fields behind the listing */
#define OX_DELETED 2u
#define OX_FLAGS_KNOWN 512u

struct ox_rows_t {
    apr_pool_t *pool;
    apr_size_t max_json, total;
    eas_mail_row_t *row;
    apr_size_t count, cap;
    enum { AT_HEAD, AT_ROWS, AT_TAIL, DECLINED } state;
    int after_row;             /* a row stands before: a comma must come, or the end */
    char carry[ROW_MAX];
    apr_size_t carried;
    char *text;                /* head, tail or all */
    apr_size_t len, text_cap;
    apr_uint16_t flags[OX_FLAGS_KNOWN];
    ox_sink_t sink;
};

static const struct {
    apr_uint16_t ox, ours;
} flag_map[] = {
    {1, EAS_MF_ANSWERED}, {4, EAS_MF_DRAFT}, {8, EAS_MF_FLAGGED},
    {32, EAS_MF_SEEN}, {256, EAS_MF_FORWARDED},
};

apr_uint16_t ox_rows_flags(apr_uint32_t mask)
{
    apr_uint16_t ours = 0;
    for (unsigned i = 0; i < sizeof(flag_map) / sizeof(*flag_map); i++)
        if (mask & flag_map[i].ox)
            ours |= flag_map[i].ours;
    return ours;
}

static apr_status_t rows_free(void *data)
{
    ox_rows_t *rows = data;
    free(rows->row);
    free(rows->text);
    return APR_SUCCESS;
}

ox_rows_t *ox_rows_create(apr_size_t max_json, apr_pool_t *pool)
{
    ox_rows_t *rows = apr_pcalloc(pool, sizeof(*rows));
    rows->pool = pool;
    rows->max_json = max_json;
    for (unsigned i = 0; i < OX_FLAGS_KNOWN; i++)
        rows->flags[i] = ox_rows_flags(i);
    rows->sink = (ox_sink_t){.begin = ox_rows_begin, .data = ox_rows_data, .rest = ox_rows_rest,
                             .baton = rows};
    apr_pool_cleanup_register(pool, rows, rows_free, apr_pool_cleanup_null);
    return rows;
}

ox_sink_t *ox_rows_sink(ox_rows_t *rows)
{
    return &rows->sink;
}

void ox_rows_begin(void *baton)
{
    ox_rows_t *rows = baton;
    rows->count = rows->carried = rows->len = rows->total = 0;
    rows->after_row = 0;
    rows->state = AT_HEAD;
}

static eas_err_t *grow(ox_rows_t *rows)
{
    apr_size_t cap = rows->cap ? rows->cap * 2 : 1024;
    if (rows->count >= OX_MAX_ROWS)
        return eas_err_create(rows->pool, EAS_E_TOO_LARGE, TAG, "more than %d mails in a folder",
                              OX_MAX_ROWS);
    if (cap > OX_MAX_ROWS)
        cap = OX_MAX_ROWS;
    eas_mail_row_t *row = realloc(rows->row, cap * sizeof(*row));
    if (!row)
        return eas_err_create(rows->pool, EAS_E_INTERNAL, TAG, "out of memory");
    rows->row = row;
    rows->cap = cap;
    return NULL;
}

static eas_err_t *keep_text(ox_rows_t *rows, const char *data, apr_size_t len, apr_size_t max)
{
    if (len > max - rows->len)
        return eas_err_create(rows->pool, EAS_E_TOO_LARGE, TAG, "answer too large");
    if (rows->len + len > rows->text_cap) {
        apr_size_t cap = rows->text_cap ? rows->text_cap : 1024;
        while (cap < rows->len + len)
            cap *= 2;
        char *text = realloc(rows->text, cap);
        if (!text)
            return eas_err_create(rows->pool, EAS_E_INTERNAL, TAG, "out of memory");
        rows->text = text;
        rows->text_cap = cap;
    }
    memcpy(rows->text + rows->len, data, len);
    rows->len += len;
    return NULL;
}

static eas_err_t *malformed(const ox_rows_t *rows)
{
    eas_err_t *err = eas_err_create(rows->pool, EAS_E_UNAVAILABLE, TAG,
                                    "listing is malformed at row %" APR_SIZE_T_FMT, rows->count);
    err->retry_after = 30;
    return err;
}

typedef enum { ROW_OK, ROW_SHORT, ROW_BAD } row_rc_t;

#define IS_SPACE(c) ((c) == ' ' || (c) == '\n' || (c) == '\t' || (c) == '\r')

/* At most 18 digits, so that nothing overflows; *p behind them. */
static inline row_rc_t digits(apr_uint64_t *value, const char **p, const char *end)
{
    const char *s = *p, *start = s;
    apr_uint64_t n = 0;
    while (s < end && (unsigned char)(*s - '0') <= 9)
        n = n * 10 + (unsigned)(*s++ - '0');
    if (s == end)
        return ROW_SHORT;
    if (s == start || s - start > 18 || (*start == '0' && s - start > 1))
        return ROW_BAD;
    *value = n;
    *p = s;
    return ROW_OK;
}

/* Integer or null; negative values count as 0 (mails of before 1970, no label). */
static inline row_rc_t number(apr_uint64_t *value, const char **p, const char *end)
{
    if (*p < end && (unsigned char)(**p - '0') > 9) {
        if (**p == '-') {
            (*p)++;
            row_rc_t rc = digits(value, p, end);
            *value = 0;
            return rc;
        }
        if (**p == 'n') {
            if (end - *p < 5)
                return ROW_SHORT;
            if (memcmp(*p, "null", 4) != 0)
                return ROW_BAD;
            *p += 4;
            *value = 0;
            return ROW_OK;
        }
    }
    return digits(value, p, end);
}

static inline void spaces(const char **p, const char *end)
{
    while (*p < end && IS_SPACE(**p))
        (*p)++;
}

/* The token @a c, spaces around it allowed. */
static inline row_rc_t token(const char **p, const char *end, char c)
{
    if (*p < end && **p != c)
        spaces(p, end);
    if (*p == end)
        return ROW_SHORT;
    if (**p != c)
        return ROW_BAD;
    (*p)++;
    if (*p < end && IS_SPACE(**p))
        spaces(p, end);
    return *p == end ? ROW_SHORT : ROW_OK;
}

#define STEP(expression)             \
    do {                             \
        row_rc_t step = expression;  \
        if (step != ROW_OK)          \
            return step;             \
    } while (0)

/* One row, from '[' to ']'. A row must be followed by a byte to be complete; the listing's own ']'
 * guarantees one. */
static inline row_rc_t parse_row(eas_mail_row_t *row, apr_uint32_t *mask, const char **p,
                                 const char *end)
{
    apr_uint64_t uid, flags, label, received;
    int quoted;

    STEP(token(p, end, '['));
    quoted = **p == '"';
    *p += quoted;
    STEP(digits(&uid, p, end));
    if (quoted) {
        if (**p != '"')
            return ROW_BAD;
        (*p)++;
    }
    STEP(token(p, end, ','));
    STEP(number(&flags, p, end));
    STEP(token(p, end, ','));
    STEP(number(&label, p, end));
    STEP(token(p, end, ','));
    STEP(number(&received, p, end));
    STEP(token(p, end, ']'));
    if (uid == 0 || uid > 0xffffffffu || flags > 0xffffffffu)
        return ROW_BAD;
    received /= 1000;
    row->uid = (apr_uint32_t)uid;
    row->received = received > 0xffffffffu ? 0xffffffffu : (apr_uint32_t)received;
    row->label = label > 10 ? 0 : (apr_uint16_t)label;
    *mask = (apr_uint32_t)flags;
    return ROW_OK;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FAST_ROW 96 /* a row of the usual form reads at most this far */

/* Eight characters less '0', the first in the lowest byte; *other marks those that are no digit. */
static inline apr_uint64_t load_eight(apr_uint64_t *other, const char *s)
{
    apr_uint64_t t;
    memcpy(&t, s, 8);
    t ^= 0x3030303030303030ull;
    *other = ((t + 0x7676767676767676ull) | t) & 0x8080808080808080ull;
    return t;
}

static inline apr_uint64_t eight_digits(apr_uint64_t t)
{
    t = t * 10 + (t >> 8);
    return ((t & 0x000000ff000000ffull) * 0x000f424000000064ull
            + (t >> 16 & 0x000000ff000000ffull) * 0x0000271000000001ull) >> 32;
}

/* The digits at @a s, at most 15, eight at a time: the lengths differ from number to number, which
 * costs a byte-wise loop a wrong guess of the processor each time. NULL: not of the usual form. */
static inline const char *fast_digits(apr_uint64_t *value, const char *s)
{
    static const apr_uint32_t power[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    const char *start = s;
    apr_uint64_t other, high = 0, t = load_eight(&other, s);
    if (!other) {
        high = eight_digits(t);
        s += 8;
        t = load_eight(&other, s);
        if (!other)
            return NULL;
    }
    unsigned n = (unsigned)__builtin_ctzll(other) >> 3;
    if (n)
        high = high * power[n] + eight_digits(t << (64 - 8 * n));
    s += n;
    if (s == start || (*start == '0' && s - start > 1))
        return NULL;
    *value = high;
    return s;
}

/* One digit, as most masks and labels are. */
static inline const char *fast_short(apr_uint64_t *value, const char *s)
{
    if (s[1] != ',')
        return fast_digits(value, s);
    *value = (unsigned char)(s[0] - '0');
    return *value > 9 ? NULL : s + 1;
}

/* Milliseconds of the years 2001 to 2286 have 13 digits: a fixed step lets the processor go on with
 * the next row before this one is known. */
static inline const char *fast_time(apr_uint64_t *value, const char *s)
{
    apr_uint64_t other, more, high, low;
    if (s[13] != ']' || s[0] == '0')
        return fast_digits(value, s);
    high = load_eight(&other, s);
    low = load_eight(&more, s + 8);
    if (other || (more & 0x8080808080ull))
        return NULL;
    *value = eight_digits(high) * 100000 + eight_digits(low << 24);
    return s + 13;
}

/* A row as servers write it: ["12",32,0,1497461068000], no spaces, no nulls. NULL: let parse_row()
 * look at it. At least FAST_ROW bytes are readable at @a s. */
static inline const char *fast_row(eas_mail_row_t *row, apr_uint32_t *mask, const char *s)
{
    apr_uint64_t uid, flags, label, received;
    if (s[0] != '[' || s[1] != '"' || !(s = fast_digits(&uid, s + 2)) || s[0] != '"'
        || s[1] != ',' || !(s = fast_short(&flags, s + 2)) || s[0] != ','
        || !(s = fast_short(&label, s + 1)) || s[0] != ','
        || !(s = fast_time(&received, s + 1)) || s[0] != ']')
        return NULL;
    if (uid == 0 || uid > 0xffffffffu || flags > 0xffffffffu || received > 4000000000000ull)
        return NULL;
    row->uid = (apr_uint32_t)uid;
    row->received = (apr_uint32_t)(received / 1000);
    row->label = label > 10 ? 0 : (apr_uint16_t)label;
    *mask = (apr_uint32_t)flags;
    return s + 1;
}
#else
#define FAST_ROW 1
static inline const char *fast_row(eas_mail_row_t *row, apr_uint32_t *mask, const char *s)
{
    return NULL;
}
#endif

/* Rows of [p, end); returns where it stopped: end of listing (state AT_TAIL), an incomplete row, or
 * an error. */
static eas_err_t *parse_rows(ox_rows_t *rows, const char **at, const char *end)
{
    const char *p = *at;
    int after = rows->after_row;
    for (;;) {
        const char *start = p;
        eas_mail_row_t row;
        apr_uint32_t mask;
        row_rc_t rc;

        spaces(&p, end);
        if (p == end)
            break;
        if (*p == ']') {
            p++;
            rows->state = AT_TAIL;
            break;
        }
        if (after) {
            if (*p != ',') {
                *at = p;
                return malformed(rows);
            }
            p++;
        }
        const char *next = end - p >= FAST_ROW ? fast_row(&row, &mask, p) : NULL;
        if (next) {
            p = next;
            rc = ROW_OK;
        } else {
            rc = parse_row(&row, &mask, &p, end);
        }
        if (rc == ROW_SHORT) {
            p = start;
            break;
        }
        if (rc == ROW_BAD) {
            *at = p;
            return malformed(rows);
        }
        after = 1;
        if (mask & OX_DELETED)
            continue;
        if (rows->count == rows->cap) {
            eas_err_t *err = grow(rows);
            if (err)
                return err;
        }
        row.flags = rows->flags[mask % OX_FLAGS_KNOWN];
        rows->row[rows->count++] = row;
    }
    rows->after_row = after;
    *at = p;
    return NULL;
}

/* Is the text so far the beginning of `{"data":[`? 1 yes and complete, 0 not yet, -1 no. */
static int head(const char *text, apr_size_t len, apr_size_t *used)
{
    static const char *const tokens[] = {"{", "\"data\"", ":", "["};
    apr_size_t i = 0;
    for (unsigned t = 0; t < 4; t++) {
        while (i < len && IS_SPACE(text[i]))
            i++;
        for (const char *s = tokens[t]; *s; s++, i++) {
            if (i == len)
                return 0;
            if (text[i] != *s)
                return -1;
        }
    }
    *used = i;
    return 1;
}

static eas_err_t *carry_over(ox_rows_t *rows, const char *p, const char *end)
{
    apr_size_t n = (apr_size_t)(end - p);
    if (n > ROW_MAX)
        return malformed(rows);
    memcpy(rows->carry, p, n);
    rows->carried = n;
    return NULL;
}

/* A row that lies across two pieces: pieces are joined in a small buffer until it is complete. */
static eas_err_t *join(ox_rows_t *rows, const char **p, const char *end)
{
    char buf[2 * ROW_MAX];
    apr_size_t had = rows->carried, more = (apr_size_t)(end - *p);
    if (more > ROW_MAX)
        more = ROW_MAX;
    memcpy(buf, rows->carry, had);
    memcpy(buf + had, *p, more);
    const char *q = buf;
    eas_err_t *err = parse_rows(rows, &q, buf + had + more);
    if (err)
        return err;
    apr_size_t used = (apr_size_t)(q - buf);
    if (used >= had) {
        *p += used - had;
        rows->carried = 0;
        return NULL;
    }
    /* Not even the carried row was complete: all of this piece must be in the buffer. */
    if (*p + more != end)
        return malformed(rows);
    *p = end;
    return carry_over(rows, buf + used, buf + had + more);
}

eas_err_t *ox_rows_data(void *baton, const char *data, apr_size_t len)
{
    ox_rows_t *rows = baton;
    const char *p = data, *end = data + len;
    eas_err_t *err = NULL;

    if (len > rows->max_json - rows->total)
        return eas_err_create(rows->pool, EAS_E_TOO_LARGE, TAG,
                              "listing of more than %" APR_SIZE_T_FMT " bytes", rows->max_json);
    rows->total += len;
    if (rows->state == AT_HEAD) {
        apr_size_t before = rows->len, used = 0;
        apr_size_t n = len < ROW_MAX ? len : ROW_MAX;
        err = keep_text(rows, p, n, rows->max_json);
        if (err)
            return err;
        int found = head(rows->text, rows->len, &used);
        if (found == 0 && n == len && rows->len < ROW_MAX)
            return NULL;
        if (found > 0) {
            rows->state = AT_ROWS;
            rows->len = 0;
            p += used - before;
        } else {
            rows->state = DECLINED;
            p += n;
        }
    }
    if (rows->state == AT_ROWS) {
        while (!err && rows->carried && p < end && rows->state == AT_ROWS)
            err = join(rows, &p, end);
        if (!err && rows->state == AT_ROWS)
            err = parse_rows(rows, &p, end);
        if (!err && rows->state == AT_ROWS && p < end) {
            err = carry_over(rows, p, end);
            p = end;
        }
        if (!err && rows->state == AT_TAIL)
            err = keep_text(rows, "{\"data\":[]", 10, TAIL_MAX);
    }
    if (!err && p < end)
        err = keep_text(rows, p, (apr_size_t)(end - p),
                        rows->state == DECLINED ? rows->max_json : TAIL_MAX);
    return err;
}

eas_err_t *ox_rows_rest(void *baton, const char **text, apr_size_t *len)
{
    ox_rows_t *rows = baton;
    if (rows->state == AT_ROWS)
        return malformed(rows);
    *text = rows->len ? rows->text : "";
    *len = rows->len;
    return NULL;
}

/* The slow way, for answers whose keys come in another order. */
static eas_err_t *from_json(ox_rows_t *rows, const json_t *data)
{
    size_t i;
    json_t *entry;
    if (!json_is_array(data))
        return malformed(rows);
    json_array_foreach (data, i, entry) {
        apr_int64_t uid = ox_json_num(json_array_get(entry, 0), 0);
        apr_int64_t mask = ox_json_num(json_array_get(entry, 1), 0);
        apr_int64_t label = ox_json_num(json_array_get(entry, 2), 0);
        apr_int64_t received = ox_json_num(json_array_get(entry, 3), 0) / 1000;
        if (uid <= 0 || uid > 0xffffffffLL || mask < 0 || json_array_size(entry) != 4)
            return malformed(rows);
        if (mask & OX_DELETED)
            continue;
        if (rows->count == rows->cap) {
            eas_err_t *err = grow(rows);
            if (err)
                return err;
        }
        rows->row[rows->count++] = (eas_mail_row_t){
            .uid = (apr_uint32_t)uid,
            .received = received < 0 ? 0 : received > 0xffffffffLL ? 0xffffffffu
                                                                   : (apr_uint32_t)received,
            .flags = ox_rows_flags((apr_uint32_t)mask),
            .label = label < 0 || label > 10 ? 0 : (apr_uint16_t)label,
        };
    }
    return NULL;
}

eas_err_t *ox_rows_finish(const eas_mail_row_t **list, apr_size_t *count, ox_rows_t *rows,
                          const json_t *root, apr_pool_t *pool)
{
    *list = NULL;
    *count = 0;
    if (rows->state == DECLINED || rows->state == AT_HEAD) {
        eas_err_t *err = from_json(rows, json_object_get(root, "data"));
        if (err)
            return err;
    }
    *list = rows->row;
    *count = rows->count;
    return NULL;
}
