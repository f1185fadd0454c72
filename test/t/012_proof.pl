# What test/proof.sh proves in ten million codes, in 100,000: codes are distinct
# and decode to what they were asked with, and filtered rings hand out no blocked
# word.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use lib "$FindBin::RealBin/../proof";

use Coderring;
use File::Temp;
use PostgreSQL::Test::Utils;
use Proof;
use Test::More;

my $node = new_node('main', 'log_statement = none');

# Files of programs that this process begins, and of their parts
my $directory = "$PostgreSQL::Test::Utils::tmp_check/temporary";
mkdir $directory or die "$directory: $!";
$ENV{TMPDIR} = $directory;

my $proof = Proof->new($node->connstr('postgres'), int(rand(1e6)));

$proof->distinct(100_000);
$proof->no_blocked_word(100_000);
$node->stop;
File::Temp::cleanup();
is(join(' ', glob("$directory/*")), '', 'no file is left behind');
done_testing();
