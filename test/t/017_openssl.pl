# OpenSSL fails, at every place where we call it: a clear error, and when it works
# again every ring goes on with no code twice and none left out.
#
# The server runs with a small library of our own that is loaded before OpenSSL, and
# lets one of its functions fail where a file says so.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $switch = "$dir/failing";
my @compiler = split(' ', $ENV{CC} // 'cc');

plan skip_all => 'needs LD_PRELOAD' unless $^O eq 'linux';
plan skip_all => 'needs a compiler' unless system("@compiler --version >/dev/null 2>&1") == 0;

append_to_file("$dir/failing.c", <<'END');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Does the file name this function? */
static int fails(const char *name)
{
	char line[64] = "";
	FILE *file = fopen(SWITCH, "r");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strcmp(line, name) == 0;
}

#define REAL(name) (*(__typeof__(name) **) real(#name))
static void *real(const char *name)
{
	static void *function;

	function = dlsym(RTLD_NEXT, name);
	return &function;
}

int EVP_EncryptInit_ex(void *c, const void *t, void *i, const unsigned char *k, const unsigned char *v)
{ return fails(k ? "key" : "cipher") ? 0 : REAL(EVP_EncryptInit_ex)(c, t, i, k, v); }
int EVP_EncryptUpdate(void *c, unsigned char *out, int *len, const unsigned char *in, int n)
{ return fails("encrypt") ? 0 : REAL(EVP_EncryptUpdate)(c, out, len, in, n); }
int EVP_Digest(const void *d, size_t n, unsigned char *md, unsigned int *len, const void *t, void *i)
{ return fails("digest") ? 0 : REAL(EVP_Digest)(d, n, md, len, t, i); }
int RAND_bytes(unsigned char *bytes, int n)
{ return fails("random") ? 0 : REAL(RAND_bytes)(bytes, n); }
END
system(@compiler, '-shared', '-fPIC', '-o', "$dir/failing.so", "$dir/failing.c", "-DSWITCH=\"$switch\"", '-ldl') == 0
  or die 'the library does not compile';

# failing(FUNCTION): from now on, '' for none
sub failing
{
	my ($function) = @_;

	unlink($switch);
	append_to_file($switch, $function) if $function ne '';
	return;
}

my $node = PostgreSQL::Test::Cluster->new('main');
init_node($node);
{
	local $ENV{LD_PRELOAD} = "$dir/failing.so";
	$node->start;
}
$node->safe_psql('postgres', q{
	CREATE EXTENSION coderring;
	SELECT coderring_create('shuffled', 2), coderring_create('network', 4)});

my %taken = map { $_ => [] } qw(shuffled network);
my $session;

sub take
{
	my ($ring, $count) = @_;
	my @codes = split(/\n/, $session->query("SELECT coderring_get_codes('$ring', $count)"));

	push @{ $taken{$ring} }, @codes;
	return scalar(@codes);
}

sub fails_with
{
	my ($state, $title, @queries) = @_;

	foreach my $query (@queries)
	{
		$session->query($query);
		is($session->state, $state, "$title: $query") or diag($session->{error});
	}
	return;
}

# A new session has no cipher yet; then there is one, which needs the ring's key, then
# one that has the key, and encrypts what belongs to another extra.
my @steps = (
	[ 'cipher', '' ],
	[ 'key', q{SELECT coderring_create('other', 2), coderring_get_code('other'), coderring_drop('other')} ],
	[ 'encrypt', q{SELECT coderring_get_code('shuffled'), coderring_get_code('network')} ]);
my $number = 0;

foreach my $step (@steps)
{
	my ($function, $before) = @$step;

	$number++;
	$session = new_session($node);
	$session->query($before) if $before ne '' && $function ne 'encrypt';
	if ($function eq 'encrypt')
	{
		take($_, 1) foreach qw(shuffled network);
	}
	failing($function);
	fails_with('XX000', "$function fails",
		map { ("SELECT coderring_get_code('$_', '$number-')", "SELECT coderring_get_codes('$_', 5, '$number-')") } sort keys %taken);
	failing('');
	$session->query("SELECT coderring_get_code('$_', '$number-')") foreach sort keys %taken;
	foreach my $ring (sort keys %taken)
	{
		is($node->safe_psql('postgres', "SELECT cycle_offset FROM coderring.series WHERE ring = '$ring' AND extra = '$number-'"),
			1, "$function: the series of $ring begins with its first code");
		my $code = $session->query("SELECT coderring_get_code('$ring', '$number-')");

		# what is computed for a refill and for a look at a code
		$session->quit;
		$session = new_session($node);
		$session->query($before) if $function eq 'key';
		failing($function);
		fails_with('XX000', "$function fails", "SELECT * FROM coderring_decode('$ring', '$code')", "SELECT coderring_issued('$ring', '$code')");
		failing('');
		is($session->query("SELECT coderring_issued('$ring', '$code')"), 't', "$function works again: the code is known");
		is(take($ring, 100), 100, "and $ring goes on");
	}
	$session->quit;
}

# Where the cipher fails between two blocks of a series that has its key
$session = new_session($node);
take('shuffled', 1);
take('network', 70000);
failing('encrypt');
$session->query("SELECT coderring_get_codes('network', 100000)");
is($session->state, 'XX000', 'the cipher fails in the midst of a series');
fails_with('XX000', 'and when a code is looked at', "SELECT coderring_issued('network', '$taken{network}[-1]')");
failing('');
take('network', 100);
$session->quit;

# Keys and identities of rings
$session = new_session($node);
failing('random');
fails_with('XX000', 'no random bytes', q{SELECT coderring_create('new')}, q{SELECT coderring_reset('network')});
failing('digest');
fails_with('XX000', 'no digest', q{SELECT coderring_reset('network', test_seed => 'seed')});
failing('');
is($session->query('SELECT string_agg(name, $$ $$ ORDER BY name) FROM coderring.rings'), 'network shuffled', 'nothing was made');

# Nothing was lost or came twice, and the whole cycle comes.
take('shuffled', 1024 - @{ $taken{shuffled} });
full_cycle($taken{shuffled}, 2, '', 'shuffled: a whole cycle, each code once');
is(scalar(duplicates(@{ $taken{network} })), 0, 'network: no code twice');
my ($taken, $passed) = (scalar(@{ $taken{network} }), position($node, 'network/'));
cmp_ok($passed - $taken, '<=', 100000, 'network: no more skipped than the failed call had taken');
cmp_ok($passed, '>=', $taken, 'network: nothing given back');

$node->stop;
done_testing();
