# row.pl FILE A B "KIND COUNT" [AIM [TITLE]]: a line of the table.
#
# FILE has lines "NAME VALUE", in the order in which they were measured; the
# n-th value of A is compared with the n-th of B. A value is for COUNT codes:
#	time	milliseconds, shown as nanoseconds for one
#	us		milliseconds, shown as microseconds for one
#	speed	milliseconds, shown as codes a second
#	rate	runs of COUNT a second, shown as codes a second
#	bytes	bytes, shown for one
# AIM: "at most X" or "at least X", of the ratio's median.
use strict;
use warnings;

my ($file, $first, $second, $what, $aim, $title) = @ARGV;
my ($kind, $count) = split ' ', $what;
my %convert = (
	time  => sub { $_[0] * 1e6 / $count },
	us    => sub { $_[0] * 1e3 / $count },
	speed => sub { $count / $_[0] * 1e3 },
	rate  => sub { $_[0] * $count },
	bytes => sub { $_[0] / $count });
my %values;

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);

	return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

sub show
{
	my ($value) = @_;
	my $text = sprintf($value < 10 ? "%.3f" : $value < 1000 ? "%.1f" : "%.0f", $value);

	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

sub name
{
	my ($name) = @_;

	$name =~ s/^(loop|call)_//;
	$name =~ s/^at_(\d+)/at $1 %/;
	$name =~ s/^select_1$/SELECT 1/;
	$name =~ s/^series_text$/generate_series as text/;
	return $name;
}

open my $in, '<', $file or die "$file: $!";
while (<$in>)
{
	my ($name, $value) = split;

	push @{ $values{$name} }, $convert{$kind}->($value);
}

my @a = @{ $values{$first} || die "$file has no $first\n" };
my @b = @{ $values{$second} || die "$file has no $second\n" };
die "$file: $first and $second are not pairs\n" if @a != @b;
my @ratios = map { $b[$_] > 0 ? $a[$_] / $b[$_] : 9e99 } 0 .. $#a;
my ($low, $high) = (sort { $a <=> $b } @ratios)[0, -1];
my $ratio = median(@ratios);

$title = name($first) . ' : ' . name($second) if !$title;
my $range = @a > 1 ? sprintf("%.2f..%.2f", $low, $high) : '';
if (length $title > 38)
{
	print "  $title\n";
	$title = '';
}
printf "  %-38s %10s %10s %5s  %s\n", $title, show(median(@a)), show(median(@b)),
	sprintf($ratio < 0.1 ? "%.3f" : "%.2f", $ratio), $range;
if ($aim)
{
	my ($direction, $bound) = $aim =~ /^at (most|least) ([0-9.]+)$/ or die "aim: $aim";
	my $reached = $direction eq 'most' ? $ratio <= $bound : $ratio >= $bound;

	print "  aim: $aim ... ", $reached ? "reached" : "missed", "\n";
}
