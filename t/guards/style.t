#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What can be said about style without taste.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

my @TOP = qw(mod_eas include tools t build conf.d docs .ci);
my $MAX_COLUMNS = 100;
my $MAX_LINES = 800;
# The whole API of the sandbox, action by action; a whole world with its phone.
my %LONGER = ('t/e2e/test_sandbox_api.py' => 1300, 't/unit/sync_fixture.c' => 850);
my %FORBIDDEN = map { $_ => 1 } qw(strcpy strcat strncpy strncat sprintf vsprintf atoi atol atoll atof
                                   strtok gets scanf sscanf fscanf alloca system popen tmpnam mktemp);
# Written apart, so that this list does not find itself.
my @UNFINISHED = map { join '', @$_ } ['TO', 'DO'], ['FIX', 'ME'], ['XX', 'X'], ['for ', 'now'],
                                      ['place', 'holder'];

my @c = files(qr{\.(c|h|def)$}, qw(mod_eas include tools t));
my @python = files(qr{\.py$|/smoke\.t$}, qw(tools t build));
my @scripts = (files(qr{\.(t|pm|sh|am)$}, @TOP), files(qr{/(check|demo|run)$}, qw(build .ci)), 'bootstrap',
               'Makefile.am', 'configure.ac');
my %seen;
my @sources = grep { !$seen{$_}++ } @c, @python, @scripts;

sub each_line {
    my ($files, $judge) = @_;
    my @findings;
    for my $path (@$files) {
        my $number = 0;
        for my $line (lines($path)) {
            $number++;
            my $finding = $judge->($line, $path);
            push @findings, "$path:$number: $finding" if defined $finding;
        }
    }
    return @findings;
}

check 'there is something to look at', @c > 50 && @python > 20 && @scripts > 10 ? () : 'too few files found';

check "C lines have at most $MAX_COLUMNS columns", each_line(\@c, sub {
    my $text = $_[0];
    utf8::decode($text);
    return length $text > $MAX_COLUMNS ? length($text) . ' columns' : undef;
});

check 'no tabs in C and Python', each_line([@c, @python], sub { $_[0] =~ /\t/ ? 'a tab' : undef });
check 'no blanks at the end of lines', each_line(\@sources, sub { $_[0] =~ /[ \t\r]$/ ? 'blank at the end' : undef });
check 'files end with a newline', map { "$_ does not" } grep { length content($_) && content($_) !~ /\n\z/ } @sources;

check 'functions that cannot be used safely are not used', map {
    my $path = $_;
    my $number = 0;
    my @found;
    for my $line (split /\n/, without_comments(content($path))) {
        $number++;
        $line =~ s/"(?:[^"\\]|\\.)*"/""/g;
        while ($line =~ /(?<![\w.>])(\w+)\s*\(/g) {
            push @found, "$path:$number: $1" if $FORBIDDEN{$1};
        }
    }
    @found;
} @c;

my $unfinished = join '|', map { quotemeta } @UNFINISHED;
check 'nothing says that it is unfinished', each_line(
    [@sources, files(qr{\.(md|conf|txt)$}, @TOP), 'README'],
    sub { $_[0] =~ /(?<![A-Za-z])($unfinished)(?![A-Za-z])/ ? "says $1" : undef });

check 'every source names its licence at its beginning', map { "$_ does not" }
    grep { my $head = substr content($_), 0, 200; $head !~ /SPDX-License-Identifier:\sApache-2\.0/ }
    grep { length content($_) && !m{/sources\.am$} } @sources;

check "no file has more than $MAX_LINES lines", map {
    my $count = () = content($_) =~ /\n/g;
    my $most = $LONGER{$_} // $MAX_LINES;
    $count > $most ? "$_ has $count" : ();
} @sources;

check 'public headers have include guards named after them', map {
    my $path = $_;
    my ($name) = $path =~ m{([^/]+)\.h$};
    my $macro = uc $name . '_H';
    content($path) =~ /^#ifndef $macro\n#define $macro\n/m ? () : "$path has no $macro";
} files(qr{/eas_\w+\.h$}, qw(mod_eas include));

# Guards and tests are started by name.
check 'scripts are executable', map { "$_ is not" } grep { !-x root() . "/$_" }
    (files(qr{\.t$}, 't'), files(qr{/(check|demo|run)$}, qw(build .ci)), 'bootstrap');

# The tree must not know where it once lay.
my $here = root();
check 'no file names the place of this checkout', length $here < 6 ? () : map { "$_ does" }
    grep { my $text = content($_); defined $text && $text =~ m{\Q$here\E(?![\w-])} }
    grep { !m{^t/e2e/\.} } files(qr{.}, @TOP), 'README', 'Makefile.am', 'configure.ac';
finish;
