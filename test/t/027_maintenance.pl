# What people and tools do to the extension's own tables and indexes: every
# statement of a list, for every table and index, alone, in a transaction that
# commits, rolls back, or rolls back to a savepoint, interrupted while it waits,
# and, where it works concurrently, at each of its stages. After each of them
# every ring goes on in other sessions, or is refused with 55000 until the
# statement is undone; no index lacks an entry or has two; and after a crash, and
# after the restore of a dump, no code comes twice.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q{
autovacuum = off
restart_after_crash = on
log_statement = none
log_min_messages = fatal
max_wal_senders = 0
wal_level = minimal
min_wal_size = 32MB
});
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
my $place = $node->basedir . '/tablespace';
mkdir $place or die "$place: $!";

# The statements; "\n" stands between those that are one step.
#
#   %T, %I, %D, %N   the table, an index of it, the statement that makes the index, its bare name
#   %C, %B           a column of text, and one of a number; %Z, %Y their types
#   %K, %1, %W       the columns of its first unique index, the first of them, and each with =
#   %L, %R, %U, %E   what undoes SET NOT NULL, REPLICA IDENTITY, a primary key, triggers that are not ENABLE ALWAYS
#   %X               what drops the index
#
#   undo             brings back what was there before
#   alone, inside    cannot be in a transaction, or only there
#   loses            does harm that cannot be undone, so it is only for transactions that come to nothing
#   empties          rings are gone behind it
#   concurrent       what it does is done in stages, which wait for others
#   whole            and is not interrupted there
#   stops            codes may be refused until it is undone
#   fails            it may be refused itself
my @for_table = (
	[ 'VACUUM %T', alone => 1 ],
	[ 'VACUUM (FREEZE) %T', alone => 1 ],
	[ 'VACUUM FULL %T', alone => 1 ],
	[ 'VACUUM (FULL, ANALYZE) %T', alone => 1 ],
	[ 'ANALYZE %T' ],
	[ 'LOCK TABLE %T IN SHARE MODE', inside => 1 ],
	[ 'LOCK TABLE %T IN ACCESS EXCLUSIVE MODE', inside => 1 ],
	[ 'TRUNCATE %T', loses => 1, fails => 1 ],
	[ 'TRUNCATE %T CASCADE', loses => 1, fails => 1, empties => 1 ],
	[ 'REINDEX TABLE %T' ],
	[ 'REINDEX (TABLESPACE other) TABLE %T', undo => 'REINDEX (TABLESPACE pg_default) TABLE %T' ],
	[ 'REINDEX TABLE CONCURRENTLY %T', concurrent => 1 ],
	[ 'REINDEX (TABLESPACE other) TABLE CONCURRENTLY %T', concurrent => 1, whole => 1, undo => 'REINDEX (TABLESPACE pg_default) TABLE %T' ],
	[ 'CREATE INDEX mine ON %T (%1)', undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE UNIQUE INDEX mine ON %T (%K)', undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE INDEX mine ON %T (%C) WHERE %C IS NOT NULL', undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE INDEX mine ON %T ((%C || %C))', undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE INDEX mine ON %T USING hash (%1)', undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE INDEX CONCURRENTLY mine ON %T (%1)', concurrent => 1, undo => 'DROP INDEX coderring.mine' ],
	[ 'CREATE UNIQUE INDEX CONCURRENTLY mine ON %T (%K)', concurrent => 1, undo => 'DROP INDEX coderring.mine' ],
	[ 'DROP INDEX coderring.mine', before => 'CREATE UNIQUE INDEX IF NOT EXISTS mine ON %T (%K)', undo => 'DROP INDEX IF EXISTS coderring.mine' ],
	[ 'DROP INDEX CONCURRENTLY coderring.mine', concurrent => 1,
		before => 'CREATE UNIQUE INDEX IF NOT EXISTS mine ON %T (%K)', undo => 'DROP INDEX IF EXISTS coderring.mine' ],
	[ 'ALTER TABLE %T SET TABLESPACE other', rewrites => 1, undo => 'ALTER TABLE %T SET TABLESPACE pg_default' ],
	[ 'ALTER TABLE %T SET UNLOGGED', stops => '55000', fails => 1, rewrites => 1, undo => 'ALTER TABLE %T SET LOGGED' ],
	[ 'ALTER TABLE %T SET LOGGED' ],
	$version >= 150000 ? [ 'ALTER TABLE %T SET ACCESS METHOD other', stops => '55000', rewrites => 1, undo => 'ALTER TABLE %T SET ACCESS METHOD heap' ] : (),
	[ 'ALTER TABLE %T REPLICA IDENTITY FULL', undo => 'ALTER TABLE %T REPLICA IDENTITY %R' ],
	[ 'ALTER TABLE %T REPLICA IDENTITY DEFAULT', undo => 'ALTER TABLE %T REPLICA IDENTITY %R' ],
	[ 'ALTER TABLE %T REPLICA IDENTITY NOTHING', undo => 'ALTER TABLE %T REPLICA IDENTITY %R' ],
	[ 'ALTER TABLE %T SET (fillfactor = 50)', undo => 'ALTER TABLE %T RESET (fillfactor)' ],
	[ 'ALTER TABLE %T SET (autovacuum_enabled = off)', undo => 'ALTER TABLE %T RESET (autovacuum_enabled)' ],
	[ 'ALTER TABLE %T ALTER %C SET STATISTICS 7', undo => 'ALTER TABLE %T ALTER %C SET STATISTICS -1' ],
	[ 'ALTER TABLE %T ALTER %C SET DEFAULT 1', undo => 'ALTER TABLE %T ALTER %C DROP DEFAULT' ],
	[ 'ALTER TABLE %T ALTER %C SET NOT NULL', undo => 'ALTER TABLE %T ALTER %C %L' ],
	[ 'ALTER TABLE %T ALTER %C DROP NOT NULL', fails => 1, undo => 'ALTER TABLE %T ALTER %C %L' ],
	[ 'ALTER TABLE %T ALTER %B TYPE %Y USING (%B::bigint + 0)::%Y', rewrites => 1 ],
	[ 'ALTER TABLE %T ALTER %B TYPE numeric USING %B::bigint', fails => 1, stops => '55000', rewrites => 1, undo => 'ALTER TABLE %T ALTER %B TYPE %Y USING %B::bigint' ],
	[ 'ALTER TABLE %T ALTER %C TYPE %Z COLLATE "POSIX"', fails => 1, stops => '55000', undo => 'ALTER TABLE %T ALTER %C TYPE %Z COLLATE "C"' ],
	[ 'ALTER TABLE %T ADD another integer', stops => '55000', undo => 'ALTER TABLE %T DROP another' ],
	[ "ALTER TABLE %T ADD another integer DEFAULT 1\nALTER TABLE %T DROP another" ],
	[ 'ALTER TABLE %T ADD CONSTRAINT mine CHECK (%C IS NOT NULL)', undo => 'ALTER TABLE %T DROP CONSTRAINT mine' ],
	[ "ALTER TABLE %T ADD CONSTRAINT mine CHECK (%C IS NOT NULL) NOT VALID\nALTER TABLE %T VALIDATE CONSTRAINT mine",
		undo => 'ALTER TABLE %T DROP CONSTRAINT mine' ],
	[ 'ALTER TABLE %T ADD CONSTRAINT mine UNIQUE (%K)', undo => 'ALTER TABLE %T DROP CONSTRAINT mine' ],
	[ 'ALTER TABLE %T ADD CONSTRAINT mine PRIMARY KEY (%K)', fails => 1, stops => '55000', undo => "ALTER TABLE %T DROP CONSTRAINT mine\n%U" ],
	[ "CREATE UNIQUE INDEX mine ON %T (%K)\nALTER TABLE %T ADD CONSTRAINT mine UNIQUE USING INDEX mine", undo => 'ALTER TABLE %T DROP CONSTRAINT mine' ],
	[ 'ALTER TABLE %T ADD CONSTRAINT mine EXCLUDE USING btree (%W)', fails => 1, undo => 'ALTER TABLE %T DROP CONSTRAINT mine' ],
	[ 'ALTER TABLE %T DISABLE TRIGGER USER', stops => '55000', undo => '%E' ],
	[ 'ALTER TABLE %T ENABLE TRIGGER USER', stops => '55000', undo => '%E' ],
	[ 'ALTER TABLE %T DISABLE TRIGGER ALL', stops => '55000', undo => "ALTER TABLE %T ENABLE TRIGGER ALL\n%E" ],
	[ 'ALTER TABLE %T ENABLE TRIGGER ALL', stops => '55000', undo => '%E' ],
	[ 'ALTER TABLE %T ENABLE ROW LEVEL SECURITY', undo => 'ALTER TABLE %T DISABLE ROW LEVEL SECURITY' ],
	[ "ALTER TABLE %T ENABLE ROW LEVEL SECURITY\nALTER TABLE %T FORCE ROW LEVEL SECURITY",
		undo => "ALTER TABLE %T DISABLE ROW LEVEL SECURITY\nALTER TABLE %T NO FORCE ROW LEVEL SECURITY" ],
	[ 'ALTER TABLE %T OWNER TO somebody', undo => 'ALTER TABLE %T OWNER TO CURRENT_USER' ],
	[ 'ALTER TABLE %T SET WITHOUT CLUSTER' ],
	[ 'CREATE STATISTICS mine ON %K FROM %T', fails => 1, undo => 'DROP STATISTICS IF EXISTS mine' ],
	$version >= 190000 ? ([ 'REPACK %T', alone => 1, fails => 1 ], [ 'REPACK (CONCURRENTLY) %T', alone => 1, fails => 1 ]) : (),
);
my @for_index = (
	[ 'REINDEX INDEX %I' ],
	[ 'REINDEX INDEX CONCURRENTLY %I', concurrent => 1 ],
	[ 'REINDEX (TABLESPACE other) INDEX %I', undo => 'REINDEX (TABLESPACE pg_default) INDEX %I' ],
	[ 'ALTER INDEX %I SET TABLESPACE other', undo => 'ALTER INDEX %I SET TABLESPACE pg_default' ],
	[ 'ALTER INDEX %I SET (fillfactor = 50)', undo => 'ALTER INDEX %I RESET (fillfactor)' ],
	[ 'ALTER INDEX %I RENAME TO other_name', undo => 'ALTER INDEX coderring.other_name RENAME TO %N' ],
	[ 'CLUSTER %T USING %N', rewrites => 1, undo => 'ALTER TABLE %T SET WITHOUT CLUSTER' ],
	[ "ALTER TABLE %T CLUSTER ON %N\nVACUUM FULL %T", alone => 1, undo => 'ALTER TABLE %T SET WITHOUT CLUSTER' ],
	[ 'ALTER TABLE %T REPLICA IDENTITY USING INDEX %N', fails => 1, undo => 'ALTER TABLE %T REPLICA IDENTITY %R' ],
	[ '%X', fails => 1, stops => '55000', undo => '%D' ],
	[ "%X\n%D", fails => 1 ],
	[ '%X CASCADE', loses => 1 ],
	[ "%X CASCADE\n%D", loses => 1 ],
	[ 'DROP INDEX CONCURRENTLY %I', concurrent => 1, fails => 1, stops => '55000', undo => '%D' ],
);

#
# The books: every code that came, of which ring, and in which case its series was new.
#
my %came;
my %damage;
my @problems;					# of the case that runs
my $case;
my $number = 0;
my @new;						# [ring, extra, case], since the last crash
my ($worker, $checker, @holders);

sub problem
{
	push @problems, @_;
	return;
}

# enter(TEXT, STOPS, TITLE): what attempts, and books(), have printed; STOPS are
# the errors that may be among it. Returns how many were successful.
sub enter
{
	my ($text, $stops, $title) = @_;
	my $good = 0;

	foreach my $line (split(/\n/, $text))
	{
		my ($kind, $ring, $extra, $rest) = split(/\t/, $line, 4);
		next if $line eq '';

		if ($kind eq '+')
		{
			$good++;
			foreach my $code (split(/ /, $rest))
			{
				my $first = $came{"$ring $code"};

				problem("$title: $code of $ring, extra '$extra', came before, in: $first") if defined $first;
				$came{"$ring $code"} //= $case;
			}
		}
		elsif ($kind eq '-')
		{
			problem("$title: $ring, extra '$extra': $rest") unless $stops && $rest =~ /^(?:$stops)/;
		}
		else
		{
			# damage stays: it is the fault of the case that has done it
			problem("$title: $line") unless $damage{$line}++;
		}
	}
	return $good;
}

# take(RING, EXTRA, COUNT, BUMP): the statement
sub take
{
	my ($ring, $extra, $count, $bump) = @_;

	return "SELECT attempt('$ring', '$extra', $count, @{[ $bump ? 'true' : 'false' ]});\n";
}

sub take_new
{
	my ($ring) = @_;
	my $extra = 'n' . ++$number . '-';

	push @new, [ $ring, $extra, $case ];
	return take($ring, $extra, 3, 1);
}

sub start_sessions
{
	($worker, $checker, @holders) = map { new_session($node) } 1 .. 6;
	return;
}

# go_on(TITLE, STOPS, TABLE, INVALID): in another session every ring does, new ones too
sub go_on
{
	my ($title, $stops, $table, $invalid) = @_;
	my $since = @new;
	my $count = 6;
	my $script = take('a', '', 20) . take('a', 'k', 20, 1) . take_new('a')
	  . "SET ROLE tenant;\n" . take('b', '', 3) . take_new('b') . "RESET ROLE;\n"
	  . "SELECT life('t" . ++$number . "');\n";

	# a ring that stays
	if ($invalid)
	{
		my $ring = 'kept' . ++$number;

		$script .= "SELECT coderring_create('$ring', 2);\n" . take($ring, '', 3);
		push @new, [ $ring, '', $case ];
		$count++;
	}
	# the series that were new in this case, in the transaction of the worker
	foreach my $series (reverse @new[ 0 .. $since - 1 ])
	{
		last if $series->[2] ne $case || $series->[3];
		$series->[3] = 1;
		$script .= take(@{$series}[ 0, 1 ], 20);
		$count++;
	}
	$script .= "SELECT * FROM books('$table', @{[ $invalid ? 'true' : 'false' ]});\n";
	my $good = enter($checker->query($script), $stops, $title);
	problem("$title: $checker->{error}") if $checker->{error} ne '';
	problem("$title: $good of $count successful") if !$stops && $good != $count;
	return;
}

# in_steps(SESSION, TEXT)
sub in_steps
{
	my ($session, $text) = @_;

	foreach my $step (split(/\n/, $text))
	{
		$session->query($step);
		return 0 if $session->state ne '';
	}
	return 1;
}

sub undo
{
	my ($undo) = @_;

	return if $undo eq '';
	in_steps($checker, $undo) or problem("undo ($undo): $checker->{error}");
	return;
}

# waits(HOLDER): has the worker come to where it waits for this session? Not if
# it has come to its end.
sub waits
{
	my ($holder) = @_;
	my $waits = 0;

	wait_until(
		sub {
			$waits = $checker->query("SELECT $holder->{pid} = ANY (pg_blocking_pids($worker->{pid}))") eq 't';
			return 1 if $waits;
			$worker->{run}->pump_nb;
			return index($worker->{err}, $worker->{mark}) >= 0 && index($worker->{out}, $worker->{mark}) >= 0;
		}) or die "the worker neither waits nor ends: $case";
	return $waits;
}

sub drop_invalid
{
	foreach my $index (split(/\n/, $checker->query('SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid')))
	{
		$checker->query("DROP INDEX $index");
		problem("DROP INDEX $index: $checker->{error}") if $checker->{error} ne '';
	}
	return;
}

# failed(SESSION, STATEMENT): has the statement failed, and may it not?
sub failed
{
	my ($session, $options, $title) = @_;

	return 0 if $session->{error} !~ /ERROR/;
	problem("$title: $session->{error}") unless $options->{fails};
	return 1;
}

my %modes = (
	alone => sub {
		my ($table, $statement, %options) = @_;
		my $good = in_steps($worker, $statement);

		if ($options{loses} && $good)
		{
			die "$statement is not refused";
		}
		failed($worker, \%options, 'alone') if !$good;
		go_on('afterwards', $good && $options{stops}, $table);
		if ($good && $options{undo} ne '')
		{
			undo($options{undo});
			go_on('when it is undone', 0, $table);
		}
	},
	transaction => sub {
		my ($table, $statement, %options) = @_;
		my $end = $options{end};
		my $stops = $options{empties} ? '55000|42704' : '55000';	# a transaction that has rewritten may be refused codes
		my $taken = take('a', '', 20) . take('a', 'k', 20, 1) . take_new('a');
		my $script = "BEGIN;\n$taken" . ($end eq 'ROLLBACK TO s' ? "SAVEPOINT s;\n" : '');
		my $text = $worker->query($script . join(";\n", split(/\n/, $statement)));
		my $failed = failed($worker, \%options, 'in a transaction');

		problem('before the statement') if enter($text, 0, 'before the statement') != 3;
		if (!$failed)
		{
			enter($worker->query(take('a', '', 20) . take('a', 'k', 20, 1) . $taken . take_new('a')), $stops, 'behind the statement');
			problem("behind the statement: $worker->{error}") if $worker->{error} ne '';
		}
		$worker->query($end);
		problem("$end: $worker->{error}") if $worker->{error} ne '';
		if ($end eq 'ROLLBACK TO s')
		{
			# PostgreSQL does not always notice that the file is the old one again.
			enter($worker->query($taken . take_new('a')), $stops, 'behind the savepoint');
			$worker->query('COMMIT');
			problem("COMMIT: $worker->{error}") if $worker->{error} ne '';
		}
		go_on("after $end", $end eq 'COMMIT' && !$failed && $options{stops}, $table);
		if ($end eq 'COMMIT' && !$failed && $options{undo} ne '')
		{
			undo($options{undo});
			go_on('when it is undone', 0, $table);
		}
	},
	interrupted => sub {
		my ($table, $statement, %options) = @_;
		my $holder = $holders[0];
		my $begin = $options{alone} ? '' : "BEGIN;\n" . take('a', '', 20) . take_new('a');

		$holder->query("BEGIN; LOCK TABLE $table IN SHARE UPDATE EXCLUSIVE MODE");
		$worker->send($begin . join(";\n", split(/\n/, $statement)));
		my $waited = waits($holder);
		$checker->query("SELECT pg_cancel_backend($worker->{pid})") if $waited;
		my $text = $worker->receive;
		my $error = $worker->{error};
		$worker->query('ROLLBACK');
		$holder->query('ROLLBACK');
		enter($text, 0, 'before the statement');
		if ($waited)
		{
			like($error, qr/57014/, "$case: cancelled") if $error !~ /57014/;
		}
		go_on($waited ? 'cancelled' : 'it did not wait', 0, $table);
		undo($options{undo}) if !$waited && $error eq '' && $options{alone};
	},
	concurrent => sub {
		my ($table, $statement, %options) = @_;
		my $stage = $options{stage};	# where it is cancelled, 0 for never
		my @stages = ('the build', 'the validation', 'older snapshots', 'the swap');
		my $cancelled = 0;

		$holders[0]->query("BEGIN; LOCK TABLE $table IN ROW EXCLUSIVE MODE");
		$worker->send($statement);
		foreach my $i (0 .. 3)
		{
			my $waited = waits($holders[$i]);

			if ($waited)
			{
				go_on("while it waits for $stages[$i]", $options{stops}, $table, 1);
				if ($stage == $i + 1)
				{
					$checker->query("SELECT pg_cancel_backend($worker->{pid})");
					$worker->receive;
					$cancelled = 1;
				}
			}
			if ($i < 3 && !$cancelled)
			{
				$holders[ $i + 1 ]->query($i == 1
					? 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1'
					: "BEGIN; LOCK TABLE $table IN @{[ $i == 0 ? 'ROW EXCLUSIVE' : 'ACCESS SHARE' ]} MODE");
			}
			$holders[$i]->query('ROLLBACK');
			last if $cancelled;
		}
		$worker->receive if !$cancelled;
		my $error = $worker->{error};
		if ($cancelled)
		{
			problem("not cancelled but: $error") if $error !~ /57014/;
			go_on('cancelled', $options{stops}, $table, 1);
		}
		elsif ($error =~ /ERROR/)
		{
			problem($error) unless $options{fails};
		}
		go_on('afterwards', $options{stops}, $table) unless $cancelled;
		drop_invalid();
		undo(join("\n", grep { !/DROP INDEX coderring.mine/ || $checker->query("SELECT to_regclass('coderring.mine')") } split(/\n/, $options{undo})))
		  if !$cancelled && $error !~ /ERROR/;
		undo($options{undo}) if $cancelled && $statement =~ /^DROP/;
		$checker->query('DROP INDEX IF EXISTS coderring.mine');
		go_on('in the end', 0, $table);
	});

# run_case(MODE, TABLE, STATEMENT, OPTIONS)
sub run_case
{
	my ($mode, $table, $statement, %options) = @_;

	$case = "$table: " . ($statement =~ s/\n/; /gr) . " ($options{title})";
	@problems = ();
	$options{undo} //= '';
	in_steps($checker, $options{before}) or problem("before ($options{before}): $checker->{error}")
	  if $options{before};
	$modes{$mode}->($table, $statement, %options);
	undo($options{undo}) if $options{before};
	if (grep { $_->{gone} } $worker, $checker, @holders)
	{
		problem('the server has crashed');
		$_->query('SELECT') foreach $worker, $checker, @holders;	# until all have seen it
		$node->poll_query_until('postgres', 'SELECT true');
		start_sessions();
		undo($options{undo});
	}
	ok(!@problems, $case) or diag(join("\n", @problems[ 0 .. ($#problems < 5 ? $#problems : 5) ]));
	return;
}

# crash(TITLE): what was in shared memory is gone, and nothing comes twice.
sub crash
{
	my ($title, $invalid) = @_;

	$_->quit foreach $worker, $checker, @holders;
	$node->stop('immediate');
	$node->start;
	start_sessions();
	my @before = ($case, @problems);
	my @series = @new;

	@new = ();
	@problems = ();
	$case = "crash after $title";
	my %case_of = map { $_->[1] => $_->[2] } @series;
	my $text = $checker->query(join('', map { take(@{$_}[ 0, 1 ], 2) } @series));
	my $good = enter($text, 0, 'a series that was new');
	problem("$good of " . scalar(@series) . ' successful') if $good != @series;
	@problems = map { /extra '(n\d+-)'/ ? "$_\n  its series was new in: " . ($case_of{$1} // '?') : $_ } @problems;
	go_on('every ring', 0, 'coderring.series_state', $invalid);
	ok(!@problems, $case) or diag(scalar(@problems) . " problems\n" . join("\n", @problems[ 0 .. ($#problems < 5 ? $#problems : 5) ]));
	($case, @problems) = @before;
	return;
}

my $functions = q{
	-- codes of a series, or how they were refused
	CREATE FUNCTION attempt(ring text, extra text, count integer, bump boolean) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		codes text;
	BEGIN
		SELECT string_agg(c, ' ') INTO codes FROM coderring_get_codes(ring, count, extra) c;
		IF bump THEN
			codes := codes || ' ' || coderring_get_code(ring, extra, true);
		END IF;
		RETURN concat_ws(E'\t', '+', ring, extra, codes);
	EXCEPTION WHEN others THEN
		RETURN concat_ws(E'\t', '-', ring, extra, SQLSTATE || ': ' || SQLERRM);
	END
	$$;

	-- a ring from its beginning to its end
	CREATE FUNCTION life(ring text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		codes text;
	BEGIN
		PERFORM coderring_define_blocklist('words of ' || ring, '{word}');
		PERFORM coderring_create(ring, 2, 'words of ' || ring);
		PERFORM coderring_grant(ring, 'tenant');
		codes := coderring_get_code(ring);
		PERFORM coderring_rename(ring, ring || ' anew');
		codes := codes || ' ' || coderring_get_code(ring || ' anew', '', true);
		PERFORM coderring_drop(ring || ' anew');
		PERFORM coderring_define_blocklist('words of ' || ring, NULL);
		RETURN concat_ws(E'\t', '+', ring, '', codes);
	EXCEPTION WHEN others THEN
		RETURN concat_ws(E'\t', '-', ring, '', SQLSTATE || ': ' || SQLERRM);
	END
	$$;

	-- rows of a table as the statement's snapshot sees them, by its index or without
	CREATE FUNCTION counted(tab regclass, method text) RETURNS bigint LANGUAGE plpgsql STABLE
		SET enable_bitmapscan = off AS $$
	DECLARE
		result bigint;
	BEGIN
		PERFORM set_config('enable_seqscan', (method <> 'index')::text, true), set_config('enable_indexscan', (method = 'index')::text, true),
			set_config('enable_indexonlyscan', 'off', true);
		EXECUTE format('SELECT count(*) FROM (SELECT * FROM %s WHERE incarnation >= ''00000000-0000-0000-0000-000000000000'' OFFSET 0) t', tab) INTO result;
		RETURN result;
	END
	$$;

	-- what is wrong with a table, seen without and with its indexes
	CREATE FUNCTION books(tab regclass, invalid boolean) RETURNS SETOF text LANGUAGE plpgsql
		SET enable_indexscan = off SET enable_indexonlyscan = off SET enable_bitmapscan = off AS $$
	DECLARE
		index regclass;
	BEGIN
		RETURN QUERY SELECT 'a series has two rows: ' || extra FROM coderring.series_state GROUP BY incarnation, extra HAVING count(*) > 1;
		RETURN QUERY SELECT 'a range is skipped twice: ' || extra FROM coderring.skipped_positions GROUP BY incarnation, extra, last_position HAVING count(*) > 1;
		RETURN QUERY SELECT 'invalid: ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid AND NOT invalid;
		FOR index IN
			SELECT indexrelid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
			WHERE indrelid = tab AND indisvalid AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
		LOOP
			BEGIN
				PERFORM bt_index_check(index, true);
			EXCEPTION WHEN others THEN
				RETURN NEXT 'bt_index_check: ' || SQLERRM;
			END;
		END LOOP;
	END
	$$;
};

my $amcheck = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
$node->safe_psql('postgres', $amcheck ? 'CREATE EXTENSION amcheck'
	: 'CREATE FUNCTION bt_index_check(regclass, boolean) RETURNS void LANGUAGE sql AS $$$$');
$node->safe_psql('postgres', qq{
	$functions
	CREATE ROLE tenant;
	CREATE ROLE somebody SUPERUSER;
	CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
	CREATE TABLESPACE other LOCATION '$place';
	SELECT coderring_define_blocklist('mine', '{bad,word}');
	SELECT coderring_create('a', 2), coderring_create('b', 2, 'mine'), coderring_grant('b', 'tenant')});
start_sessions();

#
# The list
#
my $wanted = $ENV{MAINTENANCE} || '.';	# only cases that match (an empty pattern would be the last that matched)
my %tables;

foreach my $row (split(/\n/, $node->safe_psql('postgres', q{
	SELECT c.oid::regclass,
		(SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attname IN ('extra', 'name', 'role_name')),
		b.attname, b.atttypid::regtype,
		(SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attname IN ('extra', 'name', 'role_name')),
		CASE c.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL' ELSE 'DEFAULT' END,
		k.columns, (regexp_match(k.columns, '[^,]+'))[1]
	FROM pg_class c,
		LATERAL (SELECT * FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
				 AND atttypid IN ('bigint'::regtype, 'integer'::regtype, 'oid'::regtype) ORDER BY atttypid = 'bigint'::regtype DESC, attnum LIMIT 1) b,
		LATERAL (SELECT (regexp_match(pg_get_indexdef(indexrelid), '\((.*)\)'))[1] AS columns FROM pg_index
				 WHERE indrelid = c.oid AND indisunique ORDER BY indisprimary DESC LIMIT 1) k
	WHERE c.relname IN ('ring', 'ring_grant', 'blocklist', 'series_state', 'skipped_positions') AND c.relnamespace = 'coderring'::regnamespace
	ORDER BY c.oid})))
{
	my %table;

	@table{qw(T C B Y Z R K 1)} = split(/\|/, $row);
	$table{W} = join(', ', map { "$_ WITH =" } split(/, /, $table{K}));
	$table{L} = $node->safe_psql('postgres',
		"SELECT CASE WHEN attnotnull THEN 'SET' ELSE 'DROP' END || ' NOT NULL' FROM pg_attribute WHERE attrelid = '$table{T}'::regclass AND attname = '$table{C}'");
	$table{U} = join("\n", map { "ALTER TABLE $table{T} ALTER $_ DROP NOT NULL" } split(/, /, $table{K}));
	$table{E} = $node->safe_psql('postgres',
		"SELECT 'ALTER TABLE $table{T} ' || string_agg('ENABLE ALWAYS TRIGGER ' || tgname, ', ') FROM pg_trigger WHERE tgrelid = '$table{T}'::regclass AND NOT tgisinternal");
	$tables{ $table{T} } = \%table;
}
is(scalar(keys %tables), 5, 'the tables of the extension');

# filled(TEXT, VALUES): a statement
sub filled
{
	my ($text, $values) = @_;

	return $text unless defined $text;
	$text =~ s/%(\w)/$values->{$1}/g for 1 .. 2;
	return $text;
}

foreach my $name (sort keys %tables)
{
	my %table = %{ $tables{$name} };
	my @cases = map { my ($text, %options) = @$_; [ filled($text, \%table), %options, undo => filled($options{undo}, \%table), before => filled($options{before}, \%table) ] } @for_table;

	foreach my $row (split(/\n/, $node->safe_psql('postgres', qq{
		SELECT i.indexrelid::regclass, x.relname, coalesce(
			'ALTER TABLE ' || i.indrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)),
			coalesce('ALTER TABLE ' || i.indrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(c.conname), 'DROP INDEX ' || i.indexrelid::regclass)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
			LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u') WHERE i.indrelid = '$name'::regclass})))
	{
		my %index = %table;

		@index{qw(I N D X)} = split(/\|/, $row);
		$index{D} =~ s/^\s+|\s+$//g;
		push @cases, map { my ($text, %options) = @$_; [ filled($text, \%index), %options, undo => filled($options{undo}, \%index) ] } @for_index;
	}

	my %of_mode = (
		'alone' => sub { run_case('alone', $name, @_, title => 'alone') },
		'commits' => sub { run_case('transaction', $name, @_, title => 'commits', end => 'COMMIT') },
		'rolls back' => sub { run_case('transaction', $name, @_, title => 'rolls back', end => 'ROLLBACK') },
		'rolls back to a savepoint' => sub { run_case('transaction', $name, @_, title => 'rolls back to a savepoint', end => 'ROLLBACK TO s') },
		'interrupted' => sub { run_case('interrupted', $name, @_, title => 'interrupted') },
		'in stages' => sub { my @arguments = @_; my (undef, %options) = @arguments;
			run_case('concurrent', $name, @arguments, stage => $_, title => $_ ? "interrupted at stage $_" : 'in stages') foreach 0 .. ($options{whole} ? 0 : 4) });

	foreach my $mode ('alone', 'commits', 'rolls back', 'rolls back to a savepoint', 'interrupted', 'in stages')
	{
		foreach my $arguments (@cases)
		{
			my ($text, %options) = @$arguments;

			next if "$name $text $mode" !~ /$wanted/;
			next if ($mode eq 'in stages') != !!$options{concurrent};
			next if $options{alone} && $mode !~ /alone|interrupted/ || $options{inside} && $mode eq 'alone';
			next if $mode eq 'interrupted' && $text =~ /\n/;	# the second step would wait as well
			next if $options{loses} && ($mode eq 'commits' || $mode eq 'alone' && "$text $name" !~ /TRUNCATE.*(series_state|skipped)/);
			$of_mode{$mode}->(@$arguments);
		}
		# what is new since the last one is taken from behind it
		crash("$name, $mode") if @new && $mode =~ /commits|savepoint|stages/;
	}
}

#
# Inputs that were seen to do harm, to the letter
#
my $other;

sub single
{
	my ($title, $code) = @_;

	return if $title !~ /$wanted/;
	$case = $title;
	@problems = ();
	eval { $code->(); 1 } or problem($@);
	ok(!@problems, $case) or diag(join("\n", @problems[ 0 .. ($#problems < 5 ? $#problems : 5) ]));
	return;
}

# codes(SESSION, SQL): one query that gives codes of the ring $_[2], for the books
sub codes
{
	my ($session, $sql, $ring) = @_;
	my $text = $session->query($sql);

	problem("$sql: $session->{error}") if $session->{error} ne '';
	enter("+\t$ring\t\t" . join(' ', split(/\s+/, $text)), 0, $sql);
	return split(/\s+/, $text);
}

single('REINDEX TABLE CONCURRENTLY coderring.ring while a create is open, then cancelled' => sub {
	$checker->query(q{SELECT coderring_create('lk')});
	$holders[0]->query(q{BEGIN; SELECT coderring_create('lk', if_not_exists => true)});
	$worker->send('REINDEX TABLE CONCURRENTLY coderring.ring');
	die 'does not wait' if !waits($holders[0]);
	go_on('while it waits', 0, 'coderring.ring', 1);
	$other = new_session($node);
	codes($other, "SELECT coderring_get_code('$_')", $_) foreach 'lk', 'a', 'b';
	$other->quit;
	$checker->query("SELECT pg_cancel_backend($worker->{pid})");
	$worker->receive;
	problem($worker->{error}) if $worker->state ne '57014';
	$holders[0]->query('ROLLBACK');
	problem('no index is invalid') if $checker->query('SELECT count(*) FROM pg_index WHERE NOT indisvalid') == 0;
	go_on('cancelled', 0, 'coderring.ring', 1);
	$other = new_session($node);
	codes($other, "SELECT coderring_get_code('$_')", $_) foreach 'lk', 'a', 'b';
	$other->quit;
	crash('REINDEX TABLE CONCURRENTLY, cancelled', 1);
	drop_invalid();
	go_on('in the end', 0, 'coderring.ring')});

single('REINDEX TABLE coderring.series_state; a code of a new series; ROLLBACK' => sub {
	$checker->query(q{SELECT coderring_create('rx')});
	$worker->query('BEGIN');
	$worker->query('REINDEX TABLE coderring.series_state');
	my $code = $worker->query(q{SELECT coderring_get_code('rx')});
	problem("a code comes ($code)") if $code ne '';
	problem($worker->{error}) if $worker->state ne '55000';
	$worker->query('ROLLBACK');
	codes($checker, q{SELECT coderring_get_code('rx')}, 'rx');
	push @new, [ 'rx', '', $case ];
	crash('REINDEX TABLE coderring.series_state')});

# refused(SQL, MESSAGE): codes of a new series are, for that reason, with a hint, which is returned
sub refused
{
	my ($statement, $reason) = @_;

	$worker->query($statement);
	problem("$statement: $worker->{error}") if $worker->{error} ne '';
	my $code = $checker->query(qq{
		SELECT coderring_get_code('a', 'r@{[ ++$number ]}-'), coderring_get_code('a', 'r$number-', true)});	# which skips what is left
	problem("$statement: a code comes ($code)") if $code ne '';
	problem("$statement: $checker->{error}") if $checker->state ne '55000' || $checker->{error} !~ $reason;
	return $checker->{error} =~ /^HINT:  (.*)$/m ? $1 : '';
}

my @guarded = map { "coderring.$_" } qw(ring series_state skipped_positions);

single('triggers that are not ENABLE ALWAYS, and the remedy of the hint' => sub {
	foreach my $table (@guarded)
	{
		foreach my $row (split(/\n/, $checker->query(
			qq{SELECT tgname || '|' || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = '$table'::regclass AND NOT tgisinternal})))
		{
			my ($trigger, $definition) = split(/\|/, $row);
			my $reason = qr/cannot take codes while trigger "$trigger" of "$table" is not enabled always/;

			foreach my $state ('DISABLE', 'ENABLE', 'ENABLE REPLICA')
			{
				undo(refused("ALTER TABLE $table $state TRIGGER $trigger", $reason));
				codes($checker, "SELECT coderring_get_code('a', 'r$number-', true)", 'a');
			}
			my $hint = refused("DROP TRIGGER $trigger ON $table", $reason);
			problem("$trigger is dropped: $hint") if $hint !~ /as the script of the extension does/;
			undo("$definition\nALTER TABLE $table ENABLE ALWAYS TRIGGER $trigger");
			codes($checker, "SELECT coderring_get_code('a', 'r$number-', true)", 'a');
		}
	}
	go_on('in the end', 0, 'coderring.ring')});

single('ALTER TABLE ... SET UNLOGGED, when nothing keeps a table from it' => sub {
	foreach my $table (@guarded)
	{
		my @keys = split(/\n/, $checker->query(qq{
			SELECT conrelid::regclass || '|' || conname || '|' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND confrelid = '$table'::regclass}));

		problem("$table: no keys") if !@keys;
		my $hint = refused(join("\n;", (map { my ($other, $key) = split(/\|/); "ALTER TABLE $other DROP CONSTRAINT $key" } @keys), "ALTER TABLE $table SET UNLOGGED"),
			qr/cannot take codes while "$table" is unlogged/);
		problem("$table: $hint") if $hint !~ /restore a backup/;
		undo(join("\n", "ALTER TABLE $table SET LOGGED",
			map { my ($other, $key, $definition) = split(/\|/); "ALTER TABLE $other ADD CONSTRAINT $key $definition" } @keys));
		codes($checker, "SELECT coderring_get_code('a', 'r$number-', true)", 'a');
	}
	go_on('in the end', 0, 'coderring.ring')});

single('ALTER TABLE ... SET UNLOGGED, and the server is killed' => sub {
	my $rows = $checker->query('SELECT count(*) FROM coderring.series_state');

	foreach my $table (sort keys %tables)
	{
		$worker->query("ALTER TABLE $table SET UNLOGGED");
		problem("$table: not refused") if $worker->state eq '';
	}
	push @new, [ 'a', '', $case ];
	crash('SET UNLOGGED');
	problem('rows are gone') if $checker->query('SELECT count(*) FROM coderring.series_state') < $rows});

# Extras that are beginnings of others, so that their cycles are another's at times
single('ignore_system_indexes' => sub {
	my @letters = split(//, substr($Coderring::ALPHABET, 0, 17));
	my @extras = (@letters, map { my $first = $_; map { "$first$_" } @letters } @letters);
	my $list = join(',', @extras);
	my $take = qq{SELECT x, c FROM unnest('{$list}'::text[]) x, coderring_get_codes('p', 3, x) c};
	my %extra_of;

	$checker->query(q{SELECT coderring_create('p', 2)});
	$other = new_session($node, 'postgres', 'options=-P');
	problem('it is off') if $other->query('SHOW ignore_system_indexes') ne 'on';
	foreach my $session ($checker, $other, $checker, $other)
	{
		foreach my $line (split(/\n/, $session->query($take)))
		{
			my ($extra, $code) = split(/\|/, $line);

			enter("+\tp\t$extra\t$code", 0, 'codes');
			$extra_of{$code} = $extra;
		}
		problem($session->{error}) if $session->{error} ne '';
		codes($session, qq{SELECT coderring_get_code('p', x, true) FROM unnest('{$list}'::text[]) x}, 'p');
	}
	my @issued = sort keys %extra_of;
	my @others = grep { !$came{"p $_"} } map { my $extra = $_; map { ($extra . $_, "${extra}X$_") } 'VV', 'SV', '77', 'QB' } @extras;
	problem(scalar(@issued) . ' codes') if @issued != 12 * @extras;
	foreach my $session ($checker, $other)
	{
		my $name = $session == $other ? 'ignored' : 'used';
		my %found = map { split(/\|/) } split(/\n/, $session->query(
			qq{SELECT c, (coderring_decode('p', c)).extra FROM unnest('{@{[ join(',', @issued) ]}}'::text[]) c WHERE coderring_issued('p', c)}));
		my $wrong = grep { !defined $found{$_} || $found{$_} ne $extra_of{$_} } @issued;
		my $wrongly = $session->query(
			qq{SELECT count(*) FROM unnest('{@{[ join(',', @others) ]}}'::text[]) c WHERE coderring_issued('p', c)});

		problem("$name: $wrong of " . scalar(@issued) . ' codes decode to something else') if $wrong;
		problem("$name: $wrongly of " . scalar(@others) . ' count as issued, and were not') if $wrongly ne '0';
	}
	$other->quit});

# Sessions that make new series all the time
single('indexes are rebuilt while series are made' => sub {
	my $key = $checker->query(q{SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'coderring.series_state'::regclass AND indisunique LIMIT 1});

	foreach my $round (1 .. 4)
	{
		my @clients = map {
			my $client = $_;
			start_client($node, write_script(join('', map { "SELECT coderring_get_code('a', 'c$round.$client.$_-');\n" } 1 .. 20_000)))
		} 1 .. 2;

		foreach my $statement ("REINDEX INDEX CONCURRENTLY $key", 'CREATE UNIQUE INDEX CONCURRENTLY mine ON coderring.series_state (incarnation, extra)')
		{
			my $size = 0;

			$size += -s $_->{out} // 0 foreach @clients;
			wait_for_output($size + 200, @clients) or die 'the clients do not get on: ' . errors_of(@clients);
			$worker->send($statement);
			wait_for_output($size + 400, @clients) or die 'the clients do not go on: ' . errors_of(@clients);
			$worker->receive;
			problem("$statement: $worker->{error}") if $worker->{error} ne '';
		}

		# A row that is frozen in place while amcheck looks would be in the table and not in the index.
		$_->{run}->kill_kill foreach @clients;
		$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'SELECT coderring_get_code(''a'', ''c%'}) or die 'clients go on';
		foreach my $line (output_of(@clients))
		{
			chomp $line;
			enter("+\ta\t\t$line", 0, 'clients');
		}
		problem(errors_of(@clients)) if errors_of(@clients) =~ /ERROR/;
		enter($checker->query(q{SELECT * FROM books('coderring.series_state', false)}), 0, 'books');
		problem("counted by the index, and without: $_") foreach grep { !/^(\d+)\|\1$/ } $checker->query(q{
			SELECT string_agg(counted('coderring.series_state', method)::text, '|') FROM unnest(ARRAY['index', 'heap']) method});
		$checker->query('DROP INDEX coderring.mine');
	}});

single('default_table_access_method' => sub {
	$checker->query('CREATE DATABASE elsewhere');
	$other = new_session($node, 'elsewhere');
	$other->query('CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler');
	$other->query('SET default_table_access_method = other');
	problem("it is not the default: $other->{error}") if $other->query('SHOW default_table_access_method') ne 'other';
	$other->query(q{CREATE EXTENSION coderring; SELECT coderring_create('a')});
	problem($other->{error}) if $other->{error} ne '';
	problem('not heap: ' . $_) foreach split(/\n/, $other->query(
		q{SELECT c.oid::regclass FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE relnamespace = 'coderring'::regnamespace AND relkind = 'r' AND amname <> 'heap'}));
	problem('no code') if $other->query(q{SELECT coderring_get_code('a')}) !~ /^\w{4}$/;
	$other->quit;
	$checker->query('DROP DATABASE elsewhere')});

#
# In the end: a dump restores elsewhere, and repeats nothing.
#
my $dump = $node->basedir . '/dump.sql';
$case = 'dump';
@problems = ();
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'the dump restores');
$_->quit foreach $worker, $checker, @holders;
$checker = new_session($node, 'restored');
enter($checker->query(join('', map { take(@$_, 2) } [ 'a', '' ], [ 'a', 'k' ], [ 'b', '' ], map { [ split(/ /, $_, 2) ] }
	split(/\n/, $node->safe_psql('postgres', q{SELECT ring || ' ' || extra FROM coderring.series WHERE extra LIKE 'n%' ORDER BY random() LIMIT 500})))), 0, 'restored');
is(join("\n", grep { defined } @problems[ 0 .. 4 ]), '', 'and repeats nothing');
$checker->quit;
cmp_ok(scalar(keys %came), '>', $wanted eq '.' ? 1000 : 0, scalar(keys %came) . ' codes');

$node->stop;
done_testing();
