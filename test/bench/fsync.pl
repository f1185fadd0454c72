# fsync.pl FILE: the median time of writing 8 kB over again and fsync, in ms.
use strict;
use warnings;
use IO::Handle;
use Time::HiRes qw(time);

my ($file) = @ARGV;
my @times;

open my $out, '>', $file or die "$file: $!";
for (1 .. 100)
{
	my $start = time;

	sysseek($out, 0, 0);
	syswrite($out, "x" x 8192) // die "$file: $!";
	$out->sync or die "$file: $!";
	push @times, (time - $start) * 1e3;
}
close $out;
unlink $file;
@times = sort { $a <=> $b } @times;
printf "%.2f\n", $times[@times / 2];
