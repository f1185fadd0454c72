# Takes the reports out of valgrind's logs. Called by test/valgrind.sh:
#
#   perl valgrind.pl OUTPUT PATTERN LOG...
#
# Writes those whose text matches PATTERN, each different one once, to OUTPUT, those
# with coderring in their stack first, and prints how many there are.

use strict;
use warnings;

my ($output, $pattern, @logs) = @ARGV;
my (%count, %text);

# keep(LINES): a report is what begins with a sentence and goes on with a stack.
sub keep
{
	my ($report) = @_;
	my $key = $report;

	return unless $report =~ /^ +(?:at|by) 0x/m && $report =~ /$pattern/;
	# the same report of another process has other addresses
	$key =~ s/0x[0-9A-Fa-f]+//g;
	$text{$key} //= $report;
	$count{$key}++;
	return;
}

foreach my $log (@logs)
{
	next unless -s $log;
	open(my $in, '<', $log) or die "$log: $!\n";
	my $report = '';

	while (my $line = <$in>)
	{
		# the suppression that valgrind suggests follows its report
		if ($line =~ s/^==\d+== ?//)
		{
			if ($line =~ /^\s*$/)
			{
				keep($report) unless $report =~ /\n\s*$/ && $report eq '';
				$report = '';
			}
			else
			{
				# what memory it was, and where it was made, belongs to it
				$report .= $line;
			}
		}
		elsif ($line =~ /^\{/)
		{
			keep($report);
			$report = '';
		}
	}
	keep($report);
	close $in;
}

my @keys = sort {
	($text{$b} =~ /coderring/) <=> ($text{$a} =~ /coderring/) || $a cmp $b
} keys %count;

open(my $out, '>', $output) or die "$output: $!\n";
foreach my $key (@keys)
{
	my $ours = $text{$key} =~ m{coderring\.so|/build/src/\w+\.c} ? 'coderring' : 'the server';

	print $out "--- $ours, $count{$key} times\n$text{$key}\n";
}
close $out;
print scalar(@keys), "\n";
