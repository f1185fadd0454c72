# torture.pl DIRECTORY SECONDS SEED: clients take codes for so long, of servers that
# are killed again and again; then all that they received is looked at.  See
# test/torture.sh, which starts it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use IO::Select;
use List::Util qw(shuffle);
use Socket;
use Time::HiRes qw(sleep time);

use Checker;
use Events;
use Ledger;
use Node;
use Rings;
use Worker;

my ($work, $seconds, $seed) = @ARGV;
my $clients = 8;

$| = 1;
srand($seed);
my $began = time;
my $run = bless {
	work => $work, round => 0, workers => [], dumps => [], happened => {},
	logs => [ map { "$work/codes.$_" } 1 .. $clients ]
}, 'main';
my ($one, $two) = map { Node->new($work, $_) } 5432, 5433;

#
# Clients
#

sub start_workers
{
	my ($self) = @_;
	my %incarnations = map { split(/\|/) } split(/\n/,
		$self->{primary}->must_query('SELECT name, incarnation FROM coderring.ring', 'torture'));

	foreach my $number (1 .. $clients)
	{
		socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
		my $pid = fork // die $!;

		if ($pid == 0)
		{
			close $ours;
			close $_->{control} foreach @{ $self->{workers} };
			open(STDERR, '>', "$work/log/worker.$number");
			open(STDOUT, '>&', \*STDERR);
			my $ended = eval {
				Worker->new(
					number => $number, control => $theirs, log => $self->{logs}[ $number - 1 ],
					seed => $seed * 100 + $number, host => $one->{host},
					incarnations => \%incarnations)->main;
				1;
			};
			print STDERR $@ if !$ended;
			require POSIX;
			POSIX::_exit($ended ? 0 : 1);
		}
		close $theirs;
		push @{ $self->{workers} }, { number => $number, pid => $pid, control => $ours };
	}
	return;
}

# resume(STYLE, FULL): clients work, in a round of their own
sub resume
{
	my ($self, $style, $full) = @_;

	$self->progress("work: $style");
	$self->{style} = $style;
	$self->{round}++;
	syswrite($_->{control}, "go $self->{round} $self->{primary}{port} $style " . ($full ? 1 : 0) . "\n")
	  foreach @{ $self->{workers} };
	$self->{working} = 1;
	return;
}

# Wait until all clients have finished what they do.
sub pause
{
	my ($self) = @_;

	return if !$self->{working};
	$self->progress('pause');
	syswrite($_->{control}, "pause\n") foreach @{ $self->{workers} };
	foreach my $worker (@{ $self->{workers} })
	{
		my $answer = '';

		IO::Select->new($worker->{control})->can_read(60)
		  or die "client $worker->{number} hangs:\n"
		  . ($self->{primary}->query('SELECT pid, state, wait_event_type, wait_event, query FROM pg_stat_activity') // '');
		sysread($worker->{control}, $answer, 7);
		if ($answer ne "paused\n")
		{
			open(my $file, '<', "$work/log/worker.$worker->{number}");
			die "client $worker->{number} is gone: ", readline($file);
		}
	}
	$self->{working} = 0;
	return;
}

# What is done, for whoever looks on
sub progress
{
	my ($self, $what) = @_;

	open(my $file, '>>', "$work/log/progress") or return;
	printf $file "%7.2f %s\n", time - $began, $what;
	return;
}

sub settle
{
	my ($self, $crashes) = @_;
	my $title = sprintf('round %d, %s, %.0f s', $self->{round}, $self->{event} // 'idle', time - $began);

	$self->progress('settle');
	$self->{failed} = 1 if !$self->{ledger}->settle($self->{primary}, $crashes, $title);
	return;
}

# A moment without work, and without a crash.
sub quiet
{
	my ($self) = @_;

	$self->pause;
	$self->settle(0);
	return;
}

#
# What happens while they work
#

sub cancel_one
{
	my ($self, $function) = @_;

	$self->{$function} += $self->{primary}->query(
		"SELECT count($function(pid)) FROM (SELECT pid FROM pg_stat_activity
			WHERE datname = 'torture' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
			ORDER BY random() LIMIT 1) a") || 0;
	return;
}

# A dump is taken and restored, and codes are drawn from what was restored: none
# that somebody had before the dump was begun.
sub dump_and_restore
{
	my ($self) = @_;
	my $node = $self->{primary};

	$self->progress('dump');
	my $file = "$work/dump";
	my @at = ('-h', $node->{host}, '-p', $node->{port}, '-U', 'postgres');
	my @offsets = map { -s $_ // 0 } @{ $self->{logs} };

	$node->must('pg_dump', @at, '-f', $file, '-T', 'got', '-T', 'decoded', 'torture');
	$node->must_query('CREATE DATABASE restored');
	$node->must('psql', '-XAtq', @at, '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $file);
	my $draws = join(' UNION ALL ', map {
		my $ring = $_->{name};
		map { "SELECT incarnation || ' ' || coderring_get_codes('$ring', 60, '$_')
			FROM coderring.ring WHERE name = '$ring'" } @{ $_->{extras} }
	} @RINGS);
	my @codes = split(/\n/, $node->must_query($draws, 'restored'));
	$node->must_query('DROP DATABASE restored');
	push @{ $self->{dumps} }, { offsets => \@offsets, codes => \@codes };
	return;
}

# work_for(SECONDS): with disturbances, in a round of all kinds of calls
sub work_for
{
	my ($self, $time) = @_;
	my $end = time + $time;

	while (time < $end)
	{
		sleep 0.05 + rand(0.25);
		next if $self->{style} ne 'mixed';
		my $dice = rand;
		$self->cancel_one('pg_cancel_backend') if $dice < 0.5;
		$self->cancel_one('pg_terminate_backend') if $dice > 0.85;
	}
	return;
}

sub add_standby
{
	my ($self) = @_;

	$self->{standby} = $self->{primary} == $one ? $two : $one;
	$self->{standby}->follow($self->{primary});
	$self->{primary}->wait_for_standby('*');
	return;
}

sub remove_standby
{
	my ($self) = @_;

	$self->{primary}->wait_for_standby('');
	$self->{standby}->stop('fast');
	delete $self->{standby};
	return;
}

# Half a round of calls before the first crash, of all kinds after it, and so on;
# dumps in between.
sub one_event
{
	my ($self, $name) = @_;

	foreach my $style (shuffle('mixed', 'calls'))
	{
		$self->resume($style);
		$self->work_for(0.3 + rand(1.5));
		if ($self->{dump_at} < time && $style eq 'mixed')
		{
			$self->dump_and_restore;
			$self->{dump_at} = time + 15;
		}
		last if $style eq 'calls' && rand() < 0.6;
		$self->quiet if rand() < 0.7;
		return if $self->{failed};
		$self->resume($style) if !$self->{working};
	}
	$self->progress($name);
	$self->{event} = $name;
	$EVENTS{$name}[0]->($self);
	$self->{happened}{$name}++;
	$self->{event} = undef;
	return;
}

sub main
{
	my ($self) = @_;
	my @plain = grep { !$EVENTS{$_}[1] } sort keys %EVENTS;
	my @replicated = sort keys %EVENTS;
	my @events;

	$self->{primary} = $one;
	$one->init;
	$one->must_start;
	$one->must_query('CREATE DATABASE torture');
	create_rings($one);
	$self->start_workers;
	$self->{ledger} = Ledger->new(@{ $self->{logs} });
	$self->{dump_at} = 0;

	# In turn: a time without a standby, and one with; each event comes in each.
	until ($self->{failed} || time - $began > $seconds)
	{
		if (!@events)
		{
			$self->{standby} ? $self->remove_standby : $self->add_standby if $self->{happened_before}++;
			@events = shuffle($self->{standby} ? @replicated : @plain);
		}
		$self->one_event(shift @events);
	}
	$self->pause;
	$self->remove_standby if $self->{standby};
	if ($self->{failed})
	{
		# what comes again is to be received, too
		$self->resume('calls');
		sleep 5;
		$self->pause;
	}
	return;
}

#
# The verdict
#

my $tests = 0;

sub report
{
	my ($title, @problems) = @_;

	$tests++;
	print @problems ? "not ok $tests - $title\n" : "ok $tests - $title\n";
	print map { chomp; "#   $_\n" } splice(@problems, 0, 10);
	return;
}

sub panics
{
	my $found = 0;

	foreach my $log (glob "$work/log/server-*")
	{
		open(my $file, '<', $log) or next;
		$found++ if grep { /PANIC:.*File too large/ } readline($file);
	}
	return $found;
}

# What servers have said that they must not
sub bad_logs
{
	my @found;

	foreach my $log (glob "$work/log/server-*")
	{
		open(my $file, '<', $log) or next;
		push @found, grep { /TRAP:|signal 11|invalid page|is damaged|PANIC:(?!.*(File too large|could not (write|open|create|fsync)))/ } readline($file);
	}
	return @found;
}

my $ended = eval { $run->main; 1 };
my $error = $@;
my $ledger = $run->{ledger};
my $checker = Checker->new(
	work => $work, logs => $run->{logs}, dumps => $run->{dumps}, node => $run->{primary});

if ($ended)
{
	report('the books are in order: no code came again, none was lost but by crashes, within the bound',
		@{ $ledger->{failures} });
	report('no code was received twice', $checker->twice);
	$checker->decode;
	report('every code decodes to its extra', $checker->not_decoded);
	report('coderring_issued knows every code', $checker->not_issued);
	report('no cycle is longer than its set, and each offset came once', $checker->cycles_too_long);
	report('no code of a restored dump was received before the dump', $checker->again_after_restore);
	report('no server has said what it must not', bad_logs());
	my @never = grep { !$run->{happened}{$_} } sort keys %EVENTS;
	push @never, 'a server that panics where the disk is full' if !panics();
	@never = () if $seconds < 240 || $run->{failed};
	report('everything had its turn', map { "never: $_" } @never);

	my ($cycles, $full) = $checker->cycles;
	my $figure = sub { my $n = reverse int($_[0]); $n =~ s/(\d{3})(?=\d)/$1,/g; scalar reverse $n };
	printf "# %s crashes and restarts survived, in %.0f seconds, seed %d\n", $figure->($ledger->{crashes}), time - $began, $seed;
	printf "#   %-40s %6d\n", $_, $run->{happened}{$_} foreach sort keys %{ $run->{happened} };
	printf "# %d servers panicked; %s backends cancelled, %s terminated, %d dumps restored, %s comparisons of the books\n",
	  panics(), $figure->($run->{pg_cancel_backend} // 0), $figure->($run->{pg_terminate_backend} // 0),
	  scalar @{ $run->{dumps} }, $figure->($ledger->{stretches});
	printf "# %s codes received of %d incarnations of rings; %s of them decoded; %s cycles, %s of them in full\n",
	  $figure->($checker->{codes}), $checker->{incarnations}, $figure->($checker->{checked}),
	  $figure->($cycles), $figure->($full);
	printf "# %s codes skipped by crashes; the bound is %s; at most %.0f %% of it by one series\n",
	  $figure->($ledger->{skipped}), $figure->($ledger->{bound}), 100 * $ledger->{worst};
	printf "# %s codes in answers that did not get through, without a crash\n", $figure->($ledger->{unsure});
	print '# errors met: ', join(', ', map { "$_ $ledger->{errors}{$_}" } sort keys %{ $ledger->{errors} }), "\n";
}
else
{
	report('the run came to its end', split(/\n/, $error));
}
print "1..$tests\n";
foreach my $worker (@{ $run->{workers} })
{
	syswrite($worker->{control}, "quit\n");
	kill 'TERM', $worker->{pid} if !$ended;
	waitpid($worker->{pid}, 0);
}
exit 0;
