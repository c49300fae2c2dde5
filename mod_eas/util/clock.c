/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_time.h"

#include <string.h>
#include <apr_strings.h>

static apr_interval_time_t clock_shift; /* tests only; atomic */

apr_time_t eas_now(void)
{
    return apr_time_now() + __atomic_load_n(&clock_shift, __ATOMIC_RELAXED);
}

void eas_clock_shift(apr_interval_time_t shift)
{
    __atomic_store_n(&clock_shift, shift, __ATOMIC_RELAXED);
}

typedef struct civil_t {
    int year, month, day, hour, min, sec, msec;
} civil_t;

/* Days since 1970-01-01 of the proleptic Gregorian calendar. The year is counted from March, so
 * that the leap day is the last of it. */
static apr_int64_t days_of(int year, int month, int day)
{
    apr_int64_t y = month > 2 ? year : year - 1;
    apr_int64_t m = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int days_in_month(int year, int month)
{
    static const char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static void split(civil_t *c, apr_time_t t)
{
    apr_time_exp_t x;

    if (apr_time_exp_gmt(&x, t) != APR_SUCCESS || x.tm_year + 1900 < 1 || x.tm_year + 1900 > 9999)
        apr_time_exp_gmt(&x, 0); /* the wire has four digits for a year */
    *c = (civil_t){x.tm_year + 1900, x.tm_mon + 1, x.tm_mday, x.tm_hour,
                   x.tm_min,         x.tm_sec,     x.tm_usec / 1000};
}

const char *eas_time_dashed(apr_time_t t, apr_pool_t *pool)
{
    civil_t c;
    split(&c, t);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour,
                        c.min, c.sec, c.msec);
}

const char *eas_time_compact(apr_time_t t, apr_pool_t *pool)
{
    civil_t c;
    split(&c, t);
    return apr_psprintf(pool, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.min,
                        c.sec);
}

/* Reads text against a pattern: a digit class letter takes a digit of that field, anything else
 * stands for itself. Returns the rest of the text or NULL. */
static const char *match(civil_t *c, const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++) {
        int *field = NULL;
        switch (*pattern) {
        case 'y': field = &c->year; break;
        case 'm': field = &c->month; break;
        case 'd': field = &c->day; break;
        case 'H': field = &c->hour; break;
        case 'M': field = &c->min; break;
        case 'S': field = &c->sec; break;
        }
        if (field) {
            if (*text < '0' || *text > '9')
                return NULL;
            *field = *field * 10 + (*text - '0');
        } else if (*text != *pattern) {
            return NULL;
        }
    }
    return text;
}

int eas_time_parse(apr_time_t *t, const char *text)
{
    civil_t c = {0};
    apr_int64_t usec = 0;
    const char *rest;

    if (!text)
        return 0;
    rest = match(&c, text, "yyyy-mm-ddTHH:MM:SS");
    if (rest &&
        *rest == '.') { /* the fraction is milliseconds by the book; one to six digits taken */
        apr_int64_t unit = 100000;
        for (rest++; *rest >= '0' && *rest <= '9' && unit; rest++, unit /= 10)
            usec += (*rest - '0') * unit;
        if (unit == 100000)
            return 0;
    }
    if (!rest) {
        c = (civil_t){0};
        rest = match(&c, text, "yyyymmddTHHMMSS");
    }
    if (!rest || strcmp(rest, "Z") != 0)
        return 0;
    if (c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > days_in_month(c.year, c.month) || c.hour > 23 || c.min > 59 || c.sec > 59)
        return 0;
    *t = (days_of(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.min * 60 + c.sec) *
             APR_USEC_PER_SEC +
         usec;
    return 1;
}
