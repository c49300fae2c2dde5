#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Directives: eas_directives.def is the list; documentation, the annotated configuration and the code
# name the same ones, no more and no less.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my $def = content('mod_eas/httpd/eas_directives.def') // '';
my $docs = content('docs/directives.md') // '';
my $conf = content('conf.d/eas.conf') // '';
(my $rows = without_comments($def)) =~ s/"\s*\n\s*"//g;

# type, field, name, scope, default, low, high, text
my (%row, @order, @twice);
while ($rows =~ /EAS_DIRECTIVE\((\w+),\s*(\w+),\s*"(EAS\w+)",\s*(\w+),\s*"((?:[^"\\]|\\.)*)",\s*([^,]+),\s*([^,]+),\s*"((?:[^"\\]|\\.)*)"\s*\)/g) {
    my $name = $3;
    push @twice, $name if $row{$name} || grep { $_->{field} eq $2 } values %row;
    push @order, $name;
    my ($default, $text) = ($5, $8);
    s/\\(.)/$1/g for $default, $text;
    $row{$name} = { type => $1, field => $2, scope => $4, default => $default, low => $6, high => $7, text => $text };
}
my $count = () = $rows =~ /^EAS_DIRECTIVE\(/mg;
check 'the list can be read whole', @order && @order == $count ? () : @order . " of $count rows";
check 'every directive and every field stands once', @twice;
check 'scopes are known', grep { $row{$_}{scope} !~ /^(SERVER|VHOST)$/ } @order;
check 'every directive is explained in whole sentences', map { "$_: \"$row{$_}{text}\"" }
    grep { length $row{$_}{text} < 12 || $row{$_}{text} !~ /^[A-Z0-9].*\.$/ } @order;

my %UNIT = ('' => 1, K => 1 << 10, M => 1 << 20, G => 1 << 30, s => 1, m => 60, min => 60, h => 3600, d => 86400);
check 'defaults are within their own limits', map {
    my $row = $row{$_};
    my ($number, $unit) = $row->{default} =~ /^(\d+)(K|M|G|s|m|min|h|d|)$/;
    $row->{type} !~ /^(INTEGER|SIZE|TIME)$/ || $row->{default} eq '' ? ()
        : !defined $number ? "$_: default \"$row->{default}\" is no number"
        : $number * $UNIT{$unit} < $row->{low} || $number * $UNIT{$unit} > $row->{high} ? "$_: $row->{default}"
        : ();
} @order;

# A test of the configuration needs one that is not there.
my $INVENTED = 'EASNoSuchDirective';

sub missing { my ($text) = @_; return grep { $text !~ /\b$_\b/ } @order }
sub invented {
    my ($path) = @_;
    my %seen;
    return map { "$path: $_" } grep { !$row{$_} && $_ ne $INVENTED && !$seen{$_}++ }
        (content($path) // '') =~ /\b(EAS[A-Z][a-z]\w+)/g;
}
check 'docs/directives.md names every directive', missing($docs);
check 'docs/directives.md holds what the list says of each',
    grep { my $flat = $docs =~ s/\s+/ /gr; my $help = $row{$_}{text} =~ s/\s+/ /gr;
           my $plain = $flat =~ s/\\([|_*<>])/$1/gr;
           index($flat, $help) < 0 && index($plain, $help) < 0 } @order;
check 'conf.d/eas.conf shows every directive', missing($conf);
check 'no document names a directive that does not exist', map { invented($_) }
    'conf.d/eas.conf', 'README', files(qr{\.md$}, 'docs');
check 'the end-to-end tests set no directive that does not exist', map { invented($_) } files(qr{/(test|harness|demo)_\w+\.py$}, 't/e2e');

# A value in eas.conf that is commented out is the default.
check 'what eas.conf shows commented out is the default', map {
    my ($name, $value) = @$_;
    my $row = $row{$name};
    $value =~ s/^"(.*)"$/$1/;
    !$row || $row->{default} eq '' || lc $value eq lc $row->{default} ? () : "$name: $value, not $row->{default}";
} map { /^\s*#\s?(EAS[A-Z]\w+)\s+(\S.*?)\s*$/ ? [$1, $2] : () } split /\n/, $conf;

my $code = join '', map { without_comments(content($_)) } files(qr{\.[ch]$}, 'mod_eas/httpd');
check 'the code uses every directive', grep { $code !~ /(?:->|\.)\s*$row{$_}{field}\b/ } @order;
finish;
