# The mistakes that make mutations, make torture and make faults are to find can
# still be made: each patch fits the sources as they are.

use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(dirname($FindBin::RealBin));
my @patches = glob("$top/test/{,torture/,faults/}mutations/*.patch");

cmp_ok(scalar(@patches), '>', 0, 'there are some');
foreach my $patch (@patches)
{
	my $copy = PostgreSQL::Test::Utils::tempdir();
	my ($name) = $patch =~ m{test/(.*)};

	foreach my $directory ('src', 'sql', map { s{\Q$top\E/}{}r } grep { -d } glob("$top/src/*"))
	{
		mkdir "$copy/$directory" or die $!;
		copy($_, "$copy/$directory") or die "$_: $!" foreach glob("$top/$directory/*.{c,h,sql}");
	}
	command_ok([ 'perl', "$top/test/apply.pl", $patch, $copy ], "$name fits");
}
done_testing();
