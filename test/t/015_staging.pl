# docs/databases.md: every block of SQL and shell in it is run as it stands there,
# in the situation that it is for, and what the text says is looked at.

use strict;
use warnings;

use Cwd;
use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::RealBin/../../docs/databases.md");

# Blocks by the headings that they are under
my %blocks;

{
	my $title = '';

	while ($page =~ /^(?:## ([^\n]+)|```(\w+)\n(.*?)^```$)/msg)
	{
		if (defined $1) { $title = $1 }
		else { push @{ $blocks{$title} }, { language => $2, text => $3, used => 0 } }
	}
}

my $node = PostgreSQL::Test::Cluster->new('main');
my $tempdir = PostgreSQL::Test::Utils::tempdir();

init_node($node);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE staging LOGIN');

# block(TITLE, NUMBER): the text of one, counted from 0.
sub block
{
	my ($title, $number) = @_;
	my $block = $blocks{$title}[$number] or die "the page has no block $number under \"$title\"";

	$block->{used}++;
	return $block->{text};
}

# run_sql(DBNAME, SQL): what psql prints, and what it complains of; fails on
# an error.
sub run_sql
{
	my ($dbname, $sql) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($dbname), '-f', write_script($sql) ],
		'<', '/dev/null', '>', \$out, '2>', \$err);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($ok, "$dbname: " . ($sql =~ /^\s*(.{0,60})/)[0]) or diag($err);
	chomp $out;
	return wantarray ? ($out, $err) : $out;
}

# run_sh(TEXT): in the temporary directory, on the node.
sub run_sh
{
	my ($text) = @_;
	my $here = getcwd();

	chdir $tempdir or die;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->command_ok([ 'bash', '-e', '-o', 'pipefail', '-c', $text ], ($text =~ /^(.{0,60})/)[0]);
	chdir $here or die;
	return;
}

# The SQLSTATE of the first error of a statement, or an empty string.
sub state_of
{
	my ($dbname, $sql) = @_;
	my (undef, undef, $error) = $node->psql($dbname, $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);

	return $error =~ /ERROR:  (\w{5}):/ ? $1 : '';
}

sub take
{
	my ($dbname, $count, $extra) = @_;

	return split(/\n/, $node->safe_psql($dbname, "SELECT coderring_get_codes('order', $count, '@{[ $extra // '' ]}')"));
}

# new_database(NAME): with the extension and a ring.
sub new_database
{
	my ($dbname) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $dbname");
	$node->safe_psql($dbname, q{CREATE EXTENSION coderring; SELECT coderring_create('order', 3)});
	return;
}

sub load
{
	my ($file, $dbname) = @_;
	my ($out, $err) = ('', '');

	$node->safe_psql('postgres', "CREATE DATABASE $dbname");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($dbname), '-f', $file ],
			'<', '/dev/null', '>', \$out, '2>', \$err), "$dbname is restored") or diag($err);
	return $err;
}

#
# Seeds
#
new_database('app');
$node->safe_psql('app', q{CREATE TABLE booking (reference text PRIMARY KEY DEFAULT coderring_get_code('order'), guest text)});
run_sh(block('Seeds', 0));
load("$tempdir/structure.sql", 'seeded');
is($node->safe_psql('seeded', 'SELECT count(*) FROM coderring.rings'), 0, 'a dump of the schema holds no ring');
my $insert = q{INSERT INTO booking (guest) VALUES ('Ada') RETURNING reference};
is(state_of('seeded', $insert), '42704', 'but the default of the column');
run_sql('seeded', block('Seeds', 1));
is($node->safe_psql('seeded', 'SELECT name, grantees FROM coderring.rings'), 'order|{app}', 'the seeds make the ring');
my @seeded = ($node->safe_psql('seeded', $insert), take('seeded', 100));
my (undef, $said) = run_sql('seeded', block('Seeds', 1));
like($said, qr/NOTICE:  ring "order" already exists, skipping/, 'run again, they say that it is there');
unlike($said, qr/WARNING/, 'and no more');
is(scalar(duplicates(@seeded, take('seeded', 2000))), 0, 'codes go on');
(my $other = block('Seeds', 1)) =~ s/'order', if/'order', base_length => 5, if/;
(undef, $said) = run_sql('seeded', $other);
like($said, qr/WARNING:  ring "order" differs.*\n.*base_length is 4/, 'with other options they warn');

# A dump of the data: beside the rings of the seeds, and twice
sub load_data
{
	my ($file) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-X1q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('seeded'), '-f', $file ], '<', '/dev/null', '>', \$out, '2>', \$err);
	return $err =~ /ERROR:  (.*)/ ? $1 : '';
}

$node->safe_psql('app', q{SELECT coderring_grant('order', 'app'); INSERT INTO booking (guest) SELECT 'Ada' FROM generate_series(1, 50)});
$node->command_ok([ 'pg_dump', '--data-only', '-f', "$tempdir/data.sql", 'app' ], 'a dump of the data');
$node->command_ok([ 'pg_dump', '--data-only', '-Fc', '-f', "$tempdir/data.dump", 'app' ], 'and another');
$node->safe_psql($_, 'TRUNCATE booking') foreach 'app', 'seeded';
is(load_data("$tempdir/data.sql"), 'duplicate key value violates unique constraint "ring_name_key"', 'does not load beside the rings of the seeds');
is($node->safe_psql('seeded', q{SELECT count(*) FROM coderring.series_state}), 1, 'and nothing stays of it');
$node->safe_psql('seeded', q{SELECT coderring_drop('order')});
is(load_data("$tempdir/data.sql"), '', 'without them it does');
my $there = q{SELECT reserved_to, (SELECT grantees FROM coderring.rings) FROM coderring.series};
is($node->safe_psql('seeded', $there), $node->safe_psql('app', $there), 'and brings rings, grants and how far they have come');
my @since = take('seeded', 5000);
my $came_to = $node->safe_psql('seeded', $there);
$node->safe_psql('seeded', 'TRUNCATE booking');
is(load_data("$tempdir/data.sql"), 'duplicate key value violates unique constraint "ring_pkey"', 'twice it does not');
my ($only) = $page =~ /`(pg_restore --data-only -N coderring)`/;
run_sh("$only -d seeded data.dump");
is($node->safe_psql('seeded', q{SELECT count(*) FROM booking}), 50, 'but without its rings');
is($node->safe_psql('seeded', $there), $came_to, 'and the series are where they were');
my ($rows) = slurp_file("$tempdir/data.sql") =~ /^(COPY coderring\.series_state .*?^\\\.\n)/ms;
like($rows, qr/\n.*\t.*\n\\\.\n\z/, 'the dump has rows of series');
$node->safe_psql('seeded', $rows);
is($node->safe_psql('seeded', $there), $came_to, 'as they are where only rows of series come again');
is(scalar(duplicates(@since, take('seeded', 5000))), 0, 'nothing twice');

#
# Repeatable codes
#
my $repeatable = block('Repeatable codes', 0);
my @wanted = $repeatable =~ /coderring_get_code.*-- (\w+)$/mg;
$node->safe_psql('postgres', 'CREATE DATABASE repeatable');
$node->safe_psql('repeatable', q{CREATE EXTENSION coderring; SELECT coderring_create('order')});
my @unlike = take('repeatable', 3);
is(scalar(@wanted), 3, 'the text shows codes');
is(run_sql('repeatable', $repeatable), join("\n", '', @wanted), "codes with test_seed, time $_") foreach 1, 2;
$node->safe_psql('repeatable', q{SELECT coderring_reset('order')});
isnt(join(' ', take('repeatable', 3)), join(' ', @wanted[ 0, 1 ]), 'without it they are others');

my $test = new_session($node, 'repeatable');
my $caller = new_session($node, 'repeatable');
my @taken = take('repeatable', 20);
$test->query('BEGIN');
is($test->query($repeatable), join("\n", '', @wanted), 'in a transaction');
$caller->send(q{SELECT coderring_get_code('order')});
wait_for_lock($node, $caller->{pid});
$test->query('ROLLBACK');
push @taken, $caller->receive;
is($caller->{error}, '', 'others wait for its end');
$test->query('BEGIN');
push @taken, $test->query(q{SELECT coderring_get_code('order')});
$test->query('ROLLBACK');
push @taken, take('repeatable', 1000);
is(scalar(duplicates(@taken)), 0, 'a reset is undone by ROLLBACK, and no code that was taken');
is(position($node, 'order/', 'repeatable'), @taken + 3, 'nor is one lost');
$_->quit foreach $test, $caller;

#
# Copies
#
$node->safe_psql('app', q{SELECT coderring_create('unused', 2, first_cycle => 7), coderring_create('short', 1, max_length => 1),
	coderring_create('roomy', 1, max_length => 2); SELECT coderring_get_code(r) FROM unnest('{short,roomy}'::text[]) r});
my $fill = q{INSERT INTO booking SELECT coderring_get_code('order', e) FROM generate_series(1, 40000) i, unnest('{"",26,27}'::text[]) e WHERE i <= 500 OR e = '26'};
$node->safe_psql('app', $fill);
run_sh(block('Copies', 0));
run_sh(block('Copies', 0) =~ s/staging/copied/r);
my @original = take('app', 2000);
my %original = map { $_ => 1 } @original;
cmp_ok(scalar(grep { $original{$_} } take('copied', 2000)), '>', 1000, 'a copy hands out the codes of the original');
(undef, $said) = run_sql('staging', block('Copies', 1));
is($node->safe_psql('staging', q{SELECT name, first_cycle FROM coderring.rings ORDER BY 1}), "order|2\nroomy|1\nshort|0\nunused|7",
	'reset to past what there was, where that is possible');
is(join('', $said =~ /WARNING:  (.*)/g), 'ring "short" keeps its key: first_cycle 1 is not possible in ring "short"', 'a ring with max_length is named, and stops no other');
is($node->safe_psql('staging', 'SELECT count(*) FROM booking WHERE coderring_issued($$order$$, reference)'), 0,
	'codes from before are not known any more');
my @staging = map { take('staging', 2000, $_) } '', '26', '27', '28';
$node->safe_psql('staging', $fill);
is($node->safe_psql('staging', 'SELECT count(*) FROM booking'), 2 * 41000, 'and the tables that were copied take new ones');
is(scalar(grep { $original{$_} } @staging), 0, 'none that the original hands out now');
my @lengths = map { $node->safe_psql('staging', "SELECT coderring_create('c$_', 1, first_cycle => $_); SELECT length(coderring_get_code('c$_')) - 1") =~ /(\d)/ } 0, 1, 32, 33, 1024, 1025;
is("@lengths", '0 1 1 2 2 3', 'uniquizers have the lengths that the text names');
$node->safe_psql('staging', q{SELECT coderring_reset(name, test_seed => 'staging') FROM coderring.rings});
@staging = take('staging', 10);
$node->safe_psql('staging', q{SELECT coderring_reset(name, test_seed => 'staging') FROM coderring.rings});
is(join(' ', take('staging', 10)), "@staging", 'or to a test_seed');

#
# Other roles
#
$node->safe_psql('postgres', 'CREATE ROLE leaver');
new_database('owned');
$node->safe_psql('owned', q{SELECT coderring_create('left'), coderring_change_owner('left', 'leaver'), coderring_change_owner('order', 'app'),
	coderring_grant('order', 'leaver'), coderring_grant('order', 'staging')});
$node->command_ok([ 'pg_dump', '--no-owner', '-f', "$tempdir/owned.sql", 'owned' ], 'pg_dump --no-owner');
$node->safe_psql('owned', q{SELECT coderring_drop('left'), coderring_revoke('order', 'leaver')});
$node->safe_psql('postgres', 'DROP ROLE leaver');
load("$tempdir/owned.sql", 'elsewhere');
is($node->safe_psql('elsewhere', 'SELECT name, owner, grantees FROM coderring.rings ORDER BY 1'), "left||{}\norder|app|{staging}",
	'owners by their names, none where there is no such role, and no grant to it');
run_sql('elsewhere', block('Other roles', 0));
is($node->safe_psql('elsewhere', 'SELECT name, owner FROM coderring.rings ORDER BY 1'), "left|staging\norder|app",
	'those that are nobody\'s are given away');

#
# Older backups
#
new_database('lost');
$node->safe_psql('lost', q{SELECT coderring_create('ticket', 3, max_length => 3), coderring_get_code('ticket')});
my @lost = map { take('lost', 1000, $_) } '', '26';
$node->command_ok([ 'pg_dump', '-f', "$tempdir/backup.sql", 'lost' ], 'the backup');
push @lost, map { take('lost', 1000, $_) } '', '26', '27';
push @lost, take('lost', 65536, '26');
like(slurp_file($node->logfile), qr/LOG:  ring "order" has begun cycle 2 with extra "26"/, 'the log says that a cycle has begun');
load("$tempdir/backup.sql", $_) foreach 'restored', 'unmoved';
my %lost = map { $_ => 1 } @lost;
is(scalar(grep { $lost{$_} } take('unmoved', 100, $_)), 100, "an older backup repeats codes of extra \"$_\"") foreach '', '26', '27';
is(run_sql('restored', block('Older backups', 0)), 'ticket', 'rings with max_length');
load("$tempdir/backup.sql", 'gently');
run_sql('gently', block('Older backups', 1));
is(scalar(grep { $lost{$_} } map { take('gently', 1000, $_) } '', '26', '27'), 0, 'moved on, but for those, it repeats none');
is($node->safe_psql('gently', q{SELECT cycle, cycle_offset, coderring_get_code('ticket') IS NOT NULL FROM coderring.series WHERE ring = 'ticket'}) =~ /^0\|1\d{4}\|t$/, 1,
	'a ring with max_length goes on');
(undef, $said) = run_sql('restored', block('Older backups', 2));
like($said, qr/NOTICE:  new extras of ring "order" begin in cycle \d/, 'new extras are named');
is(scalar(grep { $lost{$_} } map { take('restored', 1000, $_) } '', '26', '27'), 0, 'moved on, it repeats none, of a new extra either');
run_sql('restored', block('Older backups', 3));
is(scalar(grep { $lost{$_} } map { take('restored', 1000, $_) } '', '26', '27', '28'), 0, 'nor moved further');
is($node->safe_psql('restored', 'SELECT count(*) FROM unnest(ARRAY[' . join(',', map { "'$_'" } @lost[ 0 .. 3000, -100 .. -1 ])
			. q{]) c WHERE NOT coderring_issued('order', c)}), 0, 'what was passed over counts as issued');

# Extras that are beginnings of others: a reset to longer codes, by the statement of docs/security.md
my ($longer) = slurp_file("$FindBin::RealBin/../../docs/security.md") =~ /^(SELECT coderring_reset\(name, [^;]*length\(alphabet\)[^;]*;)$/m;
my @extras = ('', 'X', '26', '2', 'XX', '6');
my $claim = sub { my ($dbname, $count, @of) = @_; map { split(/\n/, $node->safe_psql($dbname, "SELECT coderring_get_codes('tiny', $count, '$_')")) } @of };
new_database('claimed');
$node->safe_psql('claimed', q{SELECT coderring_create('tiny', 1)});
my @claimed = $claim->('claimed', 20, @extras[ 0 .. 3 ]);
$node->command_ok([ 'pg_dump', '-f', "$tempdir/claimed.sql", 'claimed' ], 'a backup');
push @claimed, $claim->('claimed', 100, reverse(@extras), '3', '3X');
load("$tempdir/claimed.sql", 'recovered');
$node->safe_psql('recovered', q{SELECT coderring_recover('tiny', codes => 200)});
run_sql('recovered', $longer =~ s/'order'/'tiny'/r);
push @claimed, $claim->('recovered', 40000, ''), $claim->('recovered', 300, @extras, '3', '3X');
is(scalar(duplicates(@claimed)), 0, 'reset to longer codes, a ring repeats none, whoever came first to a cycle');

#
# Logical replication, blue/green
#
new_database('old');
$node->safe_psql('old', q{SELECT coderring_create('filtered', 2, 'english'), coderring_create('digits', 3, alphabet => '0123456789'),
	coderring_create('long', 11, alphabet => '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'), coderring_create('tick', 1, max_length => 1)});
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE old") foreach 'new', 'unmoved_new';

# near the ends of a cycle, and of what fits into a number
my $draw = q{SELECT r || ' ' || coderring_get_code(r, e) FROM unnest('{order,filtered,digits,long}'::text[]) r,
	unnest('{"",A,X}'::text[]) e, generate_series(1, 1500)};
$node->safe_psql('old', q{SELECT coderring_advance('long', '', 0, 131621703842267000), coderring_advance('long', 'A', 0, 131621703842260001)});
$node->safe_psql('old', q{SELECT coderring_get_codes('tick', 32)});
my %old = map { $_ => 1 } split(/\n/, $node->safe_psql('old', $draw));
is(scalar(keys %old), 4 * 3 * 1500, 'codes of the old server');
cmp_ok(scalar(grep { $old{$_} } split(/\n/, $node->safe_psql('unmoved_new', $draw))), '>', 10000,
	'a replica of its definitions hands them out again');
my $reached = q{SELECT ring, extra, reserved_to FROM coderring.series WHERE extra <> 'X' ORDER BY 1, 2};
foreach my $time (1, 2)
{
	run_sh(block('Logical replication, blue/green', 0));
	is($node->safe_psql('new', $reached), $node->safe_psql('old', $reached), "moved $time times: at the same place");
}
my @new = split(/\n/, $node->safe_psql('new', $draw));
is(scalar(grep { $old{$_} } @new), 0, 'and the new server repeats nothing');
is(scalar(duplicates(@new)), 0, 'nor has it a code twice');
is(state_of('new', q{SELECT coderring_get_code('tick')}), '2200H', 'a series that is used up is so there');

#
# Rename and drop
#
new_database('renamed');
$node->safe_psql('renamed', q{CREATE TABLE booking (id int, reference text DEFAULT coderring_get_code('order'), guest text);
	CREATE TABLE other (reference text DEFAULT coderring_get_code('another'), order_number text DEFAULT 'order')});
is(run_sql('renamed', block('Rename and drop', 0)), 'public|booking|reference', 'the columns that call a ring are found');
$node->safe_psql('renamed', q{SELECT coderring_rename('order', 'third')});
is(state_of('renamed', $insert), '42704', 'renamed without them: an error');
$node->safe_psql('renamed', q{SELECT coderring_rename('third', 'order')});
my $many = q{INSERT INTO booking (guest) SELECT 'Ada' FROM generate_series(1, 500) RETURNING reference};
my @renamed = split(/\n/, $node->safe_psql('renamed', $many));
run_sql('renamed', block('Rename and drop', 1));
push @renamed, split(/\n/, $node->safe_psql('renamed', $many));
is(scalar(@renamed), 1000, 'renamed with them: there are codes');
is(scalar(duplicates(@renamed)), 0, 'renamed with them: codes go on');
is(run_sql('renamed', block('Rename and drop', 0)), '', 'nothing calls the old name');
is(state_of('renamed', 'DROP EXTENSION coderring'), '2BP01', 'DROP EXTENSION is refused');
is(state_of('renamed', q{SELECT coderring_drop('purchase')}), '', 'a drop is not');
is(state_of('renamed', $insert), '42704', 'and then there is an error');

#
# Columns
#
new_database('columns');
run_sql('columns', block('Columns', 0));
$node->safe_psql('columns', q{INSERT INTO booking SELECT coderring_get_code('order', e), '' FROM unnest('{"",26}'::text[]) e, generate_series(1, 500)});
$node->safe_psql('columns', 'ANALYZE booking');
my $explain = q{SET enable_seqscan = off; EXPLAIN (COSTS off) SELECT * FROM booking WHERE reference LIKE '26%'};
like($node->safe_psql('columns', $explain), qr/Index Cond: .*>= '26'/, 'LIKE uses the index');
$node->safe_psql('columns', q{SELECT coderring_create('short', 1), coderring_create('limited', 1, max_length => 1);
	CREATE TABLE short (code varchar(1) DEFAULT coderring_get_code('short'), n int);
	CREATE TABLE limited (code text DEFAULT coderring_get_code('limited'), n int);
	INSERT INTO short (n) SELECT generate_series(1, 32); INSERT INTO limited (n) SELECT generate_series(1, 32)});
is(state_of('columns', 'INSERT INTO short (n) VALUES (33)'), '22001', 'varchar fails one day');
is(position($node, 'short/', 'columns'), 33, 'with a code that is lost');
is(state_of('columns', 'INSERT INTO limited (n) VALUES (33)'), '2200H', 'max_length gives its own error');
is(position($node, 'limited/', 'columns'), 32, 'before anything changes');
is($node->safe_psql('columns', q{SELECT octet_length(coderring_get_code('order')::char(8))}), 8, 'char pads');
SKIP:
{
	skip 'this server is without ICU', 2
	  if $node->safe_psql('columns', q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'}) == 0;
	$node->safe_psql('columns', 'ALTER TABLE booking ALTER COLUMN reference TYPE text COLLATE "und-x-icu"');
	unlike($node->safe_psql('columns', $explain), qr/Index Cond/, 'with another collation LIKE does not use the index');
	$node->safe_psql('columns', q{CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		SELECT coderring_create('cased', 1, alphabet => 'abAB'); CREATE TABLE cased (code text COLLATE ignoring UNIQUE)});
	is(state_of('columns', q{INSERT INTO cased SELECT coderring_get_codes('cased', 4)}), '23505', 'what ignores case takes codes for the same');
}

#
# No personal data in extra
#
new_database('personal');
my $person = 'ada@example.org-';
$node->safe_psql('personal', qq{BEGIN; SELECT coderring_get_code('order', '$person'); ROLLBACK});
my ($all, $reset) = block('No personal data in extra', 0) =~ /^(.*?;)\n(.*)/s;
is(run_sql('personal', $all), $person, 'an extra is there after ROLLBACK');
is(state_of('personal', q{DELETE FROM coderring.series_state}), '55000', 'and cannot be deleted');
$node->safe_psql('personal', qq{SELECT coderring_get_code('order', '$person', true)});
like(slurp_file($node->logfile), qr/LOG:  ring "order" has begun cycle 1 with extra "\Q$person\E"/, 'the log has it when a cycle begins');
my $dumped = sub { $node->command_ok([ 'pg_dump', '-f', "$tempdir/personal.sql", 'personal' ], 'pg_dump'); slurp_file("$tempdir/personal.sql") };
like($dumped->(), qr/\Q$person/, 'and so has a dump');
run_sql('personal', $reset);
is(run_sql('personal', $all), '', 'until the ring is reset');
unlike($dumped->(), qr/\Q$person/, 'in the dump too');
like((take('personal', 1))[0], qr/^4\w{3}\z/, 'to a cycle beyond all');
$node->safe_psql('personal', qq{SELECT coderring_get_code('order', '$person'); SELECT coderring_drop('order')});
unlike($dumped->(), qr/\Q$person/, 'or dropped');

#
# That was all.
#
foreach my $title (sort keys %blocks)
{
	my @unused = grep { !$_->{used} } @{ $blocks{$title} };

	is(scalar(@unused), 0, "$title: every block is run") or diag(map { $_->{text} } @unused);
}

$node->stop;
done_testing();
