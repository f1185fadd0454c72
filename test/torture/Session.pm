# A session of psql that is asked one statement after the other through pipes.
# What it has printed was received by a client.

package Session;

use strict;
use warnings;

use IPC::Open2;

# new(HOST, PORT, DBNAME): undef if there is no server to talk to.
sub new
{
	my ($class, $host, $port, $dbname) = @_;
	my $self = bless { alive => 1 }, $class;

	$self->{child} = open2($self->{out}, $self->{in}, 'psql', '-XAtq', '-d',
		"host=$host port=$port dbname=$dbname user=postgres");
	$self->{pid} = ($self->query('SELECT pg_backend_pid()'))[0];
	return defined $self->{pid} ? $self : undef;
}

# query(SQL): the lines that came back.  Afterwards {state} is the SQLSTATE, empty
# if the connection was lost; {message} tells more of an error.
sub query
{
	my ($self, $sql) = @_;
	my @lines;

	$self->{state} = $self->{message} = '';
	return if !$self->{alive};
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{in} } "$sql\n;\n\\echo \001:SQLSTATE :LAST_ERROR_MESSAGE\n\\echo \002\n";
	$self->{in}->flush;
	while (defined(my $line = readline($self->{out})))
	{
		# what has no end was not received
		last if $line !~ s/\n\z//;
		if ($line =~ s/^\001//)
		{
			($self->{state}, $self->{message}) = split(/ /, $line, 2);

			# a message can have several lines
			while (defined($line = readline($self->{out})))
			{
				return @lines if $line eq "\002\n";
			}
			last;
		}
		push @lines, $line;
	}
	$self->{state} = '' if !@lines;
	$self->end;
	return @lines;
}

sub end
{
	my ($self) = @_;

	return if !$self->{alive};
	$self->{alive} = 0;
	close $self->{in};
	close $self->{out};
	waitpid($self->{child}, 0);
	return;
}

1;
