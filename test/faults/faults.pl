# Lets calls fail in statements of all kinds, and looks what became of the rings.
# For test/faults.sh, which has built the library for it; see there.
#
#   faults.pl PART JOBS FILE DATADIR BINDIR    figures are added to FILE
#
# Output is TAP without numbers.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Check;
use Kinds;
use Session;
use Time::HiRes qw(usleep);

my ($part, $jobs, $file, $datadir, $bindir) = @ARGV;
my @kinds = Kinds::all();
my %kinds = @kinds;
my @names = map { $kinds[ 2 * $_ ] } 0 .. $#kinds / 2;
my %wanted = map { $_ => 1 } split(' ', $ENV{FAULTS_KINDS} // '');

# Problems of one kind after which no more of it is tried
my $enough = 3;

my ($ours, $other);			# the session in which calls fail, and another one
my $database;
my $rings = 0;

sub record
{
	open(my $out, '>>', $file) or die "$file: $!";
	syswrite($out, join('', map { "$_\n" } @_));
	close($out) or die $!;
	return;
}

# For all databases
sub make_roles
{
	system('psql', '-Xq', '-d', 'postgres', '-c', 'CREATE ROLE faults_owner; CREATE ROLE faults_user') == 0 or die $?;
	return;
}

sub prepare_database
{
	$database = "faults_${part}_$_[0]";
	system('createdb', $database) == 0 or die "createdb: $?";
	$other = Session->new($database);
	$other->must(
		'CREATE EXTENSION coderring',
		q{CREATE FUNCTION faults_arm(int, text, text DEFAULT NULL) RETURNS void
			AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_disarm() RETURNS text AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_noted() RETURNS text AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_places() RETURNS SETOF text AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_left(text) RETURNS int AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_room() RETURNS bool AS '$libdir/coderring' LANGUAGE C},
		q{CREATE FUNCTION faults_lock(int, uuid, text, int) RETURNS void AS '$libdir/coderring' LANGUAGE C},
		q{CREATE TABLE bases AS
			WITH RECURSIVE b(len, code) AS (
				VALUES (0, '') UNION ALL
				SELECT len + 1, code || c FROM b, (VALUES ('A'), ('B')) c(c) WHERE len < 12)
			SELECT * FROM b WHERE len IN (8, 12) UNION ALL
			SELECT 3, chr(x) || chr(y) || chr(z) FROM generate_series(65, 85) x, generate_series(65, 85) y, generate_series(65, 85) z},
		q{SELECT coderring_define_blocklist('faults', '{aaa}')},
		q{CREATE TABLE code_memos (name varchar(255), uniquizer_num int, extra varchar(255), last_max_pos int)},
		q{CREATE TABLE codes (id bigserial PRIMARY KEY, position int, name varchar(255), value varchar(255))},
		'CREATE TABLE sink (n int)', 'VACUUM ANALYZE bases');
	$ours = Session->new($database);
	record(map { "place $_" } split(/\n/, $other->value('SELECT DISTINCT faults_places()')));
	return;
}

# Is the server there again?
sub wait_for_server
{
	foreach (1 .. 600)
	{
		return if system("psql -XAtqc 'SELECT 1' postgres >/dev/null 2>&1") == 0;
		usleep(100_000);
	}
	die "the server does not come back\n";
}

sub renew_sessions
{
	close($_->{in}), close($_->{out}) foreach grep { defined } $ours, $other;
	wait_for_server();
	$ours = Session->new($database);
	$other = Session->new($database);
	return;
}

# Make a ring of the kind's own; returns its name and the codes that are out.
sub set_up
{
	my ($kind) = @_;
	my $ring = 'ring ' . ++$rings;
	my @codes;

	foreach (@{ $kind->{setup} // [] })
	{
		if (ref)
		{
			push @codes, codes_of($ours->value('SELECT faults_noted()'));
			$_->();
			next;
		}
		my ($statement) = named($ring, $_);

		# another process knows nothing of them
		push @codes, codes_of($ours->value('SELECT faults_noted()')) if $statement eq '\c -';

		# those with a minus sign fail
		$statement =~ s/^-// ? $ours->run($statement) : $ours->must($statement);
		$ours->{pid} = $ours->value('SELECT pg_backend_pid()') if $statement eq '\c -';
	}
	return ($ring, @codes, codes_of($ours->value('SELECT faults_noted()')));
}

# What is there after a statement has failed or not: the name of the ring
# (undefined if there is none to look at), codes of it that are out, problems.
sub outcome
{
	my ($kind, $ring, $failed, $before, $during) = @_;
	my $lasts = $kind->{lasts} // 'kept';
	my ($names) = $other->must(named($ring, q{SELECT string_agg(name, ',') FROM coderring.rings WHERE name IN ('%R', '%R new')}));
	my $wanted =
	    $lasts eq 'created' || $lasts eq 'imported' ? ($failed ? '' : $ring)
	  : $lasts eq 'dropped' && !$failed ? ''
	  : $lasts eq 'renamed' && !$failed ? "$ring new"
	  : $ring;
	my @problems;

	push @problems, "rings \"$names\" are there, not \"$wanted\"" if $names ne $wanted;
	if ($names eq '' && $lasts =~ /created|imported/)
	{
		# at once again
		my ($again) = grep { /coderring_create|coderring_import|^INSERT/ } ref $kind->{run} ? @{ $kind->{run} } : $kind->{run};

		push @problems, "the statement fails again: $_" foreach failed($ours->run(named($ring, $again)));
		return ($ring, [], @problems);
	}
	return (undef, [], @problems) if $names eq '';
	return ($names, $during, @problems) if $lasts =~ /reset|created/ && !$failed;
	return ($names, $before, @problems) if $lasts eq 'reset';
	return ($names, [ @$before, @$during ], @problems);
}

sub locks_left
{
	my ($pid, $inside) = @_;
	my $any = $inside ? 'false' : "(pid = $pid AND locktype <> 'virtualxid')";

	return $other->value(qq{SELECT string_agg(concat_ws(' ', locktype, relation::regclass, objid, objsubid, mode), ', ')
		FROM pg_locks WHERE $any OR (locktype = 'advisory' AND pid <> pg_backend_pid()
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))});
}

# Until a session waits in that way; false if its statement has come to an end.
sub waits
{
	my ($session, $event) = @_;

	foreach (1 .. 6000)
	{
		return 1 if $other->value("SELECT count(*) FROM pg_stat_activity WHERE pid = $session->{pid}
			AND wait_event_type || wait_event ~ '$event'") > 0;
		return 0 if $session->is_done;
		usleep(2000);
	}
	die "the session neither waits nor ends\n";
}

# Run statements; where the kind is such, somebody else has the refill lock at
# first, and changes a definition before giving it up.
my $holder;

sub meanwhile
{
	my ($kind, $ring, @statements) = @_;

	return $ours->run(@statements) if !$kind->{meanwhile};
	$holder //= Session->new($database);
	$holder->must('BEGIN', named($ring, q{SELECT faults_lock(1, id, '', 7) FROM coderring.ring WHERE name = '%R'}));
	$ours->send(@statements);
	$other->must(q{SELECT coderring_create('else')}, q{SELECT coderring_drop('else')}) if waits($ours, '^Lock');
	$holder->run('ROLLBACK');
	return $ours->receive;
}

# One statement, in which the n-th call fails. Returns where (an empty text if
# there are not so many calls), whether an error was raised, how many codes were
# lost, and problems.
sub turn
{
	my ($kind, $mode, $n, %options) = @_;
	my $inside = $mode eq 'savepoint';
	my @run = ref $kind->{run} ? @{ $kind->{run} } : ($kind->{run});
	my ($ring, @before) = set_up($kind);
	my $filter = $options{filter} ? ", '$options{filter}'" : '';
	my @answers = meanwhile($kind, $ring,
		$inside ? ('BEGIN', 'SAVEPOINT a') : (),
		'SELECT faults_arm(' . $n . ", '" . ($inside ? 'error' : $mode) . "'$filter)",
		named($ring, map { ($_, /^ROLLBACK TO/ ? 'SELECT faults_noted()' : ()) } @run),
		$inside ? 'ROLLBACK TO a' : 'ROLLBACK',
		'SELECT faults_disarm()', 'SELECT faults_noted()', 'SELECT pg_backend_pid()');
	my ($place, $noted, $pid) = @answers[ -3 .. -1 ];
	my @statements = @answers[ ($inside ? 2 : 0) + 1 .. $#answers - 4 ];
	my $failed = scalar(failed(@statements));
	my @problems = map { "after the statement: $_" } failed(@answers[ -3 .. -1 ]);
	my $locks = locks_left($pid, $inside);
	my $lost = 0;

	push @problems, "locks are left: $locks" if $locks ne '';
	push @problems, map { "unforeseen: $_" } grep { /XX000|25P02/ && !/: could not (compute|generate)/ && @run == 1 } @statements;
	push @problems, "a call failed, but the answer is \"$statements[0]\""
	  if !$failed && defined $kind->{answer} && $statements[0] ne $kind->{answer};
	if (!@problems)
	{
		my ($left, $codes, @wrong) = outcome($kind, $ring, $failed, \@before, [ codes_of($noted) ]);

		push @problems, @wrong;
		if (defined $left && !@problems)
		{
			if (($kind->{lasts} // '') eq 'imported')
			{
				push @problems, failed($_->run(named($left, q{SELECT coderring_get_code('%R')}))) foreach $ours, $other;
				$_->run('SELECT faults_noted()') foreach $ours, $other;
			}
			else
			{
				(my $wrong, $lost) = check_ring($kind, $left, $ours, $other, $codes, %options,
					inside => $inside,
					lost => $mode eq 'error' && $options{lost_by} && $place =~ $options{lost_by} ? 1 : $options{crash});
				push @problems, @$wrong;
			}
			$other->must(named($left, q{SELECT coderring_drop('%R')}));
		}
	}
	$_ = "ring $ring, $mode, call $n ($place): $_" foreach @problems;
	return ($place, $failed, $lost, @problems);
}

# From now on indexes of series look as if somebody were building them
my $builder;

sub begin_building
{
	$builder = Session->new($database);
	$builder->must(
		map({ (
			"CREATE INDEX IF NOT EXISTS ${_}_unfinished ON coderring.$_ (extra)",
			"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'coderring.${_}_unfinished'::regclass") }
			'series_state', 'skipped_positions'),
		'BEGIN', 'LOCK TABLE coderring.series_state, coderring.skipped_positions IN SHARE UPDATE EXCLUSIVE MODE');
	return;
}

sub end_building
{
	$builder->must('COMMIT', 'DROP INDEX coderring.series_state_unfinished, coderring.skipped_positions_unfinished');
	$builder->quit;
	return;
}

# All calls of a kind, one after the other
sub try_kind
{
	my ($name, $mode, %options) = @_;
	my $kind = $kinds{$name};
	my ($all_until, $step) = @{ $kind->{step} // [ 1e9, 1 ] };
	my ($turns, $errors, $lost) = (0, 0, 0);
	my (@problems, %places);

	begin_building() if $kind->{building};
	for (my $n = 1; @problems < $enough; $n += $n < $all_until ? 1 : $step)
	{
		my ($place, $failed, $less, @wrong) = eval { turn($kind, $mode, $n, %options) };

		if ($@)
		{
			push @problems, "$mode, call $n: $@";
			renew_sessions();
			last;
		}
		push @problems, @wrong;
		if (@wrong)
		{
			renew_sessions();
		}
		$lost += $less;
		record("lost $place") if $less && $place ne '';
		last if $place eq '';
		$places{$place} = 1;
		$turns++;
		$errors += $failed > 0;
	}
	end_building() if $kind->{building};
	finish($name, $mode, $turns, $errors, $lost, \%places, @problems);
	return;
}

sub finish
{
	my ($name, $how, $turns, $errors, $lost, $places, @problems) = @_;
	my $text = (@problems ? 'not ok' : 'ok') . " - $name, $how: $turns calls failed, $errors errors\n";

	# from some statements no call can fail that way; others must have some
	$text = "not ok - $name, $how: no call has failed\n"
	  if !@problems && $turns == 0 && $how =~ /error|cancel|savepoint/;
	$text .= "# $_\n" foreach map { split(/\n/) } @problems;
	syswrite(STDOUT, $text);
	record("turns $turns $errors $lost", map { "failed $_" } keys %$places);
	return;
}

# share(TASKS): run a sub for each in so many processes
sub share
{
	my ($work, @tasks) = @_;
	my @children;

	pipe(my $in, my $out) or die $!;
	syswrite($out, join('', map { sprintf('%4d', $_) } 0 .. $#tasks));
	close($out);
	foreach my $job (1 .. $jobs)
	{
		my $pid = fork() // die $!;

		if ($pid == 0)
		{
			prepare_database($job);
			$work->(@{ $tasks[$_] }) while sysread($in, $_, 4);
			exit 0;
		}
		push @children, $pid;
	}
	foreach (@children)
	{
		waitpid($_, 0);
		print "not ok - a process ended with $?\n" if $?;
	}
	return;
}

sub is_wanted { return !%wanted || $wanted{ $_[0] }; }

#
# Parts
#

sub points
{
	my @tasks;

	make_roles();
	foreach my $name (grep { is_wanted($_) } (grep { $kinds{$_}{step} } @names), (grep { !$kinds{$_}{step} } @names))
	{
		push @tasks, [ $name, $_ ] foreach 'error', 'cancel', 'refuse', $kinds{$name}{plain} ? 'savepoint' : ();
	}
	share(\&try_kind, @tasks);
	return;
}

sub plain_kinds { return grep { $kinds{$_}{plain} && is_wanted($_) } @names; }

my $committer;

# Synchronous standbys from now on, in all processes ('' for none)
sub set_standbys
{
	my ($names) = @_;

	$other->must("ALTER SYSTEM SET synchronous_standby_names = '$names'", 'SELECT pg_reload_conf()');
	if ($names eq 'nobody')
	{
		# nobody waits before the checkpointer has read that
		$committer = Session->new($database);
		do
		{
			$committer->send('INSERT INTO sink VALUES (1)');
		} until waits($committer, 'SyncRep') || !$committer->receive;
	}
	elsif ($committer)
	{
		$committer->receive;
		$committer->quit;
		undef $committer;
	}
	return;
}

# A standby that answers, and then one that never does
sub standby
{
	my @kinds = plain_kinds();

	prepare_database(0);
	mkdir "$file.wal" or die $!;
	my $receiver = fork() // die $!;
	if ($receiver == 0)
	{
		open(STDERR, '>', '/dev/null');
		exec('pg_receivewal', '--synchronous', '-D', "$file.wal", '-d', 'application_name=faults') or die $!;
	}
	set_standbys('faults');
	foreach (1 .. 3000)
	{
		last if $other->value(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) > 0;
		usleep(10_000);
	}
	foreach my $name (grep { /^(first|refill|bump|advance)$/ } @kinds)
	{
		# also where the caller does not want to wait
		$ours->must('SET synchronous_commit = local');
		try_kind($name, 'error', filter => 'series.c');
		$ours->must('RESET synchronous_commit');
		try_kind($name, 'cancel', filter => 'series.c');
	}
	set_standbys('');
	kill 'INT', $receiver;
	waitpid($receiver, 0);

	foreach my $name (grep { $kinds{$_}{reserves} // 1 } @kinds)
	{
		foreach my $how ('cancel', 'terminate')
		{
			interrupt($name, "$how, while waiting for a standby", $how, 'SyncRep', sub { set_standbys('nobody') }, sub { set_standbys('') });
		}
	}
	return;
}

# interrupt(KIND, TITLE, HOW, EVENT, BEFORE, AFTER): a statement that must wait
# for EVENT is interrupted while it does so; the next one must wait as well.
sub interrupt
{
	my ($name, $title, $how, $event, $before, $after, %options) = @_;
	my $kind = $kinds{$name};
	my ($turns, @problems) = (0);

	eval {
		my ($ring, @codes) = set_up($kind);
		my $first = 1;

		$before->($ring);
		foreach my $statement (named($ring, $kind->{run}, $name =~ /^advance/ && !$options{locks} ? () : $kind->{run}))
		{
			my $answer;

			if (!$first && $how eq 'terminate')
			{
				$ours = Session->new($database);
			}
			$ours->must("SET lock_timeout = '20ms'") if $how eq 'timeout';
			$ours->send($statement);
			if ($how ne 'timeout')
			{
				push @problems, "\"$statement\" waits for nothing" if !waits($ours, $event);
				$other->must($how eq 'cancel' ? "SELECT pg_cancel_backend($ours->{pid})" : "SELECT pg_terminate_backend($ours->{pid}, 10000)");
			}
			$answer = eval { ($ours->receive)[0] } // '';
			$turns++;
			push @problems, "\"$statement\" answers $answer"
			  if $how eq 'cancel' && $answer !~ /57014/ || $how eq 'timeout' && $answer !~ /55P03/;
			$first = 0;
		}
		$ours = Session->new($database) if $how eq 'terminate';
		$ours->must('SET lock_timeout = 0');
		my $locks = $ours->{pid} && $options{locks} ? '' : locks_left($ours->{pid}, 0);

		push @problems, "locks are left: $locks" if $locks ne '';
		$after->($ring);
		push @codes, codes_of($ours->value('SELECT faults_noted()'));
		my ($wrong, $lost) = check_ring($kind, $ring, $ours, $other, \@codes);
		push @problems, @$wrong;
		$other->must(named($ring, q{SELECT coderring_drop('%R')}));
		1;
	} or do
	{
		push @problems, $@;
		renew_sessions();
		$after->('');
	};
	finish($name, $title, $turns, $turns, 0, {}, @problems);
	return;
}

# Somebody else holds a lock that the statement needs.
sub locks
{
	my %locks = ('definition' => [ 0, 8 ], 'refill' => [ 1, 7 ], 'entry' => [ 2, 7 ]);
	my $holder;

	prepare_database(0);
	$holder = Session->new($database);
	foreach my $name (plain_kinds())
	{
		foreach my $lock (sort keys %locks)
		{
			my ($number, $mode) = @{ $locks{$lock} };
			my $extra = $name eq 'first-extra' ? 'x' : '';

			next if $lock eq 'entry' && !$kinds{$name}{enters};
			foreach my $how ('timeout', 'cancel', 'terminate')
			{
				interrupt($name, "$how, while waiting for the $lock lock", $how, '^Lock',
					sub {
						$holder->must('BEGIN', named($_[0], "SELECT faults_lock($number, id, '$extra', $mode)
							FROM coderring.ring WHERE name = '%R'"));
					},
					sub { $holder->run('ROLLBACK') }, locks => 1);
			}
		}
	}
	return;
}

# Shared memory is full, so that entries of other series have to be taken.
sub full
{
	my $series = 2300;			# 1800 would fit
	my $draw = "INSERT INTO taken SELECT x, c FROM (SELECT x, coderring_get_codes('filler', %d, 'x' || x) AS c
		FROM generate_series(1, $series) x) t";
	my $fill = sub {
		# by series that have none
		$other->must(qq{DO \$\$
			DECLARE
				n int;
				tries int := 0;
			BEGIN
				WHILE faults_room() LOOP
					tries := tries + 1;
					ASSERT tries < 100, 'memory does not get full';
					FOR n IN SELECT x FROM generate_series(1, $series) x
						WHERE 'x' || x NOT IN (SELECT extra FROM coderring.stats WHERE ring = 'filler') LOOP
						EXIT WHEN NOT faults_room();
						INSERT INTO taken VALUES (n, coderring_get_code('filler', 'x' || n));
					END LOOP;
				END LOOP;
			END \$\$}, 'SELECT faults_noted() IS NULL');
	};

	prepare_database(0);
	$other->must(
		q{SELECT coderring_create('filler', 7, alphabet => 'AB')}, 'CREATE TABLE taken (x int, c text)',
		sprintf($draw, 1), 'SELECT faults_noted() IS NULL');
	foreach my $name (grep { is_wanted($_) } 'first', 'first-extra', 'first-fresh')
	{
		$kinds{$name}{setup} = [ @{ $kinds{$name}{setup} }, $fill ];
		$kinds{$name}{step} = [ 1, 7 ] if $name ne 'first';	# much of it is the same
		try_kind($name, $_) foreach 'error', 'cancel', 'refuse';
	}
	$other->must(sprintf($draw, 127));
	my $wrong = $other->value(q{SELECT count(*) FROM (SELECT FROM taken GROUP BY x
		HAVING count(DISTINCT c) <> count(*) OR count(*) FILTER (WHERE length(c) = length('x' || x) + 7) <> 128) t});

	print $wrong ? 'not ok' : 'ok', " - $series series whose entries were taken: each has handed out its whole cycle\n";
	return;
}

# There is no shared memory at all: each code is reserved for itself, and one
# would be lost if the flush failed, which it cannot but by a PANIC.
sub none
{
	share(
		sub { try_kind(@_, lost_by => qr/XLogFlush/) },
		map { my $name = $_; map { [ $name, $_ ] } 'error', 'cancel', 'refuse' }
		  grep { is_wanted($_) } 'first', 'refill', 'bump', 'advance', 'skipped-cycle', 'filter-refill', 'issued-cold', 'start-rings');
	return;
}

# The server has just started, so that shared memory is had for the first time.
# What was reserved before is skipped: at most 1/64 of a cycle.
sub restart
{
	my $restart = sub {
		$_->quit foreach $ours, $other;
		system("$bindir/pg_ctl", '-D', $datadir, '-m', 'immediate', '-s', '-w', 'stop');
		system("$bindir/pg_ctl -D '$datadir' -l '$datadir/restarted' -s -w start </dev/null >/dev/null 2>&1");
		$ours = Session->new($database);
		$other = Session->new($database);
	};

	prepare_database(0);
	foreach my $name (grep { is_wanted($_) } 'refill', 'start-rings')
	{
		$kinds{$name}{setup} = [ @{ $kinds{$name}{setup} }, $restart ];
		try_kind($name, $_, filter => 'memory.c', crash => 4) foreach 'error', 'cancel', 'refuse';
	}
	return;
}

my $run = {
	points => \&points,
	standby => \&standby,
	locks => \&locks,
	full => \&full,
	none => \&none,
	restart => \&restart
}->{$part} or die "no such part: $part\n";
$run->();
