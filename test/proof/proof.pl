# proof.pl PART CODES SEED: a part of what Proof.pm proves, with so many codes,
# in the database that PGDATABASE and the like name.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Proof;
use Test::More;

my ($part, $codes, $seed) = @ARGV;
my $proof = Proof->new('', $seed);

$part eq 'distinct' ? $proof->distinct($codes) : $proof->no_blocked_word($codes);
done_testing();
