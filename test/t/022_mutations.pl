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
	next if $name =~ m{/.*/};
	my @tests = grep { !/=/ } split(' ', (slurp_file($patch) =~ /\A#.*\n# test: (.*)/)[0] // '');
	is(join(' ', grep { my $test = $_; !@tests || !grep { -e "$top/test/$_" } "sql/$test.sql", "specs/$test.spec", "t/$test.pl" } @tests ? @tests : 'none'),
		'', "$name: the tests that are to notice it exist");
}

# A macro that is defined for a test has to be one of src/.
my $sources = join('', map { slurp_file($_) } glob("$top/src/*.[ch]"), glob("$top/src/*/*.[ch]"), glob("$top/test/unit/*.[ch]"));
my %defined = map { $_ => 1 } map { slurp_file($_) =~ /[ '"=]-D([A-Z]\w+)/g } glob("$top/test/*.sh"), glob("$top/test/t/*.pl");
is(join(' ', grep { $sources !~ /\b$_\b/ && !/^(?:USE_|PG_|NDEBUG|SWITCH|_)/ } sort keys %defined), '', 'what scripts define is a macro of src/');
cmp_ok(scalar(keys %defined), '>', 1, 'some are');
done_testing();
