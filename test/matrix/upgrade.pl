# pg_upgrade with rings in use.  The old server is that of CODERRING_OLD (as
# pg_config --bindir says, without /bin), the new one that of the pg_config that
# PGXS was read for; both have coderring.  Run by test/matrix.sh.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../t";

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Checksums came to be the default: the same on both sides.
my $old = PostgreSQL::Test::Cluster->new('old', install_path => $ENV{CODERRING_OLD});
my $new = PostgreSQL::Test::Cluster->new('new');
$old->init(extra => ['--data-checksums']);
$new->init(extra => ['--data-checksums']);
$_->append_conf('postgresql.conf', 'log_statement = none') foreach ($old, $new);
$old->start;
note('From ' . $old->safe_psql('postgres', 'SHOW server_version') . " in $ENV{CODERRING_OLD}");

my %issued;     # by ring: every code that was received, also in vain

# take(NODE, RING, COUNT, EXTRA, SQL): so many codes, read between the two
# halves of SQL, which is split at a bar.  They are distinct, and new.
sub take
{
	my ($node, $ring, $count, $extra, $sql) = @_;
	my ($before, $after) = split(/\|/, $sql // '|');
	my @codes = split(/\n/, $node->safe_psql('postgres',
		"$before SELECT coderring_get_codes('$ring', $count, '$extra'); " . ($after // '')));
	my @twice = grep { $issued{$ring}{$_}++ } @codes;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(@codes == $count && !@twice, "$count codes of $ring/$extra, all new")
	  or diag(scalar(@codes) . ' codes, ' . scalar(@twice) . " were there before: @twice[0 .. ($#twice < 9 ? $#twice : 9)]");
	return @codes;
}

# Take codes and keep them in the table.
sub store
{
	my ($node, $ring, $count, $extra, $sql) = @_;
	my @codes = take($node, $ring, $count, $extra, $sql);

	$node->safe_psql('postgres',
		"INSERT INTO code SELECT '$ring', '$extra', unnest('{" . join(',', @codes) . "}'::text[]) ON CONFLICT DO NOTHING");
	return @codes;
}

# Codes in the table for which a condition does not hold, some of them
sub exceptions
{
	my ($node, $condition) = @_;

	return $node->safe_psql('postgres',
		"SELECT ring, extra, code FROM code WHERE ($condition) IS NOT TRUE LIMIT 5");
}

# refused(NODE, ROLE, RING): with the SQLSTATE of a lack of privileges
sub refused
{
	my ($node, $role, $ring) = @_;
	my $session = new_session($node);

	$session->query("SET ROLE $role; SELECT coderring_get_code('$ring')");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($session->state, '42501', "$role takes no code of $ring");
	$session->quit;
	return;
}

#
# The old server
#
$old->safe_psql('postgres', <<'SQL');
CREATE EXTENSION coderring;
CREATE ROLE app;
CREATE ROLE team;
CREATE ROLE stranger;
SELECT coderring_define_blocklist('ours', '{CAT,BEE}');
SELECT coderring_create('dropped'), coderring_create('default'), coderring_create('tiny', 1);
SELECT coderring_create('english', blocklist => 'english');
SELECT coderring_create('ours', 3, blocklist => 'ours');
SELECT coderring_create('checked', 6, alphabet => coderring_alphabet('crockford'),
	check_character => true, max_length => 20, first_cycle => 3);
SELECT coderring_create('emptied', 2), coderring_create('unused', 5);
SELECT coderring_drop('dropped');
SELECT coderring_grant('default', 'app'), coderring_grant('english', 'public');
SELECT coderring_change_owner('checked', 'team');
CREATE TABLE code (ring text, extra text, code text, PRIMARY KEY (ring, code));
SQL

store($old, 'default', 5000, $_) foreach ('', '26', 'X');
store($old, 'default', 500, '26', 'SET ROLE app;');
take($old, 'default', 700, '26', 'BEGIN;|ROLLBACK;');
take($old, 'default', 300, 'rolled back', 'BEGIN;|ROLLBACK;');
store($old, 'english', 3000, '', 'SET ROLE stranger;');
store($old, 'ours', 16000, '');
store($old, 'checked', 3000, '', 'SET ROLE team;');
$old->safe_psql('postgres', q{SELECT coderring_get_code('checked', '26')});
$old->safe_psql('postgres', q{SELECT coderring_advance('checked', '26', 7, 12345)});
store($old, 'checked', 3000, '26');

# A cycle that is another series', and one that was cut short
store($old, 'tiny', 20, 'X');
store($old, 'tiny', 40, '');
store($old, 'tiny', 3, 'bumped');
$old->safe_psql('postgres', q{SELECT coderring_get_code('tiny', 'bumped', true)});
store($old, 'tiny', 3, 'bumped');

# Up to the last code of a cycle, with an orphan beside it
store($old, 'emptied', 1024, '');
$old->safe_psql('postgres', q{BEGIN; SELECT coderring_create('orphan', 2);
	SELECT count(*) FROM coderring_get_codes('orphan', 100); ROLLBACK});

my %same = (
	'rings'       => 'SELECT * FROM coderring.rings ORDER BY name',
	'keys'        => 'SELECT name, id, incarnation, key FROM coderring.ring ORDER BY name',
	'lists'       => 'SELECT * FROM coderring.blocklist ORDER BY 1, 2',
	'grants'      => 'SELECT * FROM coderring.ring_grant ORDER BY 1, 2, 3',
	'skips'       => 'SELECT * FROM coderring.skipped_positions ORDER BY 1, 2, 3',
	'states'      => 'SELECT * FROM coderring.series_state ORDER BY incarnation, extra',
	'series'      => 'SELECT ring, extra, reserved_to, codes_per_cycle FROM coderring.series ORDER BY 1, 2',
	'decodings'   => 'SELECT ring, code, d FROM code, coderring_decode(ring, code) AS d ORDER BY 1, 2');
my %before = map { $_ => $old->safe_psql('postgres', $same{$_}) } keys %same;
is($before{skips} =~ tr/\n// > 0, 1, 'some positions are skipped');
is(exceptions($old, 'coderring_issued(ring, code)'), '', 'all codes in the table are issued, says the old server');
my %position = %{ positions($old) };

#
# pg_upgrade, once to look and once to do it
#
$old->stop;
chdir $PostgreSQL::Test::Utils::tmp_check;
my @upgrade = (
	'pg_upgrade', '-d', $old->data_dir, '-D', $new->data_dir,
	'-b', $old->config_data('--bindir'), '-B', $new->config_data('--bindir'),
	'-s', $new->host, '-p', $old->port, '-P', $new->port);
$new->command_ok([ @upgrade, '--check' ], 'pg_upgrade --check');
$new->command_ok([@upgrade], 'pg_upgrade');
$new->start;

#
# The new server
#
note('To ' . $new->safe_psql('postgres', 'SHOW server_version'));
is($new->safe_psql('postgres', q{SELECT extversion = default_version
	FROM pg_extension e JOIN pg_available_extensions a ON e.extname = a.name WHERE e.extname = 'coderring'}),
	't', 'there is nothing for ALTER EXTENSION to do');
is($new->safe_psql('postgres', $same{$_}), $before{$_}, "the same $_") foreach sort keys %same;
is(exceptions($new, 'coderring_issued(ring, code)'), '', 'all codes in the table are issued');
is(exceptions($new, '(SELECT d.extra = code.extra FROM coderring_decode(ring, code) d)'),
	'', '... and decode to the extra that they were asked with');

refused($new, 'stranger', 'default');
refused($new, 'app', 'checked');
store($new, 'default', 1000, '26', 'SET ROLE app;');
store($new, 'english', 3000, '', 'SET ROLE stranger;');
store($new, 'checked', 1000, '', 'SET ROLE team;');

# Series go on where they were, give or take what a restart costs.
my %now = %{ positions($new) };
my %taken = ('default/26' => 1000, 'english/' => 3000, 'checked/' => 1000);
foreach my $series (sort keys %taken)
{
	my ($ring, $extra) = split(m{/}, $series, 2);
	my $cycle = $new->safe_psql('postgres', "SELECT codes_per_cycle FROM coderring.series WHERE ring = '$ring' LIMIT 1");
	my $past = $now{$series} - $position{$series};

	cmp_ok($past, '>=', $taken{$series}, "$series has gone on");
	# the filter passes some over, few of four characters
	cmp_ok($past, '<=', $taken{$series} * 1.1 + $cycle / 64, "$series has skipped no more than 1/64 of a cycle");
}

store($new, 'default', 5000, $_) foreach ('', '26', 'X', 'rolled back', 'new');
store($new, 'checked', 3000, '26');
store($new, 'tiny', 90, $_) foreach ('', 'X', 'W', 'bumped', 'XX');
store($new, 'emptied', 2000, '');
is(exceptions($new, q{ring <> 'checked' OR (coderring_is_valid(coderring_alphabet('crockford'), code) AND
	coderring_normalize(ring, lower(code)) = code)}), '', 'check characters hold');

# Nearly all of a cycle, and neither word in it, as read by people
store($new, 'ours', 16200, '');
is(join(' ', grep { tr/4378/AETB/r =~ /CAT|BEE/ } keys %{ $issued{ours} }), '', 'a list of our own holds');
my $letters = 'KLMNPQRUVWXY';
$new->safe_psql('postgres', "SELECT coderring_define_blocklist('ours', '{" . join(',', map { $_ x 3 } split(//, $letters)) . "}')");
is(join(' ', grep { /([$letters])\1\1/ } take($new, 'ours', 32000, '')), '', '... and can be changed');
is($new->safe_psql('postgres', q{SELECT coderring_create('created later');
	SELECT id > ALL (SELECT id FROM coderring.ring r WHERE r.name <> 'created later') FROM coderring.ring WHERE name = 'created later'}),
	"\nt", 'a new ring has a number of its own');
store($new, 'created later', 1000, '');
store($new, 'unused', 1000, '');

# What was written after the upgrade outlives a crash too.
$new->stop('immediate');
$new->start;
store($new, 'default', 3000, $_) foreach ('', '26', 'new');
is(exceptions($new, 'coderring_issued(ring, code)'), '', 'old and new codes are issued, also after a crash');

done_testing();
