# first.pl FILE COMMAND...: runs the command, passes on what it prints, and writes to
# FILE when the first code from a column's default came.

use strict;
use warnings;
use Time::HiRes;

my ($file, @command) = @ARGV;

$| = 1;
open(my $output, '-|', @command) or die "$command[0]: $!";
while (<$output>) {
	if (defined $file && /^default /) {
		open(my $first, '>', $file) or die "$file: $!";
		printf $first "%.3f\n", Time::HiRes::time();
		close($first);
		undef $file;
	}
	print;
}
close($output);
exit($? >> 8 || ($? ? 1 : 0));
