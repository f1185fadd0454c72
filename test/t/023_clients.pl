# Every example of docs/clients.md is part of a program that make clients runs, word
# for word. In the page a comment before the block names the program and the part,
#
#     <!-- psycopg/booking.py: psycopg bulk -->
#
# and in the program, below test/clients, the part stands between lines that hold
# "docs: begin psycopg bulk" and "docs: end". Of parts whose name ends in "pooled", which
# are settings, the page has the words in its text.

use strict;
use warnings;

use FindBin;
use Test::More;

my $top = "$FindBin::RealBin/../..";

sub lines
{
	my ($file) = @_;

	open(my $in, '<', $file) or die "$file: $!";
	my @lines = <$in>;
	return @lines;
}

# the lines without the blanks that all begin with
sub outdented
{
	my @lines = @_;
	my ($least) = sort { $a <=> $b } map { /^( *\t*)\S/ ? length($1) : () } @lines;

	s/^[ \t]{0,$least}// for @lines;
	return join('', @lines);
}

# the parts of all programs
my %parts;
foreach my $file (split(/\n/, `find "$top/test/clients" -type f`))
{
	my ($name, @part);

	foreach my $line (lines($file))
	{
		if ($line =~ /docs: begin ([a-z0-9 -]+?)\s*$/)
		{
			die "$file: a part in a part\n" if defined $name;
			$name = $1;
		}
		elsif ($line =~ /docs: end/)
		{
			die "$file: an end without a beginning\n" unless defined $name;
			my $key = substr($file, length("$top/test/clients/")) . ": $name";
			die "$key: twice\n" if exists $parts{$key};
			$parts{$key} = outdented(@part);
			undef $name;
			@part = ();
		}
		elsif (defined $name)
		{
			push @part, $line;
		}
	}
	die "$file: a beginning without an end\n" if defined $name;
}
cmp_ok(scalar keys %parts, '>', 30, 'programs have parts for the page');

# the examples of the page
my ($key, @example, $inside, %shown);
foreach my $line (lines("$top/docs/clients.md"), "\n")
{
	if ($inside)
	{
		if ($line =~ /^```/)
		{
			if ($inside ne 'commands')
			{
				is(join('', @example), $parts{$key}, $key);
				$shown{$key} = 1;
			}
			$inside = 0;
			undef $key;
		}
		else
		{
			push @example, $line;
		}
	}
	elsif ($line =~ /^```sh$/ && !defined $key)
	{
		$inside = 'commands';		# how to run make clients
	}
	elsif ($line =~ /^```/)
	{
		ok(defined $key, 'an example names its program') or diag("before: $line");
		$key //= '';
		$inside = 1;
		@example = ();
	}
	elsif ($line =~ /^<!-- ([^ ]+: .*) -->$/)
	{
		$key = $1;
	}
	elsif (defined $key)
	{
		fail("$key: the example comes in the next line");
		undef $key;
	}
}
ok(!$inside, 'the last example ends');

my @words = join('', lines("$top/docs/clients.md")) =~ /`([^`\n]+)`/g;
foreach my $part (grep { /pooled$/ } sort keys %parts)
{
	ok((grep { length($_) > 8 && index($parts{$part}, $_) >= 0 } @words), $part);
	$shown{$part} = 1;
}
is_deeply([ grep { !$shown{$_} } sort keys %parts ], [], 'the page shows every part that is for it');

done_testing();
