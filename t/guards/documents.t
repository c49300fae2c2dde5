#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Documents: links lead somewhere, files that are named exist, suites and figures are the real ones.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my @documents = grep { defined content($_) } 'README', 'docs/testing.md', files(qr{\.md$}, qw(docs t/sandbox tools));
my %seen;
@documents = grep { !$seen{$_}++ } @documents;
check 'there are documents', @documents > 5 ? () : 'too few found';

my @links;
for my $path (@documents) {
    my ($directory) = $path =~ m{^(.*)/[^/]+$};
    for my $link (content($path) =~ /\]\(([^)#\s]+)(?:#[^)]*)?\)/g) {
        next if $link =~ m{^[a-z]+:};
        my $target = defined $directory ? "$directory/$link" : $link;
        1 while $target =~ s{[^/]+/\.\./}{};
        push @links, "$path: $link" if !-e root() . "/$target";
    }
}
check 'links lead to a file', @links;

# Names like t/guards/style.t or `build/check`, without patterns.
my @named;
for my $path (@documents) {
    for my $name (content($path) =~ m{(?<![\w./<*-])((?:build|conf\.d|docs|include|mod_eas|t|tools)/[\w./-]*\w)(?![\w/<*]|-?\w)}g) {
        next if $name =~ m{\.libs|\.so$|^build/(aux|m4)};
        next if -e root() . "/$name" || -e root() . "/$name.c";
        push @named, "$path: $name";
    }
}
check 'files that are named exist', @named;

my $check = content('build/check') // '';
my ($table) = $check =~ /^table="(.*?)"$/ms;
my @suites = ($table // '') =~ /^\s+(\w+)\s+\w/mg;
my $testing = content('docs/testing.md') // '';
check 'build/check has suites', @suites > 5 ? () : 'none found';
check 'docs/testing.md names every suite', map { "$_ is missing" } grep { $testing !~ /`\Q$_\E`/ && !/_short$/ } @suites;
check 'docs/testing.md names every guard', map { "$_ is missing" }
    grep { $testing !~ /`\Q$_\E`/ && $_ ne 'selftest.t' } map { m{([^/]+)$} } files(qr{\.t$}, 't/guards');

my ($figures) = (content('t/bench/bench.py') // '') =~ /^FIGURES = \{(.*?)^\}/ms;
my @figures = ($figures // '') =~ /^\s+"([\w.]+)":/mg;
my $benchmarks = content('docs/benchmarks.md') // '';
check 'there are figures', @figures > 10 ? () : 'none found';
check 'docs/benchmarks.md explains every figure', map { "$_ is missing" } grep {
    my $name = $_;
    (my $short = $name) =~ s/_(calls|linearity)$//;
    (my $pattern = $short) =~ s/_\d+$/_<n>/;
    $benchmarks !~ /`\Q$name\E`/ && $benchmarks !~ /`(?:\Q$short\E|\Q$pattern\E)`(?:.*\|)?/;
} @figures;
finish;
