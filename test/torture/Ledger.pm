# The books: how far every series has come by the server's word, against how many
# of its codes were received by the clients' logs.  They are compared whenever all
# clients are idle.
#
# Between two such moments a series moves by
#	  codes received
#	+ codes taken by calls that did not get through (at most what they asked for)
#	+ what coderring_advance and a bump passed over
#	+ what was lost, which is nothing unless the server crashed or restarted, and
#	  at most the 64th part of a cycle each time it did.
# If it moves by less, codes came again.  Blocked codes count nowhere: a series'
# place is the number of codes before it that the filter lets pass.

package Ledger;

use strict;
use warnings;

use Rings;

sub new
{
	my ($class, @logs) = @_;

	return bless {
		logs => [@logs], read => [ map { 0 } @logs ],
		place => {}, failures => [],
		skipped => 0, bound => 0, unsure => 0, worst => 0, stretches => 0, crashes => 0
	}, $class;
}

sub fail
{
	my ($self, $text) = @_;

	push @{ $self->{failures} }, $text;
	print "# $text\n" if @{ $self->{failures} } <= 20;
	return;
}

# What the clients have written since the last time, by "ring extra".
sub read_logs
{
	my ($self) = @_;
	my (%received, %unsure, %advanced, %unknown);

	foreach my $i (0 .. $#{ $self->{logs} })
	{
		open(my $file, '<', $self->{logs}[$i]) or next;
		seek($file, $self->{read}[$i], 0);
		while (my $line = readline($file))
		{
			chomp $line;
			my ($type, @columns) = split(/\t/, $line, -1);

			if ($type eq 'C')
			{
				my $number = 1 + ($columns[4] =~ tr/ //);

				$received{"$columns[2] $columns[3]"} += $number if $RING{ $columns[2] };
			}
			elsif ($type eq 'I') { $unsure{"$columns[1] $columns[2]"} += $columns[3]; }
			elsif ($type eq 'A') { $advanced{"$columns[1] $columns[2]"} += $columns[3]; }
			elsif ($type eq '?') { $unknown{"$columns[1] $columns[2]"} = 1; }
			elsif ($type eq 'E') { $self->{errors}{ $columns[0] || 'connection lost' }++; }
			else { $self->fail("a client says: $columns[0]"); }
		}
		$self->{read}[$i] = tell($file);
	}
	return (\%received, \%unsure, \%advanced, \%unknown);
}

# Codes in a cycle that the filter lets pass: asked of a ring of its own.
sub codes_of_cycle
{
	my ($self, $node, $ring, $extra, $cycle) = @_;
	my ($base_length) = $ring->{options} =~ /^(\d+)/;

	return $ring->{codes} if !$ring->{filter};
	$ring->{cycle}{"$extra $cycle"} //= $node->must_query("SELECT codes_of_cycle($base_length, '$extra', $cycle)", 'torture');
	return $ring->{cycle}{"$extra $cycle"};
}

# Places of all series, by "ring extra".
sub places
{
	my ($self, $node) = @_;
	my (%passed_over, %whole, %place);
	my $names = join(',', map { "'$_->{name}'" } @RINGS);

	foreach (split(/\n/, $node->must_query(<<"SQL", 'torture')))
SELECT r.name, k.extra, k.first_position, k.last_position - k.first_position + 1
FROM coderring.skipped_positions k JOIN coderring.ring r USING (incarnation) WHERE r.name IN ($names)
SQL
	{
		my ($name, $extra, $first, $number) = split(/\|/);
		my $ring = $RING{$name};

		if ($ring->{filter})
		{
			$self->fail("$name $extra has skipped a part of a cycle") if $first % $ring->{codes} || $number % $ring->{codes};
			$whole{"$name $extra"}{ $first / $ring->{codes} + $_ } = 1 foreach 0 .. $number / $ring->{codes} - 1;
		}
		elsif ($ring->{skips})
		{
			$passed_over{"$name $extra"} += $number;
		}
		else
		{
			$self->fail("$name $extra has skipped $number positions that no other series can have");
		}
	}
	foreach (split(/\n/, $node->must_query(<<"SQL", 'torture')))
SELECT ring, extra, cycle, cycle_offset, codes_per_cycle, remaining FROM coderring.series WHERE ring IN ($names)
SQL
	{
		my ($name, $extra, $cycle, $offset, $codes, $remaining) = split(/\|/);
		my $ring = $RING{$name};
		my $series = "$name $extra";

		if ($ring->{filter})
		{
			my $counted = $self->codes_of_cycle($node, $ring, $extra, $cycle);

			$self->fail("$series: cycle $cycle has $codes codes and not $counted") if $codes != $counted;
			$place{$series} = $codes - $remaining;
			$place{$series} += $self->codes_of_cycle($node, $ring, $extra, $_)
			  foreach grep { !$whole{$series}{$_} } 0 .. $cycle - 1;
		}
		else
		{
			$place{$series} = $cycle * $ring->{codes} + $offset - ($passed_over{$series} // 0);
		}
	}
	return \%place;
}

# settle(NODE, CRASHES, TITLE): all clients are idle; the server has crashed so often
# since the last time.  True if the books are in order.
sub settle
{
	my ($self, $node, $crashes, $title) = @_;
	my ($received, $unsure, $advanced, $unknown) = $self->read_logs;
	my $places = $self->places($node);
	my $failures = @{ $self->{failures} };

	$self->{stretches}++;
	$self->{crashes} += $crashes;
	foreach my $series (sort keys %$received)
	{
		$self->fail("$title: codes of $series, which has no row") if !exists $places->{$series};
	}
	foreach my $series (sort keys %$places)
	{
		my ($name) = split(/ /, $series);
		my $lost = $places->{$series} - ($self->{place}{$series} // 0) - ($received->{$series} // 0)
		  - ($advanced->{$series} // 0);
		my $bound = $crashes * smallest_loss($RING{$name});
		my $most = $bound + ($unsure->{$series} // 0);

		$self->{place}{$series} = $places->{$series};
		next if $unknown->{$series};
		if ($lost < 0)
		{
			$self->fail("$title: @{[-$lost]} codes of $series came again");
		}
		elsif ($lost > $most)
		{
			$self->fail("$title: $series lost $lost codes; $bound by $crashes crashes, and "
				  . ($unsure->{$series} // 0) . ' by calls that did not get through, are possible');
		}
		if ($crashes > 0)
		{
			$self->{skipped} += $lost;
			$self->{bound} += $bound if $lost || $received->{$series};
			$self->{worst} = $lost / $most if $lost / $most > $self->{worst};
		}
		else
		{
			$self->{unsure} += $lost;
		}
	}
	return $failures == @{ $self->{failures} };
}

1;
