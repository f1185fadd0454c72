# A session: psql, led statement by statement. For faults.pl.

package Session;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;

# Longer than this no statement takes that is not stuck.
my $limit = 60;
my $marks = 0;

# new(DATABASE)
sub new
{
	my ($class, $database) = @_;
	my $self = bless { database => $database }, $class;

	$self->{process} = open3($self->{in}, $self->{out}, undef,
		'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $database, '-f', '-');
	$self->{select} = IO::Select->new($self->{out});
	$self->{rest} = '';
	$self->{pid} = $self->value('SELECT pg_backend_pid()');
	return $self;
}

# Begin something, and do not wait for its end.
sub send
{
	my ($self, @statements) = @_;
	my $text = '';

	local $SIG{PIPE} = 'IGNORE';
	$self->{marks} = [];
	foreach my $statement (@statements)
	{
		my $mark = '--' . ++$marks . '--';

		push @{ $self->{marks} }, $mark;
		$text .= $statement . ($statement =~ /^\\|\\gset\z/ ? '' : "\n;") . "\n\\warn $mark\n";
	}
	syswrite($self->{in}, $text);
	return;
}

# Wait for the end of what was begun: what each statement has printed, errors
# included. Dies if the session ends or does not answer.
sub receive
{
	my ($self) = @_;
	my @answers;

	foreach my $mark (@{ $self->{marks} })
	{
		my $place;

		while (($place = index($self->{rest}, "$mark\n")) < 0)
		{
			$self->{select}->can_read($limit) or die "no answer in $limit seconds: $self->{rest}\n";
			sysread($self->{out}, $self->{rest}, 65536, length($self->{rest}))
			  or die "the session has ended: $self->{rest}\n";
		}
		push @answers, substr($self->{rest}, 0, $place);
		$answers[-1] =~ s/\n\z//;
		substr($self->{rest}, 0, $place + length($mark) + 1) = '';
	}
	$self->{marks} = [];
	return @answers;
}

# Has the answer to what was begun come?
sub is_done
{
	my ($self) = @_;

	while ($self->{select}->can_read(0))
	{
		sysread($self->{out}, $self->{rest}, 65536, length($self->{rest})) or return 1;
	}
	return index($self->{rest}, "$self->{marks}[-1]\n") >= 0;
}

sub run
{
	my ($self, @statements) = @_;

	$self->send(@statements);
	return $self->receive;
}

# The same, where no statement must fail.
sub must
{
	my ($self, @statements) = @_;
	my @answers = $self->run(@statements);

	foreach (0 .. $#answers)
	{
		die "$statements[$_]\n$answers[$_]\n" if $answers[$_] =~ /^(?:psql:\S+ )?(?:ERROR|FATAL):/m;
	}
	return @answers;
}

sub value
{
	my ($self, $statement) = @_;

	return ($self->must($statement))[0];
}

sub quit
{
	my ($self) = @_;

	close($self->{in});
	close($self->{out});
	waitpid($self->{process}, 0);
	return;
}

1;
