# The rings of a run, and what each is for.

package Rings;

use strict;
use warnings;

use Exporter 'import';
our @EXPORT = qw(@RINGS %RING create_rings smallest_loss uniquizer);

# name, codes in a cycle, options of coderring_create, extras.  Extras with a dash
# cannot be taken for the beginning of another series' codes; those of "bump" can.
our @RINGS = map { { name => $_->[0], codes => $_->[1], options => $_->[2], extras => $_->[3] } } (
	[ 'seven', 2**7, "7, alphabet => 'ab'", [ '', '24-' ] ],
	[ 'ten', 2**10, "10, alphabet => 'YX'", [ '', '24-' ] ],
	[ 'two', 32**2, '2', [ '', '24-', '25-' ] ],
	[ 'check', 10**4, "4, alphabet => coderring_alphabet('digits'), check_character => true", [ '', '24-' ] ],
	[ 'three', 32**3, '3', [ '', '24-', '25-' ] ],
	[ 'clean', 32**3, "3, blocklist => 'english'", [ '', '24-' ] ],
	[ 'four', 32**4, '4', [ '', '24-' ] ],
	[ 'polite', 32**4, "4, blocklist => 'english'", [''] ],
	[ 'bump', 32**2, '2', [ '', 'X', 'W', 'XW' ] ],
	[ 'crowd', 32**3, '3', [] ],
);

our %RING = map { $_->{name} => $_ } @RINGS;
$RING{$_}{filter} = 1 foreach 'clean', 'polite';
$RING{bump}{skips} = 1;

# Rings whose definition changes are told apart by incarnation, not by name; the
# books of codes that were passed over are not kept for them.
my @changing = (
	"SELECT coderring_create('phoenix', 3)",
	"SELECT coderring_create('nomad 0', 3)",
	"SELECT coderring_create('words', 3)",
);

sub create_rings
{
	my ($node) = @_;

	$node->must_query('CREATE EXTENSION coderring', 'torture');
	$node->must_query("SELECT coderring_create('$_->{name}', $_->{options})", 'torture') foreach @RINGS;
	$node->must_query($_, 'torture') foreach @changing,
	  # how many codes of a filtered cycle there are, 0 if it is passed over
	  q{CREATE FUNCTION codes_of_cycle(base_length int, extra text, cycle bigint) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		codes bigint;
	BEGIN
		PERFORM coderring_create('count', base_length, 'english', first_cycle => cycle), coderring_get_code('count', extra);
		codes := (SELECT codes_per_cycle FROM coderring.series s WHERE ring = 'count' AND s.cycle = codes_of_cycle.cycle);
		PERFORM coderring_drop('count');
		RETURN coalesce(codes, 0);
	END $$},
	  'CREATE TABLE booking (worker int, code text)';
	return;
}

# smallest_loss(RING): what a crash may cost a series
sub smallest_loss
{
	my ($ring) = @_;
	my $share = int(($ring->{codes} + 63) / 64);

	return $share < 1 ? 1 : $share;
}

# uniquizer(CYCLE): of a ring with the default alphabet
sub uniquizer
{
	my ($cycle) = @_;
	my @digits = split(//, 'XW23456789ABCDEFGHYJKLMNZPQRSTUV');
	my $text = '';

	return '' if $cycle == 0;
	$cycle--;
	do
	{
		$text = $digits[ $cycle % 32 ] . $text;
		$cycle = int($cycle / 32);
	} while ($cycle > 0);
	return $text;
}

1;
