/* SPDX-License-Identifier: Apache-2.0 */
/*
 * easctl wbxml decode: a WBXML document as XML, from our own reader, or as libwbxml sees it. That
 * library aborts on some documents, so it works in a child process of its own.
 */
#include "easctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_getopt.h>
#include <wbxml/wbxml.h>
#include <wbxml/wbxml_conv.h>

#include "eas_spool.h"
#include "eas_wbxml.h"

enum { FILE_MAX = 256 * 1024 * 1024, OPT_LIBWBXML = 256, OPT_MASK };

static const apr_getopt_option_t options[] = {
    {"libwbxml", OPT_LIBWBXML, 0, "print what libwbxml reads"},
    {"mask", OPT_MASK, 0, "hide secrets and bodies, as EASTrace does"},
    {NULL, 0, 0, NULL},
};

static eas_err_t *read_file(eas_span_t *out, const char *name, apr_pool_t *pool)
{
    eas_spool_t *spool = eas_spool_create(FILE_MAX, NULL, pool);
    eas_err_t *err = NULL;
    apr_file_t *file;
    apr_status_t rv;
    char buf[16384];

    if (!name)
        rv = apr_file_open_stdin(&file, pool);
    else
        rv = apr_file_open(&file, name, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool);
    while (rv == APR_SUCCESS && !err) {
        apr_size_t n = sizeof(buf);
        rv = apr_file_read(file, buf, &n);
        if (rv == APR_SUCCESS)
            err = eas_spool_write(spool, buf, n);
    }
    if (!err && rv != APR_EOF)
        err = eas_err_apr(pool, rv, "wbxml", "cannot read %s", name ? name : "standard input");
    return err ? err : eas_spool_finish(out, spool);
}

static int decode_own(eas_span_t doc, int mask, apr_pool_t *pool)
{
    eas_node_t *root;
    eas_err_t *err = eas_wbxml_read(&root, doc.data, doc.len, &eas_wbxml_limits, pool);

    if (err)
        return ctl_fail("%s", err->message);
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s",
           eas_node_xml(root, mask, (apr_size_t)8 * FILE_MAX, pool));
    return CTL_OK;
}

static int convert_by_libwbxml(eas_span_t doc)
{
    WBXMLConvWBXML2XML *conv;
    WB_UTINY *xml = NULL;
    WB_ULONG len = 0;
    WBXMLError rv = wbxml_conv_wbxml2xml_create(&conv);

    if (rv == WBXML_OK) {
        wbxml_conv_wbxml2xml_set_language(conv, WBXML_LANG_ACTIVESYNC);
        wbxml_conv_wbxml2xml_set_charset(conv, WBXML_CHARSET_UTF_8);
        wbxml_conv_wbxml2xml_set_gen_type(conv, WBXML_GEN_XML_INDENT);
        wbxml_conv_wbxml2xml_set_indent(conv, 2);
        rv = wbxml_conv_wbxml2xml_run(conv, (WB_UTINY *)doc.data, (WB_ULONG)doc.len, &xml, &len);
    }
    if (rv != WBXML_OK)
        return ctl_fail("libwbxml: %s", (const char *)wbxml_errors_string(rv));
    fwrite(xml, 1, len, stdout);
    putchar('\n');
    return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

static int decode_by_libwbxml(eas_span_t doc)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(convert_by_libwbxml(doc));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return ctl_fail("cannot start a process for libwbxml");
    if (WIFSIGNALED(status))
        return ctl_fail("libwbxml died of signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

int ctl_wbxml(int argc, const char *const *argv, apr_pool_t *pool)
{
    int opt, words, libwbxml = 0, mask = 0;
    const char *arg;
    eas_span_t doc;
    eas_err_t *err;
    apr_getopt_t *os;
    apr_status_t rv;

    apr_getopt_init(&os, pool, argc, argv);
    os->interleave = 1;
    while ((rv = apr_getopt_long(os, options, &opt, &arg)) == APR_SUCCESS) {
        libwbxml |= opt == OPT_LIBWBXML;
        mask |= opt == OPT_MASK;
    }
    words = os->argc - os->ind;
    if (rv != APR_EOF || words < 1 || words > 2 || strcmp(os->argv[os->ind], "decode") != 0)
        return ctl_usage("wbxml");
    err = read_file(&doc, words == 2 ? os->argv[os->ind + 1] : NULL, pool);
    if (err)
        return ctl_fail("%s", eas_err_chain(err, pool));
    return libwbxml ? decode_by_libwbxml(doc) : decode_own(doc, mask, pool);
}
