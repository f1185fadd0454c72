# latency.pl NAME TURN FILE...: from pgbench's logs of transactions, how long
# they took in microseconds, as lines "NAME_p50 VALUE TURN".
use strict;
use warnings;

my ($name, $turn, @files) = @ARGV;
my @times;

for my $file (@files)
{
	open my $in, '<', $file or die "$file: $!";
	while (<$in>)
	{
		push @times, (split ' ')[2];
	}
}
die "no transactions in the logs\n" if @times < 1000;
@times = sort { $a <=> $b } @times;
for my $what (50, 99, 99.9)
{
	print "${name}_p$what ", $times[$#times * $what / 100], " $turn\n";
}
print "${name}_max $times[-1] $turn\n";
