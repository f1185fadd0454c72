# A client: takes codes in every way that there is, and writes down each code it
# has received before it does anything else.
#
# Its log is one file, opened for appending, a line a call, columns by tabs:
#   C  round, incarnation, ring, extra, codes, time, backend		received
#   I  round, ring, extra, number		at most so many were taken, but not received
#   A  round, ring, extra, number		so many were passed over by coderring_advance
#   ?  round, ring, extra				what was passed over is not known
#   E  SQLSTATE, statement				an error that was to be expected
#   F  text								what must not happen

package Worker;

use strict;
use warnings;

use IO::Select;
use Time::HiRes qw(sleep time);

use Rings;
use Session;

# Weights of what is done in a round; a round of calls writes nothing else, so
# that nobody flushes WAL but who has reserved codes.
my %styles = (
	calls => { code => 98, codes => 2 },
	crowd => { crowd => 60, code => 38, codes => 2 },
	mixed => {
		code => 300, transaction => 100, savepoint => 60, codes => 30, timeout => 20,
		asynchronous => 20, serializable => 20, issued => 20, cursor => 10, bump => 20,
		advance => 8, changing => 30, reset => 2, rename => 2, create => 3, words => 2,
		vacuum => 1, refused => 4, crowd => 20
	});

# SQLSTATEs of a statement that was ended by somebody, of a full disk, and of
# transactions that got into each other's way.
my %expected = map { $_ => 1 } '', qw(57014 57P01 57P02 57P03 25P01 25P02 40001 40P01);
my %full = map { $_ => 1 } qw(53100 58030 54000 XX001 XX000 58P01);

# An error without which no code can have been taken
my %nothing_taken = map { $_ => 1 } qw(25P02 42704);

# new(NUMBER, CONTROL, LOG, SEED, HOST, INCARNATIONS)
sub new
{
	my ($class, %self) = @_;
	my $self = bless {%self}, $class;

	open($self->{file}, '>>', $self->{log}) or die "$self->{log}: $!";
	$self->{select} = IO::Select->new($self->{control});
	$self->{series} = [ map { my $ring = $_; map { [ $ring, $_ ] } @{ $ring->{extras} } } @RINGS ];
	return $self;
}

sub note
{
	my ($self, @columns) = @_;
	my $line = join("\t", @columns) . "\n";

	(syswrite($self->{file}, $line) // 0) == length($line) or die "$self->{log}: $!";
	return;
}

sub received
{
	my ($self, $incarnation, $ring, $extra, @codes) = @_;

	$self->note('C', $self->{round}, $incarnation, $ring, $extra, "@codes", sprintf('%.3f', time),
		"$self->{port}:$self->{session}{pid}");
	return;
}

# One command of the controller: go ROUND PORT STYLE FULL, pause, quit
sub command
{
	my ($self) = @_;
	my $line = '';

	while (sysread($self->{control}, my $byte, 1))
	{
		last if $byte eq "\n";
		$line .= $byte;
	}
	return split(/ /, $line eq '' ? 'quit' : $line);
}

sub main
{
	my ($self) = @_;

	srand($self->{seed});
	for (;;)
	{
		my ($word, $round, $port, $style, $full) = $self->command;

		last if $word eq 'quit';
		if ($word eq 'go')
		{
			$self->disconnect if ($self->{port} // $port) != $port;
			@$self{qw(round port style full)} = ($round, $port, $style, $full);
			$self->work;
		}
	}
	$self->disconnect;
	return;
}

sub disconnect
{
	my ($self) = @_;

	$self->{session}->end if $self->{session};
	$self->{session} = undef;
	return;
}

# Until there is a command, which is to pause.
sub work
{
	my ($self) = @_;
	my $style = $styles{ $self->{style} };
	my @deck = map { ($_) x $style->{$_} } sort keys %$style;

	until ($self->{select}->can_read(0))
	{
		if (!$self->{session})
		{
			$self->{session} = Session->new($self->{host}, $self->{port}, 'torture');
			sleep 0.05 if !$self->{session};
			next;
		}
		my $step = "do_$deck[ rand @deck ]";
		$self->$step;
		$self->disconnect if $self->{session} && !$self->{session}{alive};
	}
	$self->command;
	syswrite($self->{control}, "paused\n");
	return;
}

# ask(SQL, STATES): what it returned; states are those that are also expected.
sub ask
{
	my ($self, $sql, $states) = @_;
	my $session = $self->{session};
	my @lines = $session->query($sql);
	my $state = $session->{state};

	if ($state ne '00000')
	{
		if ($expected{$state} || ($states && $state =~ /^(?:$states)$/) ||
			($self->{full} && $full{$state}))
		{
			$self->note('E', $state, substr($sql, 0, 40) =~ s/\s+/ /gr);
		}
		else
		{
			$self->note('F', "$state $session->{message}: $sql" =~ s/\s+/ /gr);
		}
	}
	$self->{ok} = $state eq '00000';
	return @lines;
}

# take(RING, EXTRA, SQL, NUMBER): codes of a ring whose definition stays
sub take
{
	my ($self, $ring, $extra, $sql, $number) = @_;
	my @codes = $self->ask($sql);

	$self->received($self->{incarnations}{ $ring->{name} }, $ring->{name}, $extra, @codes)
	  if @codes;
	$self->note('I', $self->{round}, $ring->{name}, $extra, $number - @codes)
	  if !$self->{ok} && $number > @codes && !$nothing_taken{ $self->{session}{state} };
	$self->{last} = [ $ring->{name}, $codes[0] ] if @codes;
	return;
}

sub any_series
{
	my ($self) = @_;

	return @{ $self->{series}[ rand @{ $self->{series} } ] };
}

sub do_code
{
	my ($self) = @_;
	my ($ring, $extra) = $self->any_series;

	$self->take($ring, $extra, "SELECT coderring_get_code('$ring->{name}', '$extra')", 1);
	return;
}

sub do_codes
{
	my ($self) = @_;
	my ($ring, $extra) = $self->any_series;
	my $number = 1 + int(rand($ring->{codes} < 5000 ? 20 : 400));

	$self->take($ring, $extra, "SELECT coderring_get_codes('$ring->{name}', $number, '$extra')", $number);
	return;
}

sub do_crowd
{
	my ($self) = @_;
	my $extra = 'c' . int(rand(4000)) . '-';

	$self->take($RING{crowd}, $extra, "SELECT coderring_get_code('crowd', '$extra')", 1);
	return;
}

sub do_transaction
{
	my ($self) = @_;

	$self->ask('BEGIN');
	foreach (1 .. 1 + rand(4))
	{
		$self->do_code;
		$self->ask("INSERT INTO booking VALUES ($self->{number}, 'x')") if rand() < 0.3;
	}
	$self->ask(rand() < 0.5 ? 'COMMIT' : 'ROLLBACK');
	return;
}

sub do_savepoint
{
	my ($self) = @_;

	$self->ask('BEGIN');
	foreach (1 .. 1 + rand(3))
	{
		$self->ask('SAVEPOINT s');
		$self->do_code;
		$self->ask('ROLLBACK TO s') if rand() < 0.7;
		$self->do_code;
	}
	$self->ask(rand() < 0.5 ? 'COMMIT' : 'ROLLBACK');
	return;
}

sub do_timeout
{
	my ($self) = @_;

	$self->ask('SET statement_timeout = ' . (1 + int(rand(3))));
	foreach (1 .. 5)
	{
		$self->do_code;
	}
	$self->ask('SET statement_timeout = 0');
	return;
}

sub do_asynchronous
{
	my ($self) = @_;

	$self->ask('SET synchronous_commit = off');
	$self->do_code foreach 1 .. 3;
	$self->ask('RESET synchronous_commit');
	return;
}

sub do_serializable
{
	my ($self) = @_;

	$self->ask('BEGIN ISOLATION LEVEL SERIALIZABLE');
	$self->ask('SELECT count(*) FROM (SELECT FROM booking LIMIT 10) b');
	$self->do_code foreach 1 .. 3;
	$self->ask('COMMIT');
	return;
}

# A code that was just received is known.
sub do_issued
{
	my ($self) = @_;
	my ($ring, $code) = @{ $self->{last} // return };
	my ($known) = $self->ask("SELECT coderring_issued('$ring', '$code')");

	$self->note('F', "coderring_issued denies $code of $ring") if $self->{ok} && $known ne 't';
	return;
}

# A query that stops early has used no more than it shows.
sub do_cursor
{
	my ($self) = @_;
	my ($ring, $extra) = $self->any_series;

	$self->ask('BEGIN');
	$self->ask("DECLARE c CURSOR FOR SELECT coderring_get_codes('$ring->{name}', 50, '$extra')");
	$self->take($ring, $extra, 'FETCH 3 FROM c', 3) if $self->{ok};
	$self->ask('ROLLBACK');
	return;
}

sub do_bump
{
	my ($self) = @_;
	my $ring = $RING{bump};
	my $extra = $ring->{extras}[ rand @{ $ring->{extras} } ];

	$self->take($ring, $extra, "SELECT coderring_get_code('bump', '$extra', true)", 1);
	return;
}

# Each worker has a series that only it moves, and so knows how far.
sub do_advance
{
	my ($self) = @_;
	my $ring = $RING{two};
	my $extra = "a$self->{number}-";
	my $where = "SELECT cycle * $ring->{codes} + cycle_offset FROM coderring.series
		WHERE ring = 'two' AND extra = '$extra'";

	foreach (1 .. 5)
	{
		$self->take($ring, $extra, "SELECT coderring_get_code('two', '$extra')", 1);
		return if !$self->{ok};
	}
	my ($before) = $self->ask($where);
	return if !defined $before;
	my $target = $before + 1 + int(rand(2 * $ring->{codes}));
	$self->ask(sprintf("SELECT coderring_advance('two', '%s', %d, %d)", $extra,
		$target / $ring->{codes}, $target % $ring->{codes}));
	if ($self->{ok})
	{
		$self->note('A', $self->{round}, 'two', $extra, $target - $before);
	}
	else
	{
		$self->note('?', $self->{round}, 'two', $extra);
	}
	return;
}

#
# Rings that change.  A code belongs to the incarnation that the ring had before
# and after; where it had two, or the second one was not received, the code is not
# in the books.
#

# take_changing(ID, NUMBER): codes of the ring with this id
sub take_changing
{
	my ($self, $where, $number) = @_;
	my $look = "SELECT incarnation || ' ' || name FROM coderring.ring WHERE $where";
	my ($before) = $self->ask($look);
	my ($incarnation, $name) = split(/ /, $before // return, 2);
	my @codes = $self->ask("SELECT coderring_get_codes('$name', $number)", '42704');
	my ($after) = $self->ask($look);

	$self->received($incarnation, '-', '', @codes)
	  if @codes && defined $after && (split(/ /, $after))[0] eq $incarnation;
	return;
}

my @changing = ("name = 'phoenix'", "name LIKE 'nomad%'", "name = 'words'");

sub do_changing
{
	my ($self) = @_;

	$self->take_changing($changing[ rand @changing ], 1 + int(rand(20)));
	return;
}

# commit_or_not(SQL, WHERE): a change of a definition, and codes drawn in the same
# transaction, which belong to the incarnation that it made.
sub commit_or_not
{
	my ($self, $sql, $where) = @_;

	$self->ask('BEGIN');
	$self->ask($sql, '42704|42710');
	$self->take_changing($where, 3) if rand() < 0.5;
	$self->do_code if rand() < 0.5;
	$self->ask(rand() < 0.6 ? 'COMMIT' : 'ROLLBACK');
	return;
}

sub do_reset
{
	my ($self) = @_;

	$self->commit_or_not("SELECT coderring_reset('phoenix')", "name = 'phoenix'");
	return;
}

# No name comes again.
sub do_rename
{
	my ($self) = @_;
	my ($name) = $self->ask("SELECT name FROM coderring.ring WHERE name LIKE 'nomad%'");

	return if !defined $name;
	$self->commit_or_not(
		sprintf("SELECT coderring_rename('%s', 'nomad %d.%d')", $name, $self->{number}, ++$self->{renamed}),
		"name LIKE 'nomad%'");
	return;
}

sub do_create
{
	my ($self) = @_;
	my $name = "own $self->{number}";

	$self->commit_or_not("SELECT coderring_create('$name', 2, if_not_exists => true)", "name = '$name'");
	$self->take_changing("name = '$name'", 5);
	$self->commit_or_not("SELECT coderring_drop('$name', if_exists => true)", "name = 'words'")
	  if rand() < 0.7;
	return;
}

sub do_words
{
	my ($self) = @_;
	my $list = (q{'english'}, q{'international'}, q{'english, spreadsheet'}, 'NULL')[ rand 4 ];

	$self->ask("SELECT coderring_set_blocklist('words', $list)");
	$self->take_changing("name = 'words'", 5);
	return;
}

sub do_vacuum
{
	my ($self) = @_;

	$self->ask((
			'VACUUM FULL coderring.series_state', 'VACUUM coderring.series_state',
			'VACUUM FULL coderring.skipped_positions', 'CLUSTER coderring.series_state USING series_state_key',
			'REINDEX TABLE coderring.series_state', 'CHECKPOINT')[ rand 6 ]);
	return;
}

sub do_refused
{
	my ($self) = @_;
	my $sql = (
		'UPDATE coderring.series_state SET reserved_to = 0',
		'UPDATE coderring.series_state SET extra = extra',
		'DELETE FROM coderring.series_state',
		'UPDATE coderring.skipped_positions SET last_position = last_position',
		'TRUNCATE coderring.series_state CASCADE')[ rand 5 ];

	$self->ask($sql, '55000|42501|0A000|2BP01');
	$self->note('F', "not refused: $sql") if $self->{ok} && $sql !~ /skipped/;
	return;
}

1;
