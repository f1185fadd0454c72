# Dump and restore.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', '');
my $target = PostgreSQL::Test::Cluster->new('target');
my $tempdir = PostgreSQL::Test::Utils::tempdir();
my $databases = 0;

init_node($target);
$target->append_conf('postgresql.conf', 'wal_writer_delay = 10s');
$target->start;

# What a ring hands out, by the thousand.
sub take
{
	my ($server, $dbname, $ring, $count, $extra) = @_;
	return split(/\n/, $server->safe_psql($dbname, "SELECT coderring_get_codes('$ring', $count, '@{[ $extra // '' ]}')"));
}

# restore(FILE, SERVER): into a new database, whose name is returned.
sub restore
{
	my ($file, $server) = @_;
	my $dbname = 'restored' . ++$databases;

	$server //= $target;
	$server->safe_psql('postgres', "CREATE DATABASE $dbname");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$server->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $dbname, '-f', $file ],
		"$dbname: loads without an error");
	return $dbname;
}

sub dump_to
{
	my ($name, @options) = @_;
	my $file = "$tempdir/$name.sql";

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->command_ok([ 'pg_dump', '-f', $file, @options ], "pg_dump @options");
	return $file;
}

# no_repeats(TITLE, BEFORE, AFTER)
sub no_repeats
{
	my ($title, $before, $after) = @_;
	my %before = map { $_ => 1 } @$before;
	my @again = grep { $before{$_} } @$after;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(@$after > 0 && @again == 0, $title) or diag(scalar(@again) . ' codes came again');
	return;
}

#
# The extension without a ring.
#
my $empty = restore(dump_to('empty', 'postgres'));
is($target->safe_psql($empty, q{SELECT coderring_create('first'); SELECT name FROM coderring.ring}),
	"\nfirst", 'nothing was dumped but the extension');

#
# Rings in use, with blocks outstanding.
#
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE gardener;
CREATE ROLE passer_by;
CREATE ROLE leaver;
GRANT EXECUTE ON FUNCTION coderring_create TO PUBLIC;
GRANT CREATE ON SCHEMA public TO gardener;
SELECT coderring_create('two', 2);
SELECT coderring_create('four');
SELECT coderring_create('hex', 3, alphabet => '0123456789abcdef', max_length => 8, first_cycle => 2);
SET ROLE gardener;
SELECT coderring_create('garden', 3);
SET ROLE leaver;
SELECT coderring_create('left', 3);
SQL
my %before = map { $_ => [ take($node, 'postgres', $_, 900) ] } qw(two four hex garden left);
push @{ $before{two} }, take($node, 'postgres', 'two', 1200, 'X');
push @{ $before{two} }, take($node, 'postgres', 'two', 1200);

# Created, used and rolled back: the series remain, and are nobody's.
$node->safe_psql('postgres', <<'SQL');
BEGIN;
SELECT coderring_create('orphan', 2);
SELECT count(*) FROM coderring_get_codes('orphan', 10);
SELECT coderring_reset('hex');
SELECT count(*) FROM coderring_get_codes('hex', 10);
ROLLBACK;
SQL
is($node->safe_psql('postgres', q{SELECT count(*) FROM coderring.series_state
	WHERE incarnation NOT IN (SELECT incarnation FROM coderring.ring)}), 2, 'there are orphans');

# One more server with the roles, but under other OIDs, and without one.
$target->safe_psql('postgres', 'CREATE ROLE other1; CREATE ROLE other2; CREATE ROLE gardener; CREATE ROLE passer_by');

my $file = dump_to('used', 'postgres');
my @at_dump = @{ $before{four} };
my $used = restore($file);
is($target->safe_psql($used, q{SELECT count(*) FROM coderring.series_state
	WHERE incarnation NOT IN (SELECT incarnation FROM coderring.ring)}), 0, 'orphans are not in the dump');
is($target->safe_psql($used, q{SELECT name, base_length, alphabet, blocklist, check_character, max_length, first_cycle FROM coderring.rings ORDER BY name}),
	$node->safe_psql('postgres', q{SELECT name, base_length, alphabet, blocklist, check_character, max_length, first_cycle FROM coderring.rings ORDER BY name}),
	'the same rings');
my $ids = 'SELECT name, id, replicated FROM coderring.ring ORDER BY name';
is($target->safe_psql($used, $ids), $node->safe_psql('postgres', $ids), 'under the same ids');
is($target->safe_psql($used, q{SELECT ring, extra, cycle * codes_per_cycle + cycle_offset FROM coderring.series ORDER BY 1, 2}),
	$node->safe_psql('postgres', q{SELECT ring, extra, reserved_to FROM coderring.series ORDER BY 1, 2}),
	'series begin where they were reserved up to');

foreach my $ring (sort keys %before)
{
	# Since the rings are copies, the old one goes on from the same position.
	my @after = take($target, $used, $ring, 1200);
	no_repeats("$ring: no code that was handed out before", $before{$ring}, \@after);
}
no_repeats('two: with an extra, too', $before{two}, [ take($target, $used, 'two', 2000, 'X') ]);

# Owners
is($target->safe_psql($used, q{SELECT owner FROM coderring.rings WHERE name = 'garden'}),
	'gardener', 'the owner is found by name');
like($target->safe_psql($used, q{SET ROLE gardener; SELECT coderring_get_code('garden')}),
	qr/^X?\w{3}\z/, 'and may take codes');
foreach my $role ('passer_by', 'gardener')
{
	my ($status, undef, $error) = $target->psql($used, "SET ROLE $role; SELECT coderring_get_code('left')",
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/ERROR:  42501:/, "owner is missing: $role may not take codes");
}
is($target->safe_psql($used, q{SELECT coderring_create('next'); SELECT length(coderring_get_code('next'))}),
	"\n4", 'rings can be created');
is($target->safe_psql($used, q{SELECT count(*) FROM pg_locks WHERE objsubid BETWEEN 17234 AND 17237}),
	0, 'no lock is left');

#
# The schema alone: the extension, and no ring.
#
my $schema = restore(dump_to('schema', '--schema-only', 'postgres'));
is($target->safe_psql($schema, q{SELECT count(*) FROM coderring.ring; SELECT coderring_create('two', 2); SELECT length(coderring_get_code('two'))}),
	"0\n\n2", 'schema only: works, without the rings');

# Other formats and ways.
foreach my $options ([ '-Fc', '-f' ], [ '-Fd', '-j2', '-f' ])
{
	my $archive = "$tempdir/archive$options->[0]";
	my $dbname = 'archive' . ++$databases;

	$node->command_ok([ 'pg_dump', @$options, $archive, 'postgres' ], "pg_dump @$options");
	$target->safe_psql('postgres', "CREATE DATABASE $dbname");
	$target->command_ok([ 'pg_restore', '-e', '-j2', '-d', $dbname, $archive ], "pg_restore of @$options");
	no_repeats("pg_restore of @$options: no code twice", $before{four}, [ take($target, $dbname, 'four', 1000) ]);
}
{
	my $dbname = restore(dump_to('inserts', '--column-inserts', '--disable-triggers', 'postgres'));
	no_repeats('restored by INSERTs: no code twice', $before{four}, [ take($target, $dbname, 'four', 1000) ]);
}

# With triggers disabled: no codes until all are again as they should be, by the
# statement of docs/troubleshooting.md.
{
	my $archive = "$tempdir/disabled";
	my $guards = q{SELECT count(*) FILTER (WHERE tgenabled = 'A'), count(*) FILTER (WHERE tgenabled <> 'A') FROM pg_trigger
		WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'coderring.%'};
	my ($statement) = slurp_file("$FindBin::RealBin/../../docs/troubleshooting.md") =~ /^(DO \$\$\nDECLARE\n    guard record;.*?^END \$\$;)$/ms;

	$node->command_ok([ 'pg_dump', '-Fc', '-f', $archive, 'postgres' ], 'a dump');
	$target->safe_psql('postgres', 'CREATE DATABASE disabled');
	$target->safe_psql('disabled', 'CREATE EXTENSION coderring');
	$target->command_ok([ 'pg_restore', '-e', '--data-only', '--disable-triggers', '-n', 'coderring', '-d', 'disabled', $archive ], 'restored with triggers disabled');
	is($target->safe_psql('disabled', $guards), '0|15', 'which leaves all guards open');
	foreach my $ring (sort keys %before)
	{
		my (undef, undef, $error) = $target->psql('disabled', "SELECT coderring_get_code('$ring')");

		like($error, qr/cannot take codes while trigger/, "no codes of $ring");
	}
	$target->safe_psql('disabled', $statement);
	is($target->safe_psql('disabled', $guards), '15|0', 'one statement closes them');
	no_repeats("and $_ goes on", $before{$_}, [ take($target, 'disabled', $_, 300) ]) foreach sort keys %before;
}

#
# A snapshot that is older than a reset, a drop, new rings and new series.
#
my $holder = new_session($node);
$holder->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $snapshot = $holder->query('SELECT pg_export_snapshot()');

push @{ $before{four} }, take($node, 'postgres', 'four', 3000);
push @{ $before{garden} }, take($node, 'postgres', 'garden', 100, 'new');
push @{ $before{two} }, take($node, 'postgres', 'two', 5000);
push @{ $before{hex} }, take($node, 'postgres', 'hex', 200);
push @{ $before{left} }, take($node, 'postgres', 'left', 200);
$node->safe_psql('postgres', q{SELECT coderring_reset('hex')});
take($node, 'postgres', 'hex', 300);
$node->safe_psql('postgres', q{SELECT coderring_drop('left'); SELECT coderring_create('later', 2); SELECT coderring_rename('two', 'zwei')});
take($node, 'postgres', 'later', 10);
$node->safe_psql('postgres', 'VACUUM coderring.series_state; VACUUM coderring.ring');

my $old = restore(dump_to('old', "--snapshot=$snapshot", 'postgres'));
$holder->query('COMMIT');
$holder->quit;
is($target->safe_psql($old, q{SELECT string_agg(name, ' ' ORDER BY name) FROM coderring.rings}),
	'four garden hex left two', 'older snapshot: the rings of then');
no_repeats("older snapshot, $_: no code that was handed out before the dump",
	$before{$_}, [ take($target, $old, $_, 1000) ])
  foreach qw(four hex left two);
no_repeats('older snapshot: nor of a series that was new', $before{garden}, [ take($target, $old, 'garden', 100, 'new') ]);

# And a dump under load: what was received before it began.
my $script = write_script(join('', map {
	"SELECT coderring_get_code('four');\nSELECT coderring_get_code('zwei', '$_-');\n" } 1 .. 10_000));
my @runs = map { start_client($node, $script) } 1 .. 3;
wait_for_output(10_000, @runs);
my @received = output_of(@runs);
my $loaded = dump_to('loaded', 'postgres');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
stop_clients(@runs);
chomp @received;
$loaded = restore($loaded);
no_repeats('dumped under load: no code that was received before', \@received, [ take($target, $loaded, 'four', 5000) ]);
no_repeats('dumped under load: nor of a new series',
	\@received, [ map { take($target, $loaded, 'zwei', 1, "$_-") } 1 .. 3 ]);

#
# The whole server.
#
$node->command_ok([ 'pg_dumpall', '-f', "$tempdir/all.sql" ], 'pg_dumpall');
my $third = PostgreSQL::Test::Cluster->new('third');
init_node($third);
$third->start;
$third->command_ok([ 'psql', '-Xq', '-d', 'postgres', '-f', "$tempdir/all.sql" ], 'pg_dumpall is restored');
is($third->safe_psql('postgres', q{SELECT name, owner FROM coderring.rings ORDER BY name}),
	$node->safe_psql('postgres', q{SELECT name, owner FROM coderring.rings ORDER BY name}),
	'with the owners of the rings');
no_repeats('pg_dumpall: no code twice', $before{four}, [ take($third, 'postgres', 'four', 1000) ]);

#
# Beside the original, on the same server.
#
my $beside = restore($file, $node);
my @theirs = take($node, $beside, 'four', 100);
my @ours = take($node, 'postgres', 'four', 500);
no_repeats('restored beside the original: the copy goes its own way', \@at_dump, \@theirs);
no_repeats('restored beside the original: and so does the original', $before{four}, \@ours);

# Dumped where its owner is missing and restored where there is one.
$target->command_ok([ 'pg_dump', '-f', "$tempdir/back.sql", $used ], 'pg_dump of a ring without an owner');
my $back = restore("$tempdir/back.sql", $node);
is($node->safe_psql($back, q{SELECT owner FROM coderring.rings WHERE name = 'left'}),
	'leaver', 'its owner is found again');

#
# Rows of a dump that are here already are taken in place; that is as durable as any
# restore, though the transaction has written nothing else.
#
$target->safe_psql($used, q{SELECT coderring_create('taken'); SELECT coderring_get_code('taken')});
foreach my $commit ('on', 'off')
{
	my ($before) = $target->safe_psql($used, q{SELECT reserved_to FROM coderring.series WHERE ring = 'taken'});

	$target->safe_psql($used, qq{
		SET synchronous_commit = $commit;
		INSERT INTO coderring.series_state
			SELECT incarnation, reserved_to + 1000, counted_to, unblocked, s.filter, s.timeline, pace, measured_from, measured_at, reserved_at, extra
			FROM coderring.series_state s JOIN coderring.ring USING (incarnation) WHERE name = 'taken'});
	$target->stop('immediate');
	$target->start;
	is($target->safe_psql($used, q{SELECT reserved_to FROM coderring.series WHERE ring = 'taken'}), $before + 1000,
		"synchronous_commit $commit: what a restore has moved forward is there after a crash");
}

$_->stop foreach $node, $target, $third;
done_testing();
