# times.pl FILE: from psql's output with \timing, the time that passed after
# each ":: KIND", as lines "KIND MILLISECONDS".
use strict;
use warnings;

my ($kind, $sum);

while (<>)
{
	if (/^:: (\w+)/)
	{
		print "$kind $sum\n" if defined $kind;
		($kind, $sum) = ($1, 0);
	}
	elsif (/^Time: ([0-9.]+) ms/)
	{
		$sum += $1 if defined $kind;
	}
	elsif (/\S/)
	{
		die "unexpected: $_";
	}
}
print "$kind $sum\n" if defined $kind;
