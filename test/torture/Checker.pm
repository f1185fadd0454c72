# What is proved in the end, of all codes that clients have received.  Bounded in
# memory: what is large goes through sort or through the server's own.

package Checker;

use strict;
use warnings;

use Rings;

sub new
{
	my ($class, %self) = @_;

	return bless { codes => 0, checked => 0, %self }, $class;
}

# each_call(CODE, OFFSETS): every call's incarnation, extra and codes; up to the
# offsets in the logs, where they are given.
sub each_call
{
	my ($self, $code, $offsets) = @_;

	foreach my $i (0 .. $#{ $self->{logs} })
	{
		open(my $file, '<', $self->{logs}[$i]) or next;
		while (my $line = readline($file))
		{
			last if $offsets && tell($file) > $offsets->[$i];
			next if $line !~ /^C/;
			chomp $line;
			my (undef, undef, $incarnation, undef, $extra, $codes) = split(/\t/, $line, -1);

			$code->($incarnation, $extra, $codes);
		}
	}
	return;
}

# Codes that were received twice from one incarnation of a ring: some of them.
sub twice
{
	my ($self) = @_;
	my %short;

	open(my $sort, '|-', "LC_ALL=C sort -S 64M -T '$self->{work}/tmp' | uniq -d >'$self->{work}/twice'") or die $!;
	$self->each_call(
		sub {
			my ($incarnation, undef, $codes) = @_;
			my $number = $short{$incarnation} //= keys %short;

			$self->{codes} += 1 + ($codes =~ tr/ //);
			print $sort map { "$number $_\n" } split(/ /, $codes);
		});
	close $sort or die 'sort failed';
	$self->{incarnations} = keys %short;
	open(my $file, '<', "$self->{work}/twice") or die $!;
	my %name = reverse %short;
	my @twice = map { /^(\d+) (\S+)/ ? [ $2, $name{$1} ] : () } readline($file);
	return map { "$_->[0] of the incarnation $_->[1]: " . join('; ', $self->calls(@$_)) } splice(@twice, 0, 10);
}

# calls(CODE, INCARNATION): who received it, as far as the logs tell
sub calls
{
	my ($self, $code, $incarnation) = @_;
	my @found;

	foreach my $log (@{ $self->{logs} })
	{
		open(my $file, '<', $log) or next;
		while (my $line = readline($file))
		{
			my ($type, $round, $its, undef, undef, $codes, @rest) = split(/\t/, $line =~ s/\n//r, -1);

			next if $type ne 'C' || $its ne $incarnation || " $codes " !~ / \Q$code\E /;
			push @found, "round $round, " . (1 + ($codes =~ tr/ //)) . " codes, @rest, " . ($log =~ s{.*/}{}r);
		}
	}
	return @found;
}

# Decode every code of rings that are still there, on the server that came out of
# it all.
sub decode
{
	my ($self) = @_;
	my $node = $self->{node};
	my %ring = map { split(/\|/) } split(/\n/, $node->must_query('SELECT incarnation, name FROM coderring.ring', 'torture'));

	$node->must_query('CREATE UNLOGGED TABLE got (ring text, extra text, code text)', 'torture');
	open(my $copy, '|-', 'psql', '-XAtq', '-h', $node->{host}, '-p', $node->{port}, '-U', 'postgres', '-d', 'torture',
		'-c', 'COPY got FROM STDIN')
	  or die $!;
	$self->each_call(
		sub {
			my ($incarnation, $extra, $codes) = @_;
			my $name = $ring{$incarnation} // return;

			$self->{checked} += 1 + ($codes =~ tr/ //);
			print $copy map { "$name\t$extra\t$_\n" } split(/ /, $codes);
		});
	close $copy or die 'COPY failed';
	$node->must_query(<<'SQL', 'torture');
CREATE UNLOGGED TABLE decoded AS
SELECT g.*, d.extra AS decoded, d.cycle, d.cycle_offset, d.issued, coderring_issued(g.ring, g.code) AS known,
	(length(r.alphabet)::numeric ^ r.base_length)::bigint AS codes
FROM got g JOIN coderring.ring r ON r.name = g.ring, LATERAL coderring_decode(g.ring, g.code) d
SQL
	return;
}

# Some of what a query finds
sub found
{
	my ($self, $sql) = @_;

	return split(/\n/, $self->{node}->must_query("$sql LIMIT 10", 'torture'));
}

sub not_decoded
{
	my ($self) = @_;

	return $self->found('SELECT ring, extra, code, decoded FROM decoded WHERE decoded IS DISTINCT FROM extra');
}

sub not_issued
{
	my ($self) = @_;

	return $self->found('SELECT ring, extra, code, issued, known FROM decoded WHERE issued IS NOT TRUE OR known IS NOT TRUE');
}

sub cycles_too_long
{
	my ($self) = @_;

	return (
		$self->found('SELECT ring, extra, code, cycle_offset FROM decoded WHERE cycle_offset NOT BETWEEN 0 AND codes - 1'),
		$self->found('SELECT ring, extra, cycle, cycle_offset, count(*) FROM decoded
			GROUP BY ring, extra, cycle, cycle_offset HAVING count(*) > 1'),
		$self->found('SELECT ring, extra, cycle, count(*) FROM decoded
			GROUP BY ring, extra, cycle, codes HAVING count(*) > codes'));
}

# How many cycles were passed from end to end, and are there in full
sub cycles
{
	my ($self) = @_;

	return split(/\|/, $self->{node}->must_query(<<'SQL', 'torture'));
SELECT count(*), count(*) FILTER (WHERE number = codes)
FROM (SELECT count(*) AS number, codes FROM decoded GROUP BY ring, extra, cycle, codes) c
SQL
}

# Codes of restored dumps that clients had received before the dump was begun
sub again_after_restore
{
	my ($self) = @_;
	my @again;

	foreach my $dump (@{ $self->{dumps} })
	{
		my %drawn = map { $_ => 1 } @{ $dump->{codes} };

		$self->each_call(
			sub {
				my ($incarnation, undef, $codes) = @_;

				push @again, grep { $drawn{$_} } map { "$incarnation $_" } split(/ /, $codes);
			},
			$dump->{offsets});
	}
	return @again;
}

1;
