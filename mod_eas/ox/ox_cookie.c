/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies of an OX session. curl's engine is off because a jar must belong to one session and
 * because `Secure` has to be ignored on plain HTTP to the node (API reference 1.2). A value goes
 * out again in a request header, so nothing but token characters may get in. */
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "ox_priv.h"

/* RFC 7230 token / RFC 6265 cookie-octet, as sets of what is excluded from visible ASCII. */
static int only(const char *s, apr_size_t len, const char *excluded)
{
    for (apr_size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= 0x20 || c >= 0x7f || strchr(excluded, c))
            return 0;
    }
    return 1;
}

static int valid(const char *name, apr_size_t nlen, const char *value, apr_size_t vlen)
{
    if (nlen == 0 || nlen > OX_MAX_COOKIE_NAME || vlen > OX_MAX_COOKIE_VALUE)
        return 0;
    if (!only(name, nlen, "()<>@,;:\\\"/[]?={}"))
        return 0;
    if (vlen >= 2 && value[0] == '"' && value[vlen - 1] == '"') {
        value++;
        vlen -= 2;
    }
    return only(value, vlen, "\",;\\");
}

int ox_cookie_valid(const char *name, const char *value)
{
    return valid(name, strlen(name), value, strlen(value));
}

static void trim(const char **s, apr_size_t *len)
{
    while (*len && (**s == ' ' || **s == '\t')) {
        (*s)++;
        (*len)--;
    }
    while (*len && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
        (*len)--;
}

/* Attributes that end a cookie. OX clears with Max-Age=0; Expires is not needed to know that. */
static int ends(const char *attrs, const char *end)
{
    while (attrs < end) {
        const char *next = memchr(attrs, ';', (apr_size_t)(end - attrs));
        const char *s = attrs;
        apr_size_t len = (apr_size_t)((next ? next : end) - attrs);
        trim(&s, &len);
        if (len >= 9 && strncasecmp(s, "Max-Age=", 8) == 0 && (s[8] == '0' || s[8] == '-'))
            return 1;
        attrs = next ? next + 1 : end;
    }
    return 0;
}

static void drop(eas_session_t *session, int at)
{
    session->ncookies--;
    memmove(&session->cookies[at], &session->cookies[at + 1],
            (apr_size_t)(session->ncookies - at) * sizeof(ox_cookie_t));
    session->cookie_line = NULL;
    session->changed = 1;
}

void ox_cookie_set(eas_session_t *session, const char *header, apr_size_t len)
{
    const char *end = header + len;
    const char *semi = memchr(header, ';', len);
    const char *pair_end = semi ? semi : end;
    const char *eq = memchr(header, '=', (apr_size_t)(pair_end - header));
    int at;

    if (!eq)
        return;
    const char *name = header, *value = eq + 1;
    apr_size_t nlen = (apr_size_t)(eq - name), vlen = (apr_size_t)(pair_end - value);
    trim(&name, &nlen);
    trim(&value, &vlen);
    if (!valid(name, nlen, value, vlen))
        return;
    for (at = 0; at < session->ncookies; at++) {
        const char *known = session->cookies[at].name;
        if (strlen(known) == nlen && memcmp(known, name, nlen) == 0)
            break;
    }
    if (vlen == 0 || (semi && ends(semi + 1, end))) {
        if (at < session->ncookies)
            drop(session, at);
        return;
    }
    if (at < session->ncookies) {
        const char *known = session->cookies[at].value;
        if (strlen(known) == vlen && memcmp(known, value, vlen) == 0)
            return;
    } else {
        if (session->ncookies == OX_MAX_COOKIES)
            return;
        session->cookies[at].name = apr_pstrmemdup(session->pool, name, nlen);
        session->ncookies++;
    }
    session->cookies[at].value = apr_pstrmemdup(session->pool, value, vlen);
    session->cookie_line = NULL;
    session->changed = 1;
}

const char *ox_cookie_line(eas_session_t *session)
{
    if (!session->cookie_line && session->ncookies) {
        const char *line = NULL;
        for (int i = 0; i < session->ncookies; i++)
            line = apr_pstrcat(session->pool, line ? line : "", line ? "; " : "",
                               session->cookies[i].name, "=", session->cookies[i].value, NULL);
        session->cookie_line = line;
    }
    return session->cookie_line;
}
