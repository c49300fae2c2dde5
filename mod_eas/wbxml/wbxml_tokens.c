/* SPDX-License-Identifier: Apache-2.0 */
#include "wbxml_tokens.h"

#include <string.h>

static const wbxml_page_t *find_page(int page)
{
    for (int i = 0; i < wbxml_page_count; i++) {
        if (wbxml_pages[i].page == page)
            return &wbxml_pages[i];
    }
    return NULL;
}

static const wbxml_token_t *find_token(eas_tag_t tag)
{
    int low = 0, high = wbxml_token_count - 1;

    while (low <= high) {
        int mid = (low + high) / 2;
        if (wbxml_tokens[mid].tag == tag)
            return &wbxml_tokens[mid];
        if (wbxml_tokens[mid].tag < tag)
            low = mid + 1;
        else
            high = mid - 1;
    }
    return NULL;
}

const char *eas_tag_page_name(eas_tag_t tag)
{
    const wbxml_page_t *page = find_page(tag >> 8);

    return page ? page->name : NULL;
}

const char *eas_tag_name(eas_tag_t tag)
{
    const wbxml_token_t *token = find_token(tag);

    return token ? token->name : NULL;
}

int eas_tag_versions(int *first, int *last, eas_tag_t tag)
{
    const wbxml_token_t *token = find_token(tag);

    *first = token ? token->first : 0;
    *last = token ? token->last : 0;
    return token != NULL;
}

eas_tag_t eas_tag_lookup(const char *page, const char *name)
{
    for (int i = 0; i < wbxml_page_count; i++) {
        if (strcmp(wbxml_pages[i].name, page) != 0)
            continue;
        const wbxml_token_t *token = &wbxml_tokens[wbxml_pages[i].first];
        for (int k = 0; k < wbxml_pages[i].count; k++, token++) {
            if (strcmp(token->name, name) == 0)
                return token->tag;
        }
    }
    return 0;
}
