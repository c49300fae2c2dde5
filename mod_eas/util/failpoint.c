/* SPDX-License-Identifier: Apache-2.0 */
#include "eas_failpoint.h"

#ifdef EAS_FAILPOINTS
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RULES 32
#define RULE_BYTES 96

typedef struct rule_t {
    char line[RULE_BYTES];
    long hits;
    int seen; /* still in the file */
} rule_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards rules and rules_pid */
static rule_t rules[RULES];
static pid_t rules_pid;

static rule_t *rule_of(const char *line)
{
    rule_t *spare = NULL;

    for (int i = 0; i < RULES; i++) {
        if (strcmp(rules[i].line, line) == 0)
            return &rules[i];
        if (!spare && !rules[i].line[0])
            spare = &rules[i];
    }
    if (spare) {
        snprintf(spare->line, sizeof(spare->line), "%s", line);
        spare->hits = 0;
    }
    return spare;
}

/* Reads the file and counts this point's lines; the action that is due now comes out. */
static int due(char action[RULE_BYTES], FILE *f, const char *name)
{
    char line[RULE_BYTES];
    int found = 0;

    for (int i = 0; i < RULES; i++)
        rules[i].seen = 0;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *nth = strchr(line, ':');
        rule_t *rule = nth ? rule_of(line) : NULL;
        if (!rule)
            continue;
        rule->seen = 1;
        if (strncmp(line, name, nth - line) != 0 || name[nth - line] != '\0')
            continue;
        char *rest;
        long n = strtol(nth + 1, &rest, 10);
        if (*rest == ':' && (++rule->hits == n || n == 0) && !found) {
            snprintf(action, RULE_BYTES, "%s", rest + 1);
            found = 1;
        }
    }
    for (int i = 0; i < RULES; i++)
        if (!rules[i].seen)
            rules[i].line[0] = '\0';
    return found;
}

int eas_failpoint(const char *name)
{
    const char *path = getenv("EAS_FAILPOINT_FILE");
    char action[RULE_BYTES] = "";
    FILE *f = path ? fopen(path, "re") : NULL;
    int found;

    if (!f)
        return 0;
    pthread_mutex_lock(&lock);
    if (rules_pid != getpid()) { /* counts are per process */
        memset(rules, 0, sizeof(rules));
        rules_pid = getpid();
    }
    found = due(action, f, name);
    pthread_mutex_unlock(&lock);
    fclose(f);
    if (!found)
        return 0;
    if (strcmp(action, "die") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(action, "diegroup") == 0)
        kill(0, SIGKILL);
    if (strncmp(action, "delay:", 6) == 0) {
        long ms = strtol(action + 6, NULL, 10);
        struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
        nanosleep(&ts, NULL);
    }
    return strcmp(action, "fail") == 0;
}
#else
typedef int eas_failpoint_unused; /* a release build has no such function */
#endif
