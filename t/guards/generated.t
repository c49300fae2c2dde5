#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Committed files that a generator made are what it makes today; and the generators of files that a
# build makes still run.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my $python = $ENV{PYTHON3} || 'python3';
my $root = root();
my $directory = tempdir(CLEANUP => 1);

# generator and its arguments (OUT: the file it writes) => committed file, or undef when a build makes it
my @GENERATED = (
    [['build/gen_tags.py', 'header', 'build/codepages.tsv', 'OUT'], undef],
    [['build/gen_tags.py', 'table', 'build/codepages.tsv', 'OUT'], undef],
    [['build/gen_directives.py', 'mod_eas/httpd/eas_directives.def', 'OUT'], 'docs/directives.md'],
);

my %listed = map { $_->[0][0] => 1 } @GENERATED;
check 'every generator is in this list', map { "$_ is not" } grep { !$listed{$_} } files(qr{/gen_\w+\.py$}, 'build');

my $number = 0;
for my $entry (@GENERATED) {
    my ($command, $committed) = @$entry;
    my $out = "$directory/" . $number++;
    my @words = map { $_ eq 'OUT' ? $out : -e "$root/$_" ? "$root/$_" : $_ } @$command;
    my $text = defined content($command->[0]) && system($python, '-B', @words) == 0 ? content($out) : undef;
    my $what = "@$command[0 .. $#$command - 1]";
    if (!defined $text || !length $text) {
        check "$what runs", 'it made nothing' . (defined $committed ? " for $committed" : '');
    } elsif (!defined $committed) {
        check "$what runs";
    } else {
        check "$committed is what $what makes", $text eq (content($committed) // '') ? () : "$committed differs";
    }
}
finish;
