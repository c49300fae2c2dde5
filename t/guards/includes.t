#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The walls of the house: which room may include which header, its own and foreign ones. Dependencies
# point down only; an arrow that is not in these tables fails here. docs/architecture.md says why.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

# room => rooms whose public headers (eas_*.h) it may include. util and the basic contracts: all.
my %ARROWS = (
    httpd    => [qw(ox store push command auth)],
    command  => [qw(class sync push protocol wbxml)],
    class    => [qw(wbxml)],
    protocol => [qw(wbxml)],
    wbxml    => [],
    sync     => [],
    push     => [],
    ox       => [],
    store    => [],
    auth     => [],
    util     => [],
);

# Contracts of include/ that know of backends and state: who may see them. The others are for all.
my %CONTRACTS = (
    'eas_backend.h' => [qw(httpd command sync ox auth)],
    'eas_store.h'   => [qw(httpd command sync store auth)],
);

# Foreign headers: pattern => rooms.
my @FOREIGN = (
    [qr{^(httpd|scoreboard|mpm_common|unixd)\.h$|^(http|ap|util|mod)_\w+\.h$}, [qw(httpd)]],
    [qr{^jansson\.h$},          [qw(ox)]],
    [qr{^curl/},                [qw(ox)]],
    [qr{^(gmime/|glib|gio/)},   [qw(class ox)]],
    [qr{^libxml/},              [qw(class ox)]],
    [qr{^libical/},             [qw(class ox)]],
    [qr{^openssl/},             [qw(util)]],
    [qr{^zlib\.h$},             [qw(util)]],
    [qr{^g?dbm},                [qw(store)]],
    [qr{^apr_dbm\.h$},          [qw(store)]],
    [qr{^apr(u)?[_\w]*\.h$},    [keys %ARROWS]],
    [qr{^(assert|ctype|dirent|errno|fcntl|float|iconv|inttypes|limits|math|poll|pthread|signal|stdarg|stdbool
          |stddef|stdint|stdio|stdlib|string|strings|time|unistd|wchar)\.h$}x, [keys %ARROWS]],
    [qr{^sys/(file|mman|select|socket|stat|statvfs|time|types|uio|wait)\.h$}, [keys %ARROWS]],
    [qr{^(arpa|netinet)/\w+\.h$}, [keys %ARROWS]],
    [qr{^linux/futex\.h$|^sys/syscall\.h$}, [qw(push)]],
);

my %GENERATED = ('eas_tags.h' => 'wbxml');
my @sources = files(qr{\.(c|h|def)$}, 'mod_eas', 'include');
my %home = %GENERATED;
for my $path (files(qr{\.(h|def)$}, 'mod_eas', 'include')) {
    my ($room, $name) = $path =~ m{^(?:mod_eas/)?([^/]+)/(?:.*/)?([^/]+)$};
    $home{$name} = $room;
}

my (@arrows, @contracts, @private, @foreign, @unknown);
for my $path (@sources) {
    my ($room) = $path =~ m{^(?:mod_eas/)?([^/]+)/};
    my $number = 0;
    if ($room ne 'include' && !$ARROWS{$room}) {
        push @unknown, "$path: the room $room is not in the table";
        next;
    }
    for my $line (split /\n/, without_comments(content($path))) {
        $number++;
        my ($sign, $name) = $line =~ /^\s*#\s*include\s*([<"])([^>"]+)/ or next;
        my $place = "$path:$number: $name";
        if ($sign eq '"') {
            my $to = $home{$name};
            next if $name eq 'eas_config.h';
            if (!defined $to) {
                push @unknown, "$place is no header of the house";
            } elsif ($to eq 'include') {
                my $seen_by = $CONTRACTS{$name};
                push @contracts, "$place is not for $room"
                    if $seen_by && $room ne 'include' && !grep { $_ eq $room } @$seen_by;
            } elsif ($to ne $room) {
                push @arrows, "$place: there is no arrow from $room to $to"
                    if $room eq 'include' || ($to ne 'util' && !grep { $_ eq $to } @{ $ARROWS{$room} });
                push @private, "$place is private to $to" if $name !~ /^eas_/;
            }
            next;
        }
        my ($rule) = grep { $name =~ $_->[0] } @FOREIGN;
        if (!$rule) {
            push @unknown, "$place is in no table";
        } elsif ($room eq 'include') {
            push @foreign, "$place: contracts know C and APR only" if $name !~ /^apr_/ && $name !~ /^std\w+\.h$/;
        } elsif (!grep { $_ eq $room } @{ $rule->[1] }) {
            push @foreign, "$place is not for $room";
        }
    }
}
check 'there are rooms to look at', @sources > 20 ? () : "only " . @sources . " sources found";
check 'rooms include only rooms below them', @arrows;
check 'backend and state are seen only where they are meant to be', @contracts;
check 'private headers stay in their room', @private;
check 'foreign libraries stay in the rooms they belong to', @foreign;
check 'every header is known', @unknown;

# An arrow back, over any number of rooms, would make one big room of them.
my @rings;
for my $start (sort keys %ARROWS) {
    my (%seen, @todo);
    @todo = @{ $ARROWS{$start} };
    while (defined(my $room = shift @todo)) {
        push @rings, "$start reaches itself" if $room eq $start && !$seen{$room};
        push @todo, @{ $ARROWS{$room} // [] } unless $seen{$room}++;
    }
}
check 'the arrows make no ring', @rings;

# A name tells where it is: base names of C and Python files are unique.
my %where;
for my $path (files(qr{\.(c|h|def|py|pm|t)$}, qw(mod_eas include tools t build))) {
    my ($name) = $path =~ m{([^/]+)$};
    my $key = $name =~ /^(.*)\.c$/ ? "$1.o" : $name;
    push @{ $where{$key} }, $path unless $name =~ /^__\w+__\.py$|^conftest\.py$/;
}
check 'file names are unique', map { join ' and ', @{ $where{$_} } } grep { @{ $where{$_} } > 1 } sort keys %where;

# The libraries never see httpd: what links into libeas is everything but the httpd room.
my @httpd_in_libeas = grep { /^libeas_la_SOURCES|nodist_libeas/ } lines('mod_eas/httpd/sources.am');
check 'the httpd room is not part of libeas', @httpd_in_libeas;
finish;
