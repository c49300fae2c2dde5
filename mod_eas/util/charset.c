/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_text.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>

#define NAME_MAX_BYTES 40
#define REPLACEMENT "\xEF\xBF\xBD"

/* Labels in mail against what their writers mean: the superset that the big mailers really send
 * (as the WHATWG Encoding Standard maps labels). NULL: says nothing, guess. */
static const struct {
    const char *label, *iconv_name;
} aliases[] = {
    {"iso-8859-1", "CP1252"},
    {"iso8859-1", "CP1252"},
    {"iso_8859-1", "CP1252"},
    {"iso88591", "CP1252"},
    {"latin1", "CP1252"},
    {"latin-1", "CP1252"},
    {"l1", "CP1252"},
    {"ansi_x3.4-1968", "CP1252"},
    {"windows-1252", "CP1252"},
    {"x-cp1252", "CP1252"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-9", "CP1254"},
    {"latin5", "CP1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"gb2312", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"gbk", "GB18030"},
    {"x-gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"hz-gb-2312", "HZ"},
    {"big5", "BIG5-HKSCS"},
    {"x-x-big5", "BIG5-HKSCS"},
    {"ks_c_5601-1987", "CP949"},
    {"ks_c_5601-1989", "CP949"},
    {"ksc5601", "CP949"},
    {"ksc_5601", "CP949"},
    {"korean", "CP949"},
    {"euc-kr", "CP949"},
    {"windows-949", "CP949"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"x-euc-jp", "EUC-JP"},
    {"macintosh", "MACINTOSH"},
    {"x-mac-roman", "MACINTOSH"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"utf8", "UTF-8"},
    {"utf-8", "UTF-8"},
    {"unicode-1-1-utf-8", "UTF-8"},
    /* without a byte-order mark UTF-16 in mail is little endian (Encoding Standard), a mark wins */
    {"unicode", "UTF-16"},
    /* 8-bit bytes under these labels are somebody's default */
    {"us-ascii", NULL},
    {"ascii", NULL},
    {"x-unknown", NULL},
    {"unknown-8bit", NULL},
    {"unknown", NULL},
    {"x-user-defined", NULL},
    {"default", NULL},
    {"8bit", NULL},
    {"binary", NULL},
};

/* Trims quotes and blanks; only harmless characters: no "//TRANSLIT", no path. */
static int tidy_name(char out[NAME_MAX_BYTES + 1], const char *name)
{
    apr_size_t n;

    name += strspn(name, " \t\"'");
    n = strcspn(name, " \t\"';");
    if (n == 0 || n > NAME_MAX_BYTES)
        return 0;
    for (apr_size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.:+()", name[i]))
            return 0;
        out[i] = name[i];
    }
    out[n] = '\0';
    return 1;
}

/* The iconv name; NULL: guess. */
static const char *resolve(char name[NAME_MAX_BYTES + 1], const char *charset)
{
    if (!charset || !tidy_name(name, charset))
        return NULL;
    for (apr_size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcasecmp(aliases[i].label, name) == 0)
            return aliases[i].iconv_name;
    return name;
}

typedef struct out_t {
    char *data;
    apr_size_t len, cap;
    apr_pool_t *pool;
} out_t;

static void reserve(out_t *o, apr_size_t more)
{
    if (o->cap - o->len >= more)
        return;
    apr_size_t cap = o->cap * 2 + more;
    char *data = apr_palloc(o->pool, cap);
    memcpy(data, o->data, o->len);
    o->data = data;
    o->cap = cap;
}

/* Bytes to skip over what does not decode, so that the rest stays aligned. */
static apr_size_t unit_of(const char *name)
{
    if (strncasecmp(name, "UTF-16", 6) == 0 || strncasecmp(name, "UCS-2", 5) == 0)
        return 2;
    if (strncasecmp(name, "UTF-32", 6) == 0 || strncasecmp(name, "UCS-4", 5) == 0)
        return 4;
    return 1;
}

/* Runs until the input is used up. Every undecodable unit, and a sequence cut off at the end, gives
 * one replacement character, so the loop ends and the output stays within a small multiple of the
 * input. */
static void convert(out_t *o, iconv_t cd, apr_size_t unit, const char *s, apr_size_t len)
{
    char *in = (char *)s;

    for (;;) {
        reserve(o, 16);
        char *q = o->data + o->len;
        apr_size_t room = o->cap - o->len;
        /* a NULL input writes what a stateful decoder has held back */
        apr_size_t rv = len ? iconv(cd, &in, &len, &q, &room) : iconv(cd, NULL, NULL, &q, &room);
        int why = errno, flushed = len == 0 && rv != (apr_size_t)-1;
        o->len = q - o->data;
        if (rv != (apr_size_t)-1) {
            if (flushed && in == NULL)
                return;
            if (flushed)
                in = NULL; /* input is done: once more to flush */
            continue;
        }
        if (why == E2BIG) {
            reserve(o, room + 16 + len);
            continue;
        }
        reserve(o, 3);
        memcpy(o->data + o->len, REPLACEMENT, 3);
        o->len += 3;
        if (why != EILSEQ || len == 0) { /* EINVAL: cut off */
            if (len == 0)
                return;
            len = 0;
            continue;
        }
        apr_size_t skip = unit < len ? unit : len;
        in += skip;
        len -= skip;
    }
}

char *eas_charset_to_utf8(apr_size_t *outlen, const char *charset, const char *s, apr_size_t len,
                          apr_pool_t *pool)
{
    char name[NAME_MAX_BYTES + 1];
    const char *from = resolve(name, charset);
    iconv_t cd = (iconv_t)-1;
    out_t o = {NULL, 0, 0, pool};

    if (from && strcasecmp(from, "UTF-16") == 0 && len >= 2 &&
        memcmp(s, "\xFE\xFF", 2) != 0 && memcmp(s, "\xFF\xFE", 2) != 0)
        from = "UTF-16LE";
    if (from && strcasecmp(from, "UTF-8") != 0)
        cd = iconv_open("UTF-8", from);
    if (cd == (iconv_t)-1) {
        if ((from && strcasecmp(from, "UTF-8") == 0) || eas_utf8_valid(s, len))
            return eas_text_sanitize(outlen, s, len, pool);
        from = "CP1252";
        cd = iconv_open("UTF-8", from);
        if (cd == (iconv_t)-1)
            return eas_text_sanitize(outlen, s, len, pool);
    }
    o.cap = len + len / 2 + 32;
    o.data = apr_palloc(pool, o.cap);
    convert(&o, cd, unit_of(from), s, len);
    iconv_close(cd);
    if (!eas_text_clean(o.data, o.len))
        return eas_text_sanitize(outlen, o.data, o.len, pool);
    reserve(&o, 1);
    o.data[o.len] = '\0';
    if (outlen)
        *outlen = o.len;
    return o.data;
}
