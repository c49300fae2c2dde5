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

my (%row, @order, @twice);
while ($rows =~ /EAS_DIRECTIVE\((\w+),\s*(\w+),\s*(\w+),\s*"((?:[^"\\]|\\.)*)",\s*([^,]+),\s*([^,]+),\s*"((?:[^"\\]|\\.)*)"\)/g) {
    push @twice, "EAS$1" if $row{$1};
    push @order, $1;
    my ($default, $help) = ($4, $7);
    s/\\(.)/$1/g for $default, $help;
    $row{$1} = { kind => $2, scope => $3, default => $default, least => $5, most => $6, help => $help };
}
my $count = () = $rows =~ /^EAS_DIRECTIVE\(/mg;
check 'the list can be read whole', @order && @order == $count ? () : @order . " of $count rows";
check 'every directive stands once', @twice;

my %KIND = map { $_ => 1 } qw(TEXT INT SIZE SECS FLAG VERSION URL TRACE);
my %SCOPE = map { $_ => 1 } qw(SERVER VHOST);
check 'kinds and scopes are known', map { "EAS$_" } grep { !$KIND{ $row{$_}{kind} } || !$SCOPE{ $row{$_}{scope} } } @order;
check 'every directive is explained in whole sentences', map { "EAS$_: \"$row{$_}{help}\"" }
    grep { length $row{$_}{help} < 20 || $row{$_}{help} !~ /^[A-Z].*\.$/ } @order;

my %UNIT = (K => 1 << 10, M => 1 << 20, G => 1 << 30);
check 'defaults are within their own limits', map {
    my $row = $row{$_};
    my ($number, $unit) = $row->{default} =~ /^(\d+)([KMG]?)$/;
    $row->{kind} !~ /^(INT|SIZE|SECS)$/ ? ()
        : !defined $number ? "EAS$_: default \"$row->{default}\" is no number"
        : $number * ($UNIT{$unit} // 1) < $row->{least} || $number * ($UNIT{$unit} // 1) > $row->{most} ? "EAS$_: $row->{default}"
        : ();
} @order;

sub missing { my ($text) = @_; return map { "EAS$_" } grep { $text !~ /\bEAS$_\b/ } @order }
sub invented {
    my ($path) = @_;
    my %seen;
    return map { "$path: EAS$_" } grep { !$row{$_} && !$seen{$_}++ } (content($path) // '') =~ /\bEAS([A-Z][a-z]\w+)/g;
}
# Names of programs and words that only look like directives.
check 'docs/directives.md names every directive', missing($docs);
check 'docs/directives.md holds what the list says of each', map { "EAS$_" }
    grep { my $flat = $docs =~ s/\s+/ /gr; my $help = $row{$_}{help} =~ s/\s+/ /gr;
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
    !$row || $row->{default} eq '' || lc $value eq lc $row->{default} ? () : "EAS$name: $value, not $row->{default}";
} map { /^\s*#\s?EAS([A-Z]\w+)\s+(\S.*?)\s*$/ ? [$1, $2] : () } split /\n/, $conf;

my $code = join '', map { without_comments(content($_)) } files(qr{\.[ch]$}, 'mod_eas/httpd');
check 'the code uses every directive', map { "EAS$_" }
    grep { $code !~ /\bEAS_(?:TEXT|NUM)\s*\([^()]*,\s*$_\s*\)|\bEAS_D_$_\b/ } @order;
finish;
