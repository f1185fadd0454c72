# Do the rings keep their promises after something has failed? For faults.pl.

package Check;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(named failed check_ring codes_of);

# named(RING, STATEMENTS...): with the name put in
sub named
{
	my ($ring, @statements) = @_;

	return map { s/%R/$ring/gr } @statements;
}

sub failed { return grep { /^(?:psql:\S+ )?(?:ERROR|FATAL):/m } @_; }

sub codes_of { return split(' ', $_[0]); }

my %bases;

# All base codes of a kind's rings
sub bases
{
	my ($kind) = @_;
	my $length = $kind->{length} // 8;
	my @letters = split(//, $kind->{letters} // 'AB');
	my @codes = ('');

	return @{ $bases{$length} } if $bases{$length};
	foreach (1 .. $length)
	{
		@codes = map { my $code = $_; map { "$_$code" } @letters } @codes;
	}
	$bases{$length} = \@codes;
	return @codes;
}

# Codes that a cycle has, by what stands before them
sub expected
{
	my ($kind, $prefix) = @_;
	my $words = $kind->{words};

	return map { $prefix . $_ } grep { !$words || "$prefix$_" !~ $words } bases($kind);
}

# Codes by what stands before their base codes; a check character is left out
sub by_prefix
{
	my ($kind, @codes) = @_;
	my %groups;

	foreach my $code (@codes)
	{
		my $base = $kind->{check} ? substr($code, 0, -1) : $code;

		$groups{ substr($base, 0, -($kind->{length} // 8)) }{$base} = 1;
	}
	return %groups;
}

sub duplicates
{
	my %seen;

	return grep { $seen{$_}++ } @_;
}

my $state = q{SELECT concat_ws('|', extra, cycle, uniquizer, codes_per_cycle, remaining)
	FROM coderring.series WHERE ring = '%R'};

# How far the series of a ring are, by extra
sub states
{
	my ($answer) = @_;
	my %states;

	foreach (split(/\n/, $answer))
	{
		my ($extra, $cycle, $uniquizer, $codes, $remaining) = split(/\|/);

		$states{$extra} =
		  { cycle => $cycle, prefix => "$extra$uniquizer", gone => $codes - $remaining, codes => $codes };
	}
	return \%states;
}

# check_ring(KIND, RING, A, B, CODES, OPTIONS): look at a ring with the two
# sessions. CODES were handed out already. Options:
#	lost     so many codes may be lost (in all series together)
#	inside   A is in a transaction, in which it is to go on
# Returns problems, and the number of codes that were lost.
sub check_ring
{
	my ($kind, $ring, $ours, $other, $codes, %options) = @_;
	my @extras = @{ $kind->{series} // [''] };
	my $length = $kind->{length} // 8;
	my $size = length($kind->{letters} // 'AB')**$length;
	my @codes = @$codes;
	my @problems;
	my %passed;
	my $lost = 0;
	my $vague = $kind->{moves} || $kind->{changed} || $options{lost};

	# what the series say, before anybody goes on
	my ($answer) = $other->must(named($ring, $state));
	my $states = states($answer);
	my %groups = by_prefix($kind, @codes);

	foreach my $extra (@extras)
	{
		my $at = $states->{$extra} // { cycle => 0, prefix => $extra, gone => 0 };
		my %out = %{ $groups{ $at->{prefix} } // {} };

		push @problems, "the series stands in cycle $at->{cycle}"
		  if $extra eq '' && defined $kind->{stands} && $states->{$extra} && $at->{cycle} != $kind->{stands};
		push @problems, "the series stands in cycle $at->{cycle}, before it begins"
		  if $extra eq '' && $kind->{begins} && $states->{$extra} && $at->{cycle} < $kind->{begins};
		$states->{$extra} = $at;
		if (!$kind->{changed})
		{
			my $passed = $at->{gone} - keys(%out);

			push @problems, "the view says that $at->{gone} codes are out of \"$at->{prefix}\", but these are: "
			  . join(' ', sort keys %out)
			  if $passed < 0 || ($passed > 0 && !$vague);
			$passed{ $at->{prefix} } = $passed if $kind->{moves};
		}
		next if $kind->{check};
		my ($issued) = $other->must(named($ring, qq{SELECT string_agg(code, ' ')
			FROM (SELECT '$at->{prefix}' || code AS code FROM bases WHERE len = $length) b
			WHERE coderring_issued('%R', code)}));
		my %issued = map { $_ => 1 } codes_of($issued);

		push @problems, "a code that is out is not issued: $_" foreach grep { !$issued{$_} } keys %out;
		push @problems, "a code that is not out is issued: $_"
		  foreach grep { !$vague && !$out{$_} } keys %issued;
	}

	if ($kind->{ends} && $states->{''}{codes} && $states->{''}{gone} == $states->{''}{codes})
	{
		my ($no) = $other->run(named($ring, "SELECT coderring_get_code('%R')"));

		push @problems, "it goes on: $no" if !failed($no);
		return (\@problems, 0);
	}
	# it goes on, in both sessions, and comes to the end of the cycle
	foreach my $extra (@extras)
	{
		my $get = "SELECT coderring_get_code('%R', '$extra')";
		my $drain = "SELECT count(c) FROM (SELECT coderring_get_codes('%R', " . ($size + 3) . ", '$extra') AS c) t";

		push @problems, "the same session cannot go on: $_" foreach failed($ours->run(named($ring, $get)));
		push @problems, "another session cannot go on: $_" foreach grep { !$kind->{ends} || !/2200H/ } failed($other->run(named($ring, $get, $kind->{ends} ? ($get) x 300 : $drain)));
	}
	$ours->run('ROLLBACK') if $options{inside};
	push @codes, map { codes_of($_->value('SELECT faults_noted()')) } $ours, $other;
	push @problems, "handed out twice: $_" foreach duplicates(@codes);

	($answer) = $other->must(named($ring, $state));
	my $finals = states($answer);
	%groups = by_prefix($kind, @codes);
	delete $groups{ $finals->{$_}{prefix} } foreach grep { !$kind->{ends} } @extras;
	if ($kind->{moves})
	{
		$states->{$_}{cycle} > 0 && delete $groups{$_} foreach @extras;
	}
	my $gaps = 0;
	push @problems, 'no whole cycle was handed out' unless %groups;
	foreach my $prefix (keys %groups)
	{
		my @expected = expected($kind, $prefix);
		my @missing = grep { !$groups{$prefix}{$_} } @expected;
		my $missing = @missing - ($passed{$prefix} // 0);

		$gaps++ if $kind->{gap} && @missing >= $kind->{gap};
		$missing = 0 if $kind->{gap} && $missing == $kind->{gap};
		$lost += $missing if $missing > 0;
		push @problems, "$missing codes of \"$prefix\" never came, such as $missing[0]"
		  if $missing > 0 && $lost > ($options{lost} // 0);
		push @problems, 'codes came that were passed over' if $missing < 0;
		push @problems, "more codes than there are in \"$prefix\""
		  if !$kind->{changed} && keys(%{ $groups{$prefix} }) > @expected;
	}
	push @problems, 'nothing was passed over' if $kind->{gap} && !$gaps && !$options{lost};
	return (\@problems, $lost);
}

1;
