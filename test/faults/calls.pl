# Makes of the list `calls` what faults.h includes, and prints which of them have
# failed, for test/faults.sh.
#
#   calls.pl headers SOURCE...            headers of the server, for faults_headers.h
#   calls.pl define CALLS                 the redefined names, for faults_calls.h
#   calls.pl missing CALLS <SYMBOLS       prints which of the symbols are not listed
#   calls.pl report FILE                  prints the figures that faults.pl has written

use strict;
use warnings;

my ($what, @files) = @ARGV;

# Words of the list, by the lines' first words
sub read_calls
{
	my ($file) = @_;
	my @calls;

	open(my $in, '<', $file) or die "$file: $!";
	while (<$in>)
	{
		s/#.*//;
		my ($how, @names) = split or next;
		my $value = $how =~ /^refuse/ ? shift @names : undef;

		die "$file:$.: what is \"$how\"?\n" if $how !~ /^(memory|io|lock|error|special|safe|refuse(\+(memory|io|lock))?)\z/;
		push @calls, map { [ $_, $how, $value ] } @names;
	}
	close($in) or die $!;
	return @calls;
}

# A place as people read it
sub shown
{
	my ($file, $line, $call) = split(/:/, $_[0]);

	return "$call ($file:$line)";
}

sub report
{
	my (%all, %failed, %lost);
	my ($turns, $raised, $kinds, $lost) = (0, 0, 0, 0);

	open(my $in, '<', $_[0]) or die "$_[0]: $!";
	while (<$in>)
	{
		chomp;
		my ($what, @words) = split(/ /);

		$all{ $words[0] } = 1 if $what eq 'place';
		$failed{ $words[0] } = 1 if $what eq 'failed';
		$lost{ shown($words[0]) } = 1 if $what eq 'lost';
		next if $what ne 'turns';
		$kinds++;
		$turns += $words[0];
		$raised += $words[1];
		$lost += $words[2];
	}
	close($in);
	my @never = map { shown($_) } sort grep { !$failed{$_} } keys %all;
	my $text = sprintf("%d of %d places in the source have failed", keys(%all) - @never, scalar(keys %all));

	$text .= '; not these: ' . join(', ', @never) if @never && ($ENV{FAULTS_KINDS} // '') eq '';
	foreach (
		sprintf('%d kinds of statements and faults, %d calls failed, %d errors raised', $kinds, $turns, $raised),
		"$lost codes lost, where that is allowed" . ($lost ? ', by ' . join(', ', sort keys %lost) : ''), $text)
	{
		print s/(.{1,118})(?: |\z)/$1\n/gr;
	}
	return;
}

if ($what eq 'report')
{
	report($files[0]);
}
elsif ($what eq 'headers')
{
	my %own = map { m{.*/src/(.+)\z} ? ($1 => 1) : () } @files;
	my %headers;

	foreach my $file (@files)
	{
		open(my $in, '<', $file) or die "$file: $!";
		while (<$in>)
		{
			$headers{$1} = 1 if /^#include ("[^"]+"|<[^>]+>)/;
		}
		close($in) or die $!;
	}
	# a template, which is included with parameters
	delete $headers{'"lib/simplehash.h"'};
	foreach my $header (sort keys %headers)
	{
		next if $header =~ /^"(.*)"\z/ && $own{$1};
		print "#if __has_include($header)\n#include $header\n#endif\n";
	}
}
elsif ($what eq 'define')
{
	my %fault = (memory => 'FAULT_MEMORY', io => 'FAULT_IO', lock => 'FAULT_LOCK', error => 'FAULT_ANY');

	foreach (read_calls($files[0]))
	{
		my ($name, $how, $value) = @$_;

		if ($how =~ /^refuse(?:\+(.*))?/)
		{
			my $faults = join(' | ', 'FAULT_REFUSE', $1 ? $fault{$1} : ());

			print "#define $name(...) (FAULTS_REFUSED(\"$name\", $faults) ? $value : $name(__VA_ARGS__))\n";
		}
		elsif ($fault{$how})
		{
			print "#define $name(...) (FAULTS_ERROR(\"$name\", $fault{$how}), $name(__VA_ARGS__))\n";
		}
	}
}
else
{
	my %known = map { $_->[0] => 1 } read_calls($files[0]);

	while (<STDIN>)
	{
		my ($symbol) = /\bU (\w+)/ or next;
		print "$symbol\n" unless $known{$symbol};
	}
}
