#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What people load into their httpd: mod_eas.so as built. EAS_BUILDDIR is the build, EAS_MODULE another file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my $so = $ENV{EAS_MODULE} || (builddir() // root()) . '/mod_eas/.libs/mod_eas.so';
skip_all("$so is not built") if !-f $so;
my $config = content((builddir() // root()) . '/eas_config.h') // '';
my $debug = $config =~ /^#define EAS_(FAILPOINTS|SANITIZERS)\b/m;

sub output {
    open my $pipe, '-|', @_ or die "$_[0]: $!";
    local $/;
    my $text = <$pipe> // '';
    close $pipe or die "$_[0] failed";
    return $text;
}

my @exported = map { (split)[-1] } grep { / [A-TV-Z] / && !/ [Aw] / } split /\n/, output('nm', '-D', '--defined-only', $so);
check 'exports its module record and nothing else', "@exported" eq 'eas_module' ? () : "exports @exported";

my $symbols = output('nm', $so);
my @failpoints = $symbols =~ /\b(eas_failpoint\w*)/g;
my $bytes = content($so);
push @failpoints, 'EAS_FAILPOINT_FILE' if index($bytes, 'EAS_FAILPOINT_FILE') >= 0;
if ($debug) {
    skip_one('has no failure points', 'a build for tests');
} else {
    check 'has no failure points', @failpoints;
}

my $segments = output('readelf', '-W', '-l', $so);
my $dynamic = output('readelf', '-W', '-d', $so);
check 'relocations are read-only after start', $segments =~ /GNU_RELRO/ ? () : 'no GNU_RELRO';
check 'symbols are bound at start', $dynamic =~ /BIND_NOW|\bNOW\b/ ? () : 'neither BIND_NOW nor NOW';
check 'the stack is not executable', $segments =~ /GNU_STACK.*\bRW\s/ ? () : 'GNU_STACK is not RW';
check 'no segment is writable and executable', $segments =~ /LOAD.*\bRWE\b/ ? 'RWE' : ();
check 'no text relocations', $dynamic =~ /TEXTREL/ ? 'TEXTREL' : ();
check 'libraries are found where the system keeps them', $dynamic =~ /\(R(UN)?PATH\)/ ? 'RPATH' : ();

my $wanted = output('nm', '-D', '--undefined-only', $so);
if ($debug) {
    skip_one('calls are checked by the C library', 'a build for tests');
} else {
    check 'calls are checked by the C library', (map { "no $_" }
        grep { $wanted !~ /\b\Q$_\E\b/ } '__stack_chk_fail'), $wanted =~ /\b__\w+_chk\b/ ? () : 'no __*_chk';
}
check 'no unsafe function is linked', $wanted =~ /\b(strcpy|strcat|sprintf|vsprintf|atoi|strtok|gets|system|popen)(?:@|\s)/ ? "$1" : ();

my @NEEDED = qw(libapr-1 libaprutil-1 libc libcrypto libcurl libglib-2.0 libgmime-3.0 libgobject-2.0 libjansson libpthread
                libm libuuid libcrypt libexpat libxml2 libz);
my %known = map { $_ => 1 } @NEEDED;
my @needed = $dynamic =~ /\(NEEDED\).*\[(\S+?)\.so/g;
check 'links the libraries it is known to use', map { "links $_" }
    grep { !$known{$_} && !($debug && /^lib(asan|ubsan)$/) } @needed;
check 'has libraries at all', @needed > 4 ? () : "links only @needed";
finish;
