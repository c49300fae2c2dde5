/* SPDX-License-Identifier: Apache-2.0 */
/* From OX error codes and categories to our kinds. A code's own row wins over the rule "every SES
 * and MFA code", that over its category (API reference 10.1). */
#include <string.h>
#include "ox_priv.h"

typedef struct row_t {
    const char *key;
    ox_verdict_t verdict;
} row_t;

static const row_t codes[] = {
#define OX_ERR(code, kind, retry) {code, {EAS_E_##kind, retry}},
#include "ox_errors.def"
#undef OX_ERR
};

/* Every session code is the same to us: forget the session and log in once (API 1.4). Multifactor
 * cannot be answered by a phone (API 1.11). */
static const row_t prefixes[] = {
    {"SES-", {EAS_E_SESSION, 0}},
    {"MFA-", {EAS_E_FORBIDDEN, 0}},
};

/* In the answer to a login a new login would not help. */
static const row_t at_login[] = {
    {"SES-0002", {EAS_E_UNAVAILABLE, 120}}, /* node is full */
    {"SES-0007", {EAS_E_UNAVAILABLE, 120}}, /* sessions of this user */
    {"SES-0204", {EAS_E_FORBIDDEN, 0}},     /* context is disabled */
    {"SES-0207", {EAS_E_UNAVAILABLE, 120}}, /* sessions of this client id */
    {"SES-0208", {EAS_E_UNAVAILABLE, 30}},  /* session service starts up */
};

typedef struct category_t {
    int number;
    const char *name;
    ox_verdict_t verdict;
} category_t;

static const category_t categories[] = {
    {1, "USER_INPUT", {EAS_E_INVALID, 0}},
    {2, "CONFIGURATION", {EAS_E_UNAVAILABLE, 300}},
    {3, "PERMISSION_DENIED", {EAS_E_PERMISSION, 0}},
    {4, "TRY_AGAIN", {EAS_E_UNAVAILABLE, 30}},
    {5, "SERVICE_DOWN", {EAS_E_UNAVAILABLE, 60}},
    {6, "CONNECTIVITY", {EAS_E_UNAVAILABLE, 60}},
    {8, "ERROR", {EAS_E_INTERNAL, 0}},
    {9, "CONFLICT", {EAS_E_CONFLICT, 0}},
    {11, "CAPACITY", {EAS_E_QUOTA, 0}},
    {12, "TRUNCATED", {EAS_E_INVALID, 0}},
    {13, "WARNING", {0, 0}},
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

ox_verdict_t ox_errors_lookup(const char *code, const char *category, int number)
{
    const category_t *cat = NULL;
    for (apr_size_t i = 0; !cat && category && i < COUNT(categories); i++)
        if (strcmp(categories[i].name, category) == 0)
            cat = &categories[i];
    for (apr_size_t i = 0; !cat && i < COUNT(categories); i++)
        if (categories[i].number == number)
            cat = &categories[i];
    /* A warning is success, whatever its code says elsewhere. */
    if (cat && !cat->verdict.kind)
        return cat->verdict;
    if (code) {
        for (apr_size_t i = 0; i < COUNT(codes); i++)
            if (strcmp(codes[i].key, code) == 0)
                return codes[i].verdict;
        for (apr_size_t i = 0; i < COUNT(prefixes); i++)
            if (strncmp(prefixes[i].key, code, strlen(prefixes[i].key)) == 0)
                return prefixes[i].verdict;
    }
    return cat ? cat->verdict : (ox_verdict_t){EAS_E_INTERNAL, 0};
}

ox_verdict_t ox_errors_login(const char *code)
{
    for (apr_size_t i = 0; code && i < COUNT(at_login); i++)
        if (strncmp(at_login[i].key, code, strlen(at_login[i].key)) == 0)
            return at_login[i].verdict;
    return (ox_verdict_t){EAS_E_UNAVAILABLE, 30};
}

int ox_errors_is(const eas_err_t *err, const char *code)
{
    apr_size_t n = strlen(code);
    for (; err; err = err->cause)
        if (err->detail && strncmp(err->detail, code, n) == 0
            && (err->detail[n] == '\0' || err->detail[n] == ' '))
            return 1;
    return 0;
}
