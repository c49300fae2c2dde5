/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench_mails.h"

enum { BODY = 512, SIZES = 10, LINE = 76, LARGEST = 160 * 1024, WRITABLE = 0x12f };

/* Kilobytes of ten mails in a row, 52 on average. */
static const int kilobytes[SIZES] = {2, 60, 4, 90, 8, 128, 12, 20, 160, 36};

/* The newest mail of a folder as it is at the beginning: 2026-03-02 12:00 UTC. */
static const int64_t NEWEST = 1772452800;
static const int64_t SPACING = 97;

static bench_folder_t folders[BENCH_FOLDERS] = {
    {"default0/INBOX", "INBOX", 7, 100}, {"default0/Drafts", "Drafts", 9, 0},
    {"default0/Sent", "Sent", 10, 0},    {"default0/Spam", "Spam", 11, 0},
    {"default0/Trash", "Trash", 12, 0},  {"default0/B100", "B100", 0, 100},
    {"default0/B1000", "B1000", 0, 1000}, {"default0/B10000", "B10000", 0, 10000},
    {"default0/B100000", "B100000", 0, 100000},
};

void bench_put(bench_out_t *out, const char *data, size_t len)
{
    if (out->len + len > out->cap) {
        size_t cap = out->cap ? out->cap : 4096;
        while (cap < out->len + len)
            cap *= 2;
        out->data = realloc(out->data, cap);
        if (!out->data)
            abort();
        out->cap = cap;
    }
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

void bench_putf(bench_out_t *out, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        abort();
    bench_put(out, text, (size_t)len);
}

static void reserve(bench_folder_t *folder, uint32_t uid)
{
    uint32_t cap = folder->cap ? folder->cap : 64;
    if (uid < folder->cap)
        return;
    while (cap <= uid)
        cap *= 2;
    folder->flags = realloc(folder->flags, cap * sizeof(*folder->flags));
    if (!folder->flags)
        abort();
    memset(folder->flags + folder->cap, 0, (cap - folder->cap) * sizeof(*folder->flags));
    folder->cap = cap;
}

bench_folder_t *bench_folders(void)
{
    static int made;
    static char names[BENCH_FOLDERS][2][32];
    for (int i = 0; !made && i < BENCH_FOLDERS; i++) {
        bench_folder_t *folder = &folders[i];
        if (!folder->id) {
            snprintf(names[i][0], sizeof(names[i][0]), "default0/Folder %02d", i);
            snprintf(names[i][1], sizeof(names[i][1]), "Folder %02d", i);
            folder->id = names[i][0];
            folder->title = names[i][1];
        }
        folder->next = 1;
        for (uint32_t n = folder->count; n; n--)
            bench_add(folder);
        for (uint32_t uid = 1; uid <= folder->count; uid++)
            if (uid % 4)
                bench_set_flags(folder, uid, BENCH_SEEN, 0);
    }
    made = 1;
    return folders;
}

bench_folder_t *bench_folder(const char *id)
{
    bench_folder_t *all = bench_folders();
    for (int i = 0; id && i < BENCH_FOLDERS; i++)
        if (strcmp(all[i].id, id) == 0)
            return &all[i];
    return NULL;
}

int bench_has(const bench_folder_t *folder, uint32_t uid)
{
    return uid > 0 && uid < folder->next && !(folder->flags[uid] & BENCH_DELETED);
}

uint32_t bench_add(bench_folder_t *folder)
{
    uint32_t uid = folder->next++;
    reserve(folder, uid);
    folder->total++;
    folder->unread++;
    return uid;
}

void bench_set_flags(bench_folder_t *folder, uint32_t uid, unsigned set, unsigned clear)
{
    unsigned was = folder->flags[uid], now = (was | (set & WRITABLE)) & ~clear;
    folder->flags[uid] = (uint16_t)now;
    if ((was ^ now) & BENCH_SEEN)
        folder->unread += now & BENCH_SEEN ? -1u : 1u;
}

int bench_remove(bench_folder_t *folder, uint32_t uid)
{
    if (!bench_has(folder, uid))
        return 0;
    folder->unread -= !(folder->flags[uid] & BENCH_SEEN);
    folder->flags[uid] |= BENCH_DELETED;
    folder->total--;
    return 1;
}

static int64_t received(const bench_folder_t *folder, uint32_t uid)
{
    return NEWEST - ((int64_t)folder->count - uid) * SPACING;
}

static size_t size_of(uint32_t uid)
{
    return (size_t)kilobytes[uid % SIZES] * 1024;
}

int bench_column(bench_out_t *out, const bench_folder_t *folder, uint32_t uid, int column)
{
    switch (column) {
    case 102:
        bench_put(out, "0", 1);
        return 1;
    case 600:
        bench_putf(out, "\"%u\"", uid);
        return 1;
    case 601:
        bench_putf(out, "\"%s\"", folder->id);
        return 1;
    case 608:
        bench_putf(out, "%zu", size_of(uid));
        return 1;
    case 609:
    case 610:
        bench_putf(out, "%lld", (long long)received(folder, uid) * 1000);
        return 1;
    case 611:
        bench_putf(out, "%u", (unsigned)folder->flags[uid]);
        return 1;
    default:
        return 0;
    }
}

static const char *body_text(void)
{
    static const char words[] =
        "The quarterly figures are attached, please have a look before we meet. ";
    static char text[BODY + 1];
    if (!text[0]) {
        for (size_t i = 0; i < BODY; i++)
            text[i] = words[i % (sizeof(words) - 1)];
        for (size_t i = 70; i < BODY; i += 72)
            memcpy(text + i, "\r\n", 2);
        memcpy(text + BODY - 2, "\r\n", 2);
    }
    return text;
}

/* Base64 lines of bytes that do not compress well, as those of a picture. */
static const char *attachment_lines(void)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char text[LARGEST];
    uint32_t state = 2463534242u;
    for (size_t i = 0; !text[LARGEST - 1] && i < LARGEST; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        text[i] = i % (LINE + 2) == LINE       ? '\r'
                  : i % (LINE + 2) == LINE + 1 ? '\n'
                                               : set[state >> 26];
    }
    return text;
}

static void header(bench_out_t *out, const bench_folder_t *folder, uint32_t uid)
{
    time_t when = (time_t)received(folder, uid);
    struct tm parts;
    char date[64];
    gmtime_r(&when, &parts);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &parts);
    bench_putf(out,
               "Received: from mx.example.org (mx.example.org [192.0.2.25])\r\n"
               "\tby mail.example.com (Postfix) with ESMTPS id 4Zq%07u\r\n"
               "\tfor <bench@example.com>; %s\r\n"
               "Date: %s\r\nFrom: \"Bench Sender %u\" <sender%u@example.org>\r\n"
               "To: Bench User <bench@example.com>\r\n"
               "Message-ID: <%u.%s@example.org>\r\nSubject: Report number %u of %s\r\n"
               "MIME-Version: 1.0\r\n",
               uid, date, date, uid % 50, uid % 50, uid, folder->title, uid, folder->title);
}

void bench_source(bench_out_t *out, const bench_folder_t *folder, uint32_t uid)
{
    static const char end[] = "\r\n--=_bench--\r\n";
    size_t begin = out->len, size = size_of(uid), used;

    header(out, folder, uid);
    bench_putf(out, "Content-Type: multipart/mixed; boundary=\"=_bench\"\r\n\r\n--=_bench\r\n"
               "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
    bench_put(out, body_text(), BODY);
    bench_putf(out, "\r\n--=_bench\r\nContent-Type: application/pdf; name=\"report-%u.pdf\"\r\n"
               "Content-Disposition: attachment; filename=\"report-%u.pdf\"\r\n"
               "Content-Transfer-Encoding: base64\r\n\r\n", uid, uid);
    used = out->len - begin + sizeof(end) - 1;
    if (used < size)
        bench_put(out, attachment_lines(), (size - used) / 4 * 4);
    bench_put(out, end, sizeof(end) - 1);
}

void bench_object(bench_out_t *out, const bench_folder_t *folder, uint32_t uid)
{
    long long when = (long long)received(folder, uid) * 1000;
    bench_putf(
        out,
        "{\"id\":\"%u\",\"folder_id\":\"%s\",\"subject\":\"Report number %u of %s\","
        "\"content_type\":\"multipart/mixed\","
        "\"from\":[[\"Bench Sender %u\",\"sender%u@example.org\"]],"
        "\"to\":[[\"Bench User\",\"bench@example.com\"]],\"cc\":[],\"bcc\":[],\"reply_to\":[],"
        "\"sent_date\":%lld,\"received_date\":%lld,\"flags\":%u,\"user\":[],\"color_label\":0,"
        "\"priority\":3,\"size\":%zu,\"unread\":0,\"attachment\":true,\"msgref\":null,",
        uid, folder->id, uid, folder->title, uid % 50, uid % 50, when, when,
        (unsigned)folder->flags[uid], size_of(uid));
    bench_putf(out, "\"headers\":{\"Message-ID\":\"<%u.%s@example.org>\"},\"attachments\":["
               "{\"id\":\"1\",\"content_type\":\"text/plain\",\"content\":\"", uid, folder->title);
    for (const char *s = body_text(); *s; s++)
        if (*s == '\n')
            bench_put(out, "\\n", 2);
        else if (*s != '\r')
            bench_put(out, s, 1);
    bench_putf(out, "\",\"disp\":\"inline\",\"size\":%d,\"truncated\":false,\"filename\":null,"
               "\"cid\":null},{\"id\":\"2\",\"content_type\":\"application/pdf\","
               "\"filename\":\"report-%u.pdf\",\"size\":%zu,\"disp\":\"attachment\",\"cid\":null}],"
               "\"nested_msgs\":[],\"authenticity\":{}}", BODY, uid, size_of(uid) * 3 / 4);
}
