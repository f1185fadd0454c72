# growth.pl FILE: FILE has lines "before BYTES" and "SERIES BYTES": shared memory
# that is mapped when there are so many series. It grows in steps; between the
# first and the last step each series took what the steps between them added.
use strict;
use warnings;

my ($file) = @ARGV;
my ($last, @steps);

open my $in, '<', $file or die "$file: $!";
while (<$in>)
{
	my ($series, $bytes) = split;

	push @steps, [ $series, $last ] if defined $last && $series ne 'before' && $bytes > $last;
	$last = $bytes;
}
die "$file: shared memory grew less than twice\n" if @steps < 3;
shift @steps;	# the first segment of all
my ($from, $to) = @steps[0, -1];
printf "idle %.1f\n", ($to->[1] - $from->[1]) / ($to->[0] - $from->[0]);
