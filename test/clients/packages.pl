# packages.pl FILE PACKAGE...: a package.json with these packages only, in the
# versions that FILE has.

use strict;
use warnings;
use JSON::PP;

my ($file, @packages) = @ARGV;

open(my $in, '<', $file) or die "$file: $!";
my $versions = decode_json(join('', <$in>))->{dependencies};
my %chosen = map { $_ => $versions->{$_} // die "$file has no $_\n" } @packages;
print JSON::PP->new->pretty->canonical->encode({ private => JSON::PP::true, dependencies => \%chosen });
