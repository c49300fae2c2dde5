#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Licences: ours is Apache-2.0 everywhere, and NOTICE tells which libraries a build links.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my $licence = content('LICENSE') // '';
check 'LICENSE is the Apache License 2.0', $licence =~ /Apache License\s+Version 2\.0, January 2004/ ? () : 'it is not';

my @tags;
for my $path (files(qr{\.(c|h|def|py|pm|t|am|ac|sh|conf)$}, qw(mod_eas include tools t build conf.d)), 'configure.ac') {
    push @tags, map { "$path: $_" } grep { $_ ne 'Apache-2.0' }
        (content($path) // '') =~ /SPDX-License-Identifier: ([\w.+-]*\w)/g;
}
check 'no source has another licence', @tags;

my @foreign = grep { content($_) =~ /GNU (?:Lesser )?General Public License|All rights reserved/i }
    files(qr{\.(c|h|def|py|am)$}, qw(mod_eas include tools t));
check 'no text of another licence in a source', map { "$_ has one" } @foreign;

my $notice = content('NOTICE') // '';
my %LIBRARY = (APR => 'APR', OPENSSL => 'OpenSSL', ZLIB => 'zlib', CURL => 'libcurl', JANSSON => 'Jansson',
               GMIME => 'GMime', LIBXML => 'libxml2', LIBICAL => 'libical', WBXML => 'libwbxml', CMOCKA => 'cmocka');
my @used = (content('configure.ac') // '') =~ /PKG_CHECK_MODULES\(\[(\w+)\]/g;
check 'configure looks for libraries', @used ? () : 'no PKG_CHECK_MODULES found';
check 'NOTICE names every library that configure looks for', map {
    my $name = $LIBRARY{$_};
    !defined $name ? "$_ is not in this table" : $notice !~ /^\s*\Q$name\E\b.*\S/m ? "$name is missing" : ();
} @used;
check 'NOTICE names no library that is not used', map { "$LIBRARY{$_} is not used" }
    grep { my $key = $_; $notice =~ /^\s*\Q$LIBRARY{$key}\E\b/m && !grep { $_ eq $key } @used } sort keys %LIBRARY;
finish;
