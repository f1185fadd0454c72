# The lines of src/ that the tests ran, and those that they did not. Called by
# test/coverage.sh:
#
#   perl report.pl ROOT COUNTS UNCOVERED LEAST [partly]
#
# ROOT is the copy that was built, COUNTS what gcov --json-format printed, one
# document a line, UNCOVERED the list of lines that need not be run (it tells its
# own form), LEAST the percentage wanted. "partly": show, do not judge.

use strict;
use warnings;

use Cwd qw(realpath);
use JSON::PP;

my ($root, $counts, $uncovered, $least, $partly) = @ARGV;
die "usage: report.pl ROOT COUNTS UNCOVERED LEAST [partly]\n" unless defined $least;

my (%count, %function, %text);

sub lines_of
{
	my ($name) = @_;

	open(my $in, '<', $name) or die "$name: $!\n";
	my @lines = <$in>;
	close $in;
	chomp @lines;
	return @lines;
}

# The words of a line, with one blank between them.
sub squeeze
{
	my ($line) = @_;

	$line =~ s/\s+/ /g;
	$line =~ s/^ | $//g;
	return $line;
}

# As gcov names it, relative to where the compiler was, to "src/NAME", if it is
# one of ours.
sub our_file
{
	my ($document, $name) = @_;

	$name = "$document->{current_working_directory}/$name" unless $name =~ m{^/};
	$name = realpath($name) // return;
	return unless $name =~ s{^\Q$root\E/(?=src/)}{};
	return $name;
}

$root = realpath($root);
open(my $in, '<', $counts) or die "$counts: $!\n";
while (my $json = <$in>)
{
	my $document = JSON::PP->new->decode($json);

	foreach my $file (@{ $document->{files} })
	{
		my $name = our_file($document, $file->{file}) // next;

		foreach my $line (@{ $file->{lines} })
		{
			$count{$name}[ $line->{line_number} ] += $line->{count};
			$function{$name}[ $line->{line_number} ] = $line->{function_name} // '';
		}
	}
}
close $in;
die "no counts of src/\n" unless %count;
$text{$_} = [ '', lines_of("$root/$_") ] foreach keys %count;

# A file of which nothing was ever loaded has no counts at all.
my @uncounted = grep { !$count{$_} } map { s{^\Q$root\E/}{}r } glob("$root/src/*.c"), glob("$root/src/*/*.c");

# The table
my ($lines, $covered) = (0, 0);
my @open;

printf("%-24s %7s %8s %8s\n", 'file', 'lines', 'covered', 'percent');
foreach my $name (sort keys %count)
{
	my @numbers = grep { defined $count{$name}[$_] } 0 .. $#{ $count{$name} };
	my @missed = grep { !$count{$name}[$_] } @numbers;

	printf("%-24s %7d %8d %8.1f\n",
		$name, scalar(@numbers), @numbers - @missed, 100 * (@numbers - @missed) / @numbers);
	$lines += @numbers;
	$covered += @numbers - @missed;
	push @open, map { [ $name, $_ ] } @missed;
}
my $percent = 100 * $covered / $lines;
printf("%-24s %7d %8d %8.2f\n\n", 'total', $lines, $covered, $percent);

# The list of what need not be run
my (@reasons, %allowed, @stale, %used);
my $reason;
my $number = 0;

foreach my $line (lines_of($uncovered))
{
	$number++;
	next if $line =~ /^\s*#/;
	if ($line =~ /^\s*$/)
	{
		undef $reason;
	}
	elsif ($line !~ /^\s/)
	{
		push @reasons, [] unless defined $reason;
		$reason = $#reasons;
		push @{ $reasons[$reason] }, squeeze($line);
	}
	elsif ($line =~ /^\s+(\S+)\s+(\S+)\s+(\S.*)$/ && defined $reason)
	{
		my ($file, $function, $code) = ("src/$1", $2, squeeze($3));
		# in the source, also where this server's version leaves it out
		my @source = -e "$root/$file" ? lines_of("$root/$file") : ();
		my $there = (grep { squeeze($_) eq $code } @source) && grep { /\b\Q$function\E\(/ } @source;

		$allowed{"$file $function $code"} = $reason;
		push @stale, "uncovered.txt:$number: $file has no such function or line: $function: $code"
		  unless $there;
	}
	else
	{
		push @stale, "uncovered.txt:$number: neither a reason nor a line of code";
	}
}

# What was not run, with reasons and without
my @unnamed;
my @by_reason = map { [] } @reasons;

foreach my $place (@open)
{
	my ($file, $line) = @$place;
	my $code = squeeze($text{$file}[$line]);
	my $entry = $allowed{"$file $function{$file}[$line] $code"};

	if (defined $entry)
	{
		push @{ $by_reason[$entry] }, "$file:$line: $code";
	}
	else
	{
		push @unnamed, "$file:$line: $function{$file}[$line]: $code";
	}
}
foreach my $entry (0 .. $#reasons)
{
	next unless @{ $by_reason[$entry] };
	print "Not run: @{ $reasons[$entry] }\n", map({ "    $_\n" } @{ $by_reason[$entry] }), "\n";
}

exit 0 if $partly && print map({ "not run: $_\n" } @unnamed);

sub test
{
	my ($good, $title, @problems) = @_;

	print $good ? 'ok' : 'not ok', " - $title\n", map { "    $_\n" } @problems;
	return;
}

test($percent >= $least, sprintf('%.2f %% of the lines were run, at least %s are to be', $percent, $least));
test(!@uncounted, 'there are counts of every file', @uncounted);
test(!@unnamed, 'every line that was not run is named in uncovered.txt', @unnamed);
test(!@stale, 'every line in uncovered.txt exists', @stale);
print "1..4\n";
