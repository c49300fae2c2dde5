#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Tables that have two sides: what one side names, the other must know. A row that only one side has is
# either a hole or dead weight.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use EasGuard;

sub code { return map { [$_, without_comments(content($_))] } files(qr{\.[ch]$}, @_) }

my @house = code(qw(mod_eas include));
my @tests = map { [$_, content($_)] } files(qr{\.(c|h|py|pm|t)$}, 't');

# --- sources: what nobody builds is not tested --------------------------------------------------------
my $lists = join "\n", map { content($_) // '' } 'Makefile.am', files(qr{sources\.am$}, qw(mod_eas tools t));
check 'every source file of the house is in a list', map { "$_ is in no sources.am" }
    grep { $lists !~ m{(?<![\w/])\Q$_\E(?![\w.])} } files(qr{\.(c|h|def)$}, qw(mod_eas include));
check 'every unit program and fuzz target is built and run', map { "$_ is in no sources.am" }
    grep { my ($program) = /^(.*)\.c$/; $lists !~ m{(unit|fuzz)_programs \+=(?:[^\n]*\\\n)*[^\n]*(?<![\w/])\Q$program\E(?![\w.])} }
    files(qr{/(test|fuzz)_\w+\.c$}, 't');
check 'every fuzz target has a corpus', map { "$_ has none" }
    grep { my ($name) = m{fuzz_(\w+)\.c$}; !grep { $_ } files(qr{/\Q$name\E/[^/]+$}, "t/fuzz/corpus/$name") }
    files(qr{/fuzz_\w+\.c$}, 't/fuzz');

# --- WBXML tags ---------------------------------------------------------------------------------------
my (%page, %tag);
for my $line (lines('build/codepages.tsv')) {
    next if $line =~ /^(#|page\t)/;
    my (undef, $name, undef, $tag) = split /\t/, $line;
    next if !defined $tag;
    $page{uc $name} = 1;
    $tag{ uc "EAS_${name}_$tag" } = 1;
}
check 'the code pages are there', keys %tag > 500 ? () : 'only ' . keys(%tag) . ' tags';
my $pages = join '|', sort { length $b <=> length $a } keys %page;
my %constant = map { $_ => 1 } map { $_->[1] =~ /\b(EAS_[A-Z0-9_]+)\b/g } grep { $_->[0] =~ /\.h$/ } @house;
check 'tags that the code names exist', map {
    my ($path, $text) = @$_;
    map { "$path: $_" } grep { !$tag{$_} && !$constant{$_} }
        $text =~ /\b(EAS_(?:$pages)_[A-Z0-9_]+)\b/g;
} grep { $_->[0] =~ /\.c$/ } @house;

# --- properties of items: one room sets them, another reads them ------------------------------------
my @props = (content('include/eas_props.def') // '') =~ /^EAS_PROP\((\w+),/mg;
check 'there are properties', @props ? () : 'eas_props.def has none';
my (%set, %read, %named);
for my $entry (@house) {
    my ($path, $text) = @$entry;
    next if $path =~ m{^(include|mod_eas/util)/};
    my ($room) = $path =~ m{^mod_eas/([^/]+)/};
    # The client of the API has helpers put_*() that set; those of a class write to the phone.
    my $setter = $room eq 'ox' ? qr/eas_item_set_\w+|put_\w+/ : qr/eas_item_set_\w+/;
    $set{$1}{$room} = 1 while $text =~ /\b$setter\s*\([^;]*?\bEAS_P_(\w+)\b/g;
    # The backend gives; whoever names a property above it without setting it, reads it.
    (my $rest = $text) =~ s/\beas_item_set_\w+\s*\(\s*[\w>.-]+\s*,\s*EAS_P_\w+//g;
    my @mentions = $rest =~ /\bEAS_P_(\w+)\b/g;
    $read{$_} = 1 for $room eq 'ox' ? () : @mentions;
    $named{$_} = 1 for @mentions;
}
# Bodies are put through a variable that holds either property.
my %INDIRECT = map { $_ => 1 } qw(MAIL_TEXT MAIL_HTML MAIL_TEXT_CUT MAIL_HTML_CUT);
check 'every property is set by some room', map { "$_ is set by nobody" }
    grep { !$set{$_} && !($INDIRECT{$_} && $named{$_}) } @props;
# What a backend knows and nobody above it needs, with the reason.
my %UNREAD = (
    MAIL_LABEL => 'no field of the protocol shows a colour',
);
check 'every property is read above the backend', map { "$_ is read by nobody" }
    grep { !$UNREAD{$_} && !$read{$_} } @props;
check 'exceptions are still needed', map { "$_ is read, or no property" }
    grep { my $name = $_; $read{$name} || !grep { $_ eq $name } @props } sort keys %UNREAD;

# --- error kinds: built below, converted above ------------------------------------------------------
my ($kinds) = (content('include/eas_err.h') // '') =~ /typedef enum eas_kind_t \{(.*?)\} eas_kind_t;/s;
my @kinds = without_comments($kinds // '') =~ /\b(EAS_E_\w+)/g;
my $converters = join '', map { $_->[1] } grep { $_->[0] =~ m{^mod_eas/(protocol|command|httpd|auth|sync)/} } @house;
check 'there are error kinds', @kinds > 10 ? () : 'too few kinds found';
check 'every error kind has its answer', map { "$_ is converted nowhere" } grep { $converters !~ /\b$_\b/ } @kinds;
my @rows = (content('mod_eas/ox/ox_errors.def') // '') =~ /^OX_ERR\("([A-Z]+-\d{4,5})", (\w+),/mg;
my (%code, @rows_bad);
while (my ($code, $kind) = splice @rows, 0, 2) {
    push @rows_bad, "$code stands twice" if $code{$code}++;
    push @rows_bad, "$code: no kind $kind" if !grep { $_ eq "EAS_E_$kind" } @kinds;
}
check 'OX error codes stand once and have a kind', %code ? () : 'no rows found', @rows_bad;

# --- commands ---------------------------------------------------------------------------------------
my $dispatch = content('mod_eas/command/dispatch.c') // '';
my @commands = $dispatch =~ /\[EAS_CMD_(\w+)\] = \{cmd_/g;
my $table = content('mod_eas/protocol/proto_command.c') // '';
check 'there are commands', @commands ? () : 'the table has none';
check 'every command has a file of its own and a row in the protocol', map {
    my $name = lc $_;
    (defined content("mod_eas/command/cmd_$name.c") ? () : "no cmd_$name.c",
     $table =~ /\[EAS_CMD_$_\]/ ? () : "$_ is not in proto_command.c");
} @commands;
check 'every file of a command is in the table', map { "$_ is not" }
    grep { my ($name) = m{cmd_([a-z]+)\.c$}; defined $name && !grep { lc $_ eq $name } @commands }
    files(qr{/cmd_[a-z]+\.c$}, 'mod_eas/command');

# --- failure points: named in the code, used by tests ------------------------------------------------
my %point;
for my $entry (@house) {
    $point{$_}++ for $entry->[1] =~ /EAS_FAILPOINT\("([^"]+)"\)/g;
}
check 'failure points have names of their own', map { "$_ stands $point{$_} times" } grep { $point{$_} > 1 } sort keys %point;
check 'failure points are named room.what', map { "$_ is not" } grep { !/^[a-z]+\.[a-z_]+$/ } sort keys %point;
my $used = join "\n", map { $_->[1] } @tests;
check 'every failure point is used by a test', map { "$_ is not" }
    grep { my ($room) = /^(\w+)\./; $used !~ /\Q$_\E|EAS_FAILPOINT\\\("\(\Q$room\E\\\./ } sort keys %point;

# --- the API of Open-Xchange: what the client calls, the sandbox knows -------------------------------
my $ox = join '', map { $_->[1] } grep { $_->[0] =~ m{^mod_eas/ox/} } @house;
my $facts = content('t/sandbox/facts.py') // '';
my %called = map { $_ => 1 } ($ox =~ /action=(\w+)/g, $ox =~ /\\"action\\":\\"(\w+)\\"/g);
check 'the client calls the API', keys %called > 5 ? () : 'too few actions found';
check 'the sandbox knows every action that the client calls', map { "$_ is not in facts.py" }
    grep { $facts !~ /^\s+"\Q$_\E": _act\(/m } sort keys %called;
my %column = map { $_ => 1 } map { split /%2C|,/ } $ox =~ /columns=([\d%C,]+)/g, $ox =~ /COLUMNS(?:_CODED)? "([\d%C,]+)"/g;
check 'the sandbox knows every column that the client asks for', map { "$_ is not in facts.py" }
    grep { $facts !~ /\b$_:/ } sort { $a <=> $b } keys %column;
finish;
