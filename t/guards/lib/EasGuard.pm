# SPDX-License-Identifier: Apache-2.0
# What all guards need: the tree to look at, its files, and a finding as a failed test with its place.
#
#     use EasGuard;
#     my @sources = files(qr{\.[ch]$}, 'mod_eas', 'include');
#     check 'no tabs', map { ... "$file:$line: what is wrong" } @sources;
#     finish;
#
# The tree is EAS_SRCDIR, else the one that the guard lies in. t/guards/selftest.t runs each guard on
# copies that are broken on purpose.
package EasGuard;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find qw(find);

our @EXPORT = qw(root builddir files content lines check skip_all skip_one finish without_comments);

my $root = $ENV{EAS_SRCDIR} || dirname(abs_path($0)) . '/../..';
my ($number, $bad) = (0, 0);
my %cache;
$| = 1;

sub root { return $root }
sub builddir { return $ENV{EAS_BUILDDIR} }

# Paths relative to the root, sorted. What a build or Python leaves behind is not looked at.
sub files {
    my ($pattern, @below) = @_;
    my @found;
    for my $below (@below) {
        next if !-e "$root/$below";
        find({ no_chdir => 1, wanted => sub {
            my $path = substr $_, length($root) + 1;
            if (-d && $path =~ m{(^|/)(\.git|\.libs|\.deps|__pycache__|\.pytest_cache|_build[^/]*|_demo-build|autom4te\.cache)$}) {
                $File::Find::prune = 1;
                return;
            }
            push @found, $path if -f && $path =~ $pattern && $path !~ m{^build/(aux|m4)/};
        } }, "$root/$below");
    }
    my %seen;
    return sort grep { !$seen{$_}++ } @found;
}

sub content {
    my ($path) = @_;
    if (!exists $cache{$path}) {
        my $file;
        if (open $file, '<:raw', $path =~ m{^/} ? $path : "$root/$path") {
            local $/;
            $cache{$path} = <$file> // '';
        } else {
            $cache{$path} = undef;
        }
    }
    return $cache{$path};
}

sub lines {
    my ($path) = @_;
    return split /\n/, content($path) // '', -1;
}

# C text in which comments are blanks, so that places and line numbers stay.
sub without_comments {
    my ($text) = @_;
    $text =~ s{("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(/\*.*?\*/|//[^\n]*)}
              {defined $1 ? $1 : do { (my $blank = $2) =~ s/[^\n]/ /g; $blank }}gse;
    return $text;
}

# One test: passes when there are no findings.
sub check {
    my ($what, @findings) = @_;
    $number++;
    $bad++ if @findings;
    print @findings ? "not ok $number - $what\n" : "ok $number - $what\n";
    my $most = $ENV{EAS_GUARD_ALL} ? @findings : 40;
    my @shown = @findings > $most ? (@findings[0 .. $most - 1], '... and ' . (@findings - $most) . ' more') : @findings;
    print "# $_\n" for @shown;
}

sub skip_one {
    my ($what, $why) = @_;
    $number++;
    print "ok $number - $what # SKIP $why\n";
}

sub skip_all {
    print "1..0 # SKIP $_[0]\n";
    exit 0;
}

sub finish {
    print "1..$number\n";
    exit($bad ? 1 : 0);
}

1;
