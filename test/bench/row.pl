# row.pl FILE A B "KIND COUNT" [AIM [TITLE]]: a line of the table.
#
# FILE has lines "NAME VALUE [TURN]", in the order in which they were measured.
# What was measured in the same turn is compared; without TURN it is the n-th
# value of A with the n-th of B. With B = "-" A is shown alone, and the aim is
# for A itself. A value is for COUNT codes:
#	time	milliseconds, shown as nanoseconds for one
#	over	the same, and the aim is for A - B in place of A / B
#	us		milliseconds, shown as microseconds for one
#	speed	milliseconds, shown as codes a second
#	rate	runs of COUNT a second, shown as codes a second
#	bytes	bytes, shown for one
#	count	as it is
# AIM: "at most X", "at least X" or "X to Y", of the median.
# With BENCH_AIMS=FILE in the environment, what became of the aim is added there.
use strict;
use warnings;

my ($file, $first, $second, $what, $aim, $title) = @ARGV;
my ($kind, $count) = split ' ', $what;
my %convert = (
	time  => sub { $_[0] * 1e6 / $count },
	over  => sub { $_[0] * 1e6 / $count },
	us    => sub { $_[0] * 1e3 / $count },
	speed => sub { $count / $_[0] * 1e3 },
	rate  => sub { $_[0] * $count },
	bytes => sub { $_[0] / $count },
	count => sub { $_[0] });
my %names = (
	select_1    => 'SELECT 1',
	cache32     => 'nextval, CACHE 32',
	uuid        => 'gen_random_uuid',
	counter     => 'UPDATE ... RETURNING',
	hashids     => 'pg_hashids of nextval',
	series      => 'generate_series',
	series_text => 'generate_series as text');
my %values;
my %turns;

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);

	return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

sub show
{
	my ($value) = @_;
	my $size = abs $value;
	my $text = sprintf($size < 10 ? "%.3f" : $size < 1000 ? "%.1f" : "%.0f", $value);

	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}

sub show_ratio
{
	my ($value) = @_;

	return show($value) if $kind eq 'over' || $second eq '-';
	return sprintf($value < 0.1 ? "%.3f" : $value < 100 ? "%.2f" : "%.0f", $value);
}

sub name
{
	my ($name) = @_;

	$name =~ s/^(loop|call)_//;
	$name =~ s/^at_(\d+)/at $1 %/;
	$name =~ s/^retry_(\d+)/random and retry, $1 %/;
	return $names{$name} // $name;
}

open my $in, '<', $file or die "$file: $!";
while (<$in>)
{
	chomp;
	my ($name, $value, $turn) = split;

	$turn //= ++$turns{$name};
	$values{$name}{$turn} = $convert{$kind}->($value);
}

my $of_first = $values{$first} || die "$file has no $first\n";
my $of_second = $second eq '-' ? $of_first : $values{$second} || die "$file has no $second\n";
my @both = sort { $a <=> $b } grep { exists $of_second->{$_} } keys %$of_first;
my @a = map { $of_first->{$_} } @both;
my @b = map { $of_second->{$_} } @both;
die "$file: $first and $second have no turn together\n" if !@a;
die "$file: $first and $second are not pairs\n" if !grep { $_ == @both } scalar keys %$of_first, scalar keys %$of_second;
my @compared = $second eq '-' ? @a :
	$kind eq 'over' ? map { $a[$_] - $b[$_] } 0 .. $#a :
	map { $b[$_] > 0 ? $a[$_] / $b[$_] : 9e99 } 0 .. $#a;
my ($low, $high) = (sort { $a <=> $b } @compared)[0, -1];
my $result = median(@compared);
my $names = name($first) . ($second eq '-' ? '' : ' : ' . name($second));

$title = $names if !$title;
my $long = $title;
my $range = @a > 1 ? show_ratio($low) . ".." . show_ratio($high) : "";
if (length $title > 38)
{
	print "  $title\n";
	$title = '';
}
my $line = sprintf "  %-38s %10s %10s %5s  %s", $title, show(median(@a)),
	$second eq '-' ? '' : show(median(@b)),
	$second eq '-' ? '' : show_ratio($result), $range;
$line =~ s/ +$//;
print "$line\n";
if ($aim)
{
	my ($direction, $bound) = $aim =~ /^at (most|least) ([0-9.]+)$/;
	my ($from, $to) = $aim =~ /^([0-9.]+) to ([0-9.]+)$/;
	die "aim: $aim" if !defined $direction && !defined $from;
	my $reached = defined $from ? $result >= $from && $result <= $to :
		$direction eq 'most' ? $result <= $bound : $result >= $bound;
	my $of = $second eq '-' ? '' : $kind eq 'over' ? ', A - B' : '';

	$reached = $reached ? 'reached' : 'missed';
	print "  aim: $aim$of ... $reached\n";
	if ($ENV{BENCH_AIMS})
	{
		my $room = $ENV{BENCH_ROOM} // '';

		open my $out, '>>', $ENV{BENCH_AIMS} or die "$ENV{BENCH_AIMS}: $!";
		printf $out "%s\t%s\t%s: %s\n", $reached, show_ratio($result),
			$room, "$long, $aim";
		close $out;
	}
}
