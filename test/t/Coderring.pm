# What the TAP tests share: servers with the extension, sessions that are led
# step by step, clients that run at full speed, and the books of what came out.

package Coderring;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(
  init_node new_node new_session start_client stop_clients wait_for_output wait_until
  output_of errors_of write_script base_codes full_cycle duplicates is_set
  positions position wait_for_lock await_standbys cancel_waiting
);

our $ALPHABET = 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N';

# init_node(NODE, INIT...): in UTF8, whatever LANG says (and in a container it says
# nothing), with the locale that goes with every encoding.
sub init_node
{
	my ($node, %init) = @_;

	$node->init(%init, extra => [ '--encoding=UTF8', '--locale=C', @{ $init{extra} // [] } ]);
	return;
}

# new_node(NAME, CONFIG, INIT...): a server that runs and has the extension in
# the database postgres.
sub new_node
{
	my ($name, $config, @init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	init_node($node, @init);
	$node->append_conf('postgresql.conf', $config // '');
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION coderring');
	return $node;
}

# await_standbys(NODE, NAMES): from now on everyone waits for these synchronous
# standbys, or for none (''). Sessions that begin later read it; but whether a commit
# waits is for the checkpointer to say, who reads it between two checkpoints.
sub await_standbys
{
	my ($node, $names) = @_;

	$node->safe_psql('postgres', qq{SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = '$names'});
	$node->reload;
	$node->poll_query_until('postgres', qq{SELECT current_setting('synchronous_standby_names') = '$names'})
	  or die 'the setting is not read';
	$node->safe_psql('postgres', 'CHECKPOINT') foreach 1 .. 2;
	return;
}

# cancel_waiting(NODE, SESSION, STATEMENT): when it has come to where it waits for a
# synchronous standby.
sub cancel_waiting
{
	my ($node, $session, $statement) = @_;

	$session->send($statement);
	$node->poll_query_until('postgres', "SELECT wait_event IS NOT DISTINCT FROM 'SyncRep' FROM pg_stat_activity WHERE pid = $session->{pid}")
	  or die 'it does not wait for a standby';
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
	$session->receive;
	return;
}

# Poll until CODE returns true; false when time is up.
sub wait_until
{
	my ($code) = @_;
	my $tries = 100 * $PostgreSQL::Test::Utils::timeout_default;

	while ($tries-- > 0)
	{
		return 1 if $code->();
		usleep(10_000);
	}
	return 0;
}

#
# Clients: psql with a script, as fast as it goes.  What psql has printed was
# received; it goes on printing after the server is gone.
#

my $directory;
my $files = 0;

sub new_file
{
	$directory //= PostgreSQL::Test::Utils::tempdir();
	return "$directory/" . ++$files;
}

# write_script(TEXT): a file with it, for any number of clients.
sub write_script
{
	my ($text) = @_;
	my $file = new_file() . '.sql';

	append_to_file($file, $text);
	return $file;
}

# start_client(NODE, FILE, DBNAME, OPTIONS): options are those of a connection
# string.
sub start_client
{
	my ($node, $script, $dbname, $options) = @_;
	my $base = new_file();
	my @command = (
		'psql', '-XAtq', '-d',
		$node->connstr($dbname // 'postgres') . ' ' . ($options // ''), '-f', $script);

	return {
		out => "$base.out",
		err => "$base.err",
		run => IPC::Run::start(
			\@command, '<', '/dev/null', '>', "$base.out", '2>', "$base.err")
	};
}

# Wait until clients have come to their ends, whatever those are.
sub stop_clients
{
	$_->{run}->finish foreach @_;
	return;
}

# wait_for_output(BYTES, CLIENTS...): until they have printed so much together.
sub wait_for_output
{
	my ($bytes, @clients) = @_;

	return wait_until(
		sub {
			my $size = 0;

			$size += -s $_->{out} // 0 foreach @clients;
			return $size >= $bytes;
		});
}

# The complete lines that clients have printed.
sub output_of
{
	return map { grep { /\n\z/ } split(/^/m, slurp_file($_->{out})) } @_;
}

sub errors_of
{
	return join('', map { slurp_file($_->{err}) } @_);
}

#
# Codes
#

# base_codes(LENGTH): every one of the default alphabet.
sub base_codes
{
	my ($length) = @_;
	my @codes = ('');

	foreach (1 .. $length)
	{
		@codes = map {
			my $start = $_;
			map { $start . $_ } split(//, $ALPHABET)
		} @codes;
	}
	return @codes;
}

# Those that occur more than once.
sub duplicates
{
	my %seen;

	return grep { $seen{$_}++ == 1 } @_;
}

# is_set(GOT, WANTED, TITLE): the same elements, each once, in any order.
sub is_set
{
	my ($got, $wanted, $title) = @_;
	my %seen;
	my @problems;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$seen{$_}++ foreach @$got;
	push @problems, map { "missing: $_" } grep { !$seen{$_} } @$wanted;
	push @problems, map { "twice: $_" } grep { $seen{$_} > 1 } sort keys %seen;
	delete $seen{$_} foreach @$wanted;
	push @problems, map { "unexpected: $_" } sort keys %seen;
	ok(!@problems, $title)
	  or diag(scalar(@problems) . ' problems, such as ' . join(', ', grep { defined } @problems[0 .. 9]));
	return;
}

# full_cycle(CODES, LENGTH, PREFIX, TITLE): one whole cycle, each code once.
sub full_cycle
{
	my ($codes, $length, $prefix, $title) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_set($codes, [ map { $prefix . $_ } base_codes($length) ], $title);
	return;
}

# positions(NODE, DBNAME): how many codes each series has come past, by
# "ring/extra".  What is recorded as skipped (cycles of another series, what a
# bump left over) does not count.
sub positions
{
	my ($node, $dbname) = @_;
	my $rows = $node->safe_psql($dbname // 'postgres', <<'SQL');
SELECT s.ring || '/' || s.extra || '=' ||
	s.cycle * s.codes_per_cycle + s.cycle_offset - coalesce((
		SELECT sum(k.last_position - k.first_position + 1)
		FROM coderring.skipped_positions k JOIN coderring.ring r USING (incarnation)
		WHERE r.name = s.ring AND k.extra = s.extra
			AND k.last_position < s.cycle * s.codes_per_cycle + s.cycle_offset), 0)
FROM coderring.series s
SQL

	return { map { /^(.*)=(\d+)$/ ? ($1 => $2) : () } split(/\n/, $rows) };
}

# position(NODE, SERIES, DBNAME): that of "ring/extra".
sub position
{
	my ($node, $series, $dbname) = @_;

	return positions($node, $dbname)->{$series} // 0;
}

# wait_for_lock(NODE, PIDS...): until all these sessions wait for one.
sub wait_for_lock
{
	my ($node, @pids) = @_;

	$node->poll_query_until('postgres',
		'SELECT count(DISTINCT pid) = ' . scalar(@pids)
		  . ' FROM pg_locks WHERE NOT granted AND pid IN (' . join(',', @pids) . ')')
	  or die 'sessions do not wait for a lock';
	return;
}

sub new_session
{
	return Coderring::Session->new(@_);
}

#
# A session that is led step by step.
#
package Coderring::Session;

# new(NODE, DBNAME, OPTIONS): options are those of a connection string.
sub new
{
	my ($class, $node, $dbname, $options) = @_;
	my $self = bless { in => '', out => '', err => '', step => 0 }, $class;
	my @command = (
		'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
		$node->connstr($dbname // 'postgres') . ' ' . ($options // ''), '-f', '-');

	$self->{timer} = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	$self->{run} = IPC::Run::start(
		\@command, '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	return $self;
}

# Begin something, and do not wait for its end.
sub send
{
	my ($self, $sql) = @_;

	return if $self->{gone};
	$self->{out} = '';
	$self->{err} = '';
	$self->{mark} = 'step ' . ++$self->{step} . ' is done';
	$self->{timer}->start($PostgreSQL::Test::Utils::timeout_default);
	$self->{in} .= "$sql\n;\n\\echo $self->{mark}\n\\warn $self->{mark}\n";
	$self->{run}->pump_nb;
	return;
}

# Wait for the end of what was begun.  Returns what it printed; what it
# complained of is in {error}, and {gone} tells that the connection was lost.
sub receive
{
	my ($self) = @_;
	my $mark = "$self->{mark}\n";

	return '' if $self->{gone};
	until (index($self->{out}, $mark) >= 0 && index($self->{err}, $mark) >= 0)
	{
		last unless $self->{run}->pumpable;
		die "no end of step $self->{step} of session $self->{pid}: $self->{err}" if $self->{timer}->is_expired;
		$self->{run}->pump;
	}
	$self->{gone} = index($self->{out}, $mark) < 0;
	$self->{run}->finish if $self->{gone};
	(my $out = $self->{out}) =~ s/\Q$mark\E//;
	($self->{error} = $self->{err}) =~ s/\Q$mark\E//;
	chomp $out;
	return $out;
}

sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->receive;
}

# The SQLSTATE of the last error, or an empty string.
sub state
{
	my ($self) = @_;

	return $self->{error} =~ /(?:ERROR|FATAL):  (\w{5}):/ ? $1 : '';
}

sub quit
{
	my ($self) = @_;

	return if $self->{gone};
	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

1;
