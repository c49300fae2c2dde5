#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A guard that cannot fail guards nothing. Each case breaks a copy of the tree in one place, as somebody
# might by mistake, and the guard must then tell of it, and not before.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my $tree = tempdir(CLEANUP => 1) . '/tree';
for my $path (files(qr{.}, qw(mod_eas include tools t build conf.d docs .ci)),
              grep { defined content($_) } qw(README NOTICE LICENSE Makefile.am configure.ac bootstrap)) {
    next if $path =~ m{^t/(data|sandbox/seed)/};
    my ($directory) = "$tree/$path" =~ m{^(.*)/};
    make_path($directory);
    copy(root() . "/$path", "$tree/$path") or die "$path: $!";
    chmod((stat root() . "/$path")[2] & 07777, "$tree/$path");
}

sub run_guard {
    my ($guard, %environment) = @_;
    local %ENV = (%ENV, EAS_SRCDIR => $tree, EAS_GUARD_ALL => 1, %environment);
    my $output = qx{'$^X' '$FindBin::Bin/$guard.t' 2>&1};
    return ($? >> 8, $output);
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>:raw', "$tree/$path" or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
}

my %clean;

# The guard must say what $expected matches once $change (of the file's text; undef: remove the file) is made.
sub breaks {
    my ($guard, $path, $change, $expected, $what) = @_;
    $clean{$guard} //= (run_guard($guard))[1];
    my $text = content($path);
    my $broken = $change->($text // '');
    my $mode = defined $text ? (stat "$tree/$path")[2] & 07777 : 0644;
    if (defined $broken) { write_file($path, $broken) } else { unlink "$tree/$path" }
    my ($status, $output) = run_guard($guard);
    if (defined $text) { write_file($path, $text); chmod $mode, "$tree/$path" } else { unlink "$tree/$path" }
    check "$guard: $what",
        (defined $broken && defined $text && $broken eq $text ? 'the change changed nothing' : ()),
        ($clean{$guard} =~ $expected ? 'it says so of the tree as it is' : ()),
        ($status == 0 ? 'the guard passed' : ()),
        ($output !~ $expected ? ('the guard did not say it:', grep { /^#|^not ok/ } split /\n/, $output) : ());
}

sub append { my ($more) = @_; return sub { $_[0] . $more } }
sub replace { my ($from, $to) = @_; return sub { my $text = $_[0]; $text =~ s/$from/$to/; $text } }
sub remove { return sub { undef } }

breaks('includes', 'mod_eas/store/lease.c', append("#include \"eas_wbxml.h\"\n"), qr/no arrow from store to wbxml/, 'an arrow sideways');
breaks('includes', 'mod_eas/util/buf.c', append("#include \"eas_sync.h\"\n"), qr/no arrow from util to sync/, 'an arrow up');
breaks('includes', 'mod_eas/wbxml/wbxml_reader.c', append("#include <httpd.h>\n"), qr/httpd\.h is not for wbxml/, 'an httpd header in a library room');
breaks('includes', 'mod_eas/sync/sync_key.c', append("#include <jansson.h>\n"), qr/jansson\.h is not for sync/, 'a foreign library in another room');
breaks('includes', 'mod_eas/command/dispatch.c', append("#include \"sync_priv.h\"\n"), qr/sync_priv\.h is private to sync/, 'a private header elsewhere');
breaks('includes', 'mod_eas/store/keep.c', append("#include \"eas_backend.h\"\n"), qr/eas_backend\.h is not for store/, 'a store that knows backends');
breaks('includes', 'include/eas_cache.h', append("#include \"eas_buf.h\"\n"), qr/no arrow from include to util/, 'a contract that knows a room');
breaks('includes', 'mod_eas/util/buf.c', append("#include <mystery.h>\n"), qr/mystery\.h is in no table/, 'a header nobody listed');
breaks('includes', 'mod_eas/sync/buf.c', append("/* SPDX-License-Identifier: Apache-2.0 */\n"), qr{sync/buf\.c and mod_eas/util/buf\.c}, 'a file name twice');

breaks('mappings', 'mod_eas/util/stray.c', append("int stray;\n"), qr{util/stray\.c is in no sources\.am}, 'a source in no list');
breaks('mappings', 't/unit/test_stray.c', append("int stray;\n"), qr{test_stray\.c is in no sources\.am}, 'a test that nobody runs');
breaks('mappings', 't/fuzz/fuzz_stray.c', append("int stray;\n"), qr{fuzz_stray\.c has none}, 'a fuzz target without corpus');
breaks('mappings', 'mod_eas/sync/sync_key.c', append("int x = EAS_AIRSYNC_SINCKEY;\n"), qr/sync_key\.c: EAS_AIRSYNC_SINCKEY/, 'a tag that does not exist');
breaks('mappings', 'include/eas_props.def', append("EAS_PROP(MAIL_SMELL, INT)\n"), qr/MAIL_SMELL is set by nobody/, 'a property nobody sets');
breaks('mappings', 'include/eas_props.def', append("EAS_PROP(MAIL_SMELL, INT)\n"), qr/MAIL_SMELL is read by nobody/, 'a property nobody reads');
breaks('mappings', 'include/eas_err.h', replace(qr/EAS_E_BAD_WBXML,/, 'EAS_E_BAD_WBXML, EAS_E_MOOD,'), qr/EAS_E_MOOD is converted nowhere/, 'an error kind without answer');
breaks('mappings', 'mod_eas/ox/ox_errors.def', append("OX_ERR(\"LGI-0001\", FORBIDDEN, 0)\n"), qr/LGI-0001 stands twice/, 'an OX code twice');
breaks('mappings', 'mod_eas/command/cmd_dance.c', append("int dance;\n"), qr/cmd_dance\.c is not/, 'a command in no table');
breaks('mappings', 'mod_eas/store/keep.c', append("int x(void) { return EAS_FAILPOINT(\"sleep" . ".walk\"); }\n"), qr/sleep\.walk is not/, 'a failure point without test');
breaks('mappings', 'mod_eas/ox/ox_mail.c', append("const char *q = \"action=fly&id=1\";\n"), qr/fly is not in facts\.py/, 'an action the sandbox does not know');

breaks('directives', 'mod_eas/httpd/eas_directives.def', append("EAS_DIRECTIVE(STRING, colour, \"EAS" . "Colour\", VHOST, \"\", 0, 0, \"Colour of the answers of this server.\")\n"), qr/EASColour/, 'a directive without documentation and use');
breaks('directives', 'docs/directives.md', append('EAS' . "Invented\n"), qr/EASInvented/, 'a document of a directive that is not there');
breaks('directives', 'mod_eas/httpd/eas_directives.def', replace(qr/"EASBackendConnections", VHOST, "64"/, '"EASBackendConnections", VHOST, "0"'), qr/EASBackendConnections: 0/, 'a default outside its limits');

breaks('generated', 'docs/directives.md', append("more\n"), qr{docs/directives\.md differs}, 'a generated file changed by hand');

breaks('style', 'mod_eas/util/buf.c', append('int ' . 'a' x 100 . ";\n"), qr/buf\.c:\d+: 105 columns/, 'a long line');
breaks('style', 'mod_eas/util/buf.c', append("int a;\t\n"), qr/buf\.c:\d+: a tab/, 'a tab');
breaks('style', 'mod_eas/util/buf.c', append("int a; \n"), qr/buf\.c:\d+: blank at the end/, 'a blank at the end');
breaks('style', 'mod_eas/util/buf.c', append("void f(char *a) { strcpy(a, \"b\"); }\n"), qr/buf\.c:\d+: strcpy/, 'an unsafe function');
breaks('style', 'mod_eas/util/buf.c', append('/* TO' . "DO */\n"), qr/buf\.c:\d+: says/, 'unfinished work');
breaks('style', 'mod_eas/util/buf.c', replace(qr/SPDX[^\n]*/, '*/'), qr/buf\.c does not/, 'a source without licence line');
breaks('style', 'mod_eas/util/buf.c', append("int a;\n" x 900), qr/buf\.c has \d+/, 'a file too long');
breaks('style', 'docs/testing.md', append("see $tree\n"), qr/docs\/testing\.md does/, 'a place of this machine');

breaks('licences', 'mod_eas/util/buf.c', append('/* SPDX-License-' . "Identifier: MIT */\n"), qr/buf\.c: MIT/, 'another licence');
breaks('licences', 'configure.ac', append("PKG_CHECK_MODULES([NEWLIB], [newlib])\n"), qr/NEWLIB is not in this table/, 'a library that NOTICE does not name');
breaks('licences', 'NOTICE', replace(qr/Jansson/, 'Jensson'), qr/Jansson is missing/, 'a library missing in NOTICE');

breaks('documents', 'docs/testing.md', append("[x](nowhere.md)\n"), qr/nowhere\.md/, 'a link to nowhere');
breaks('documents', 'docs/testing.md', append("see t/nowhere.py for it\n"), qr{t/nowhere\.py}, 'a file that is not there');
breaks('documents', 't/bench/bench.py', replace(qr/^FIGURES = \{/m, "FIGURES = {\n    \"park.cost\": (\"us\", 1.0),"), qr/park\.cost is missing/, 'a figure nobody explains');

# release.t looks at a built module: one that does everything wrong.
my $directory = tempdir(CLEANUP => 1);
write_file('bad.c', "#include <stdlib.h>\nint eas_module, eas_more; const char *f = \"EAS_FAILPOINT_FILE\";\n"
                    . "int eas_failpoint(const char *n) { return system(n); }\n");
my $compiler = $ENV{CC} || 'cc';
if (system("$compiler -shared -fPIC -fno-stack-protector -Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/nowhere -o $directory/bad.so $tree/bad.c 2>/dev/null")) {
    skip_one('release: a module that does everything wrong', "$compiler cannot build it");
} else {
    my ($status, $output) = run_guard('release', EAS_MODULE => "$directory/bad.so", EAS_BUILDDIR => $directory);
    check 'release: a module that does everything wrong', $status ? () : 'the guard passed',
        map { "no finding: $_" } grep { $output !~ /^not ok \d+ - \Q$_\E/m }
        'exports its module record', 'has no failure points', 'relocations are read-only', 'symbols are bound',
        'the stack is not executable', 'libraries are found', 'calls are checked', 'no unsafe function';
}
finish;
