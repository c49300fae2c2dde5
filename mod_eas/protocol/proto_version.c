/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_protocol.h"

#include <string.h>
#include <apr_strings.h>

/* Ascending. The server text is for people; 2.5-era clients parse its major number. */
static const struct {
    int version;
    const char *text, *server;
} versions[] = {
    {EAS_V25, "2.5", "6.5.7638.1"}, {EAS_V120, "12.0", "8.0"},  {EAS_V121, "12.1", "8.1"},
    {EAS_V140, "14.0", "14.0"},     {EAS_V141, "14.1", "14.1"}, {EAS_V160, "16.0", "16.0"},
    {EAS_V161, "16.1", "16.1"},
};

enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

int eas_version_parse(const char *text)
{
    for (int i = 0; text && i < VERSIONS; i++) {
        if (strcmp(versions[i].text, text) == 0)
            return versions[i].version;
    }
    return 0;
}

const char *eas_version_text(int version)
{
    for (int i = 0; i < VERSIONS; i++) {
        if (versions[i].version == version)
            return versions[i].text;
    }
    return NULL;
}

const char *eas_versions_list(int ceiling, apr_pool_t *pool)
{
    const char *list = versions[0].text;

    for (int i = 1; i < VERSIONS && versions[i].version <= ceiling; i++)
        list = apr_pstrcat(pool, list, ",", versions[i].text, NULL);
    return list;
}

const char *eas_server_version(int ceiling)
{
    int i = 0;

    while (i + 1 < VERSIONS && versions[i + 1].version <= ceiling)
        i++;
    return versions[i].server;
}
