# aims.pl FILE: what row.pl has written about aims, in short.
use strict;
use warnings;

my ($reached, $all) = (0, 0);
my @lines;

open my $in, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (<$in>)
{
	chomp;
	my ($how, $value, $what) = split /\t/;

	$all++;
	$reached++ if $how eq 'reached';
	push @lines, sprintf "  %-8s %8s  %s\n", $how, $value, $what;
}
print @lines;
print "  $reached of $all aims reached\n";
