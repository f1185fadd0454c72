# picture.pl TEXT "PANEL CLIENTS FILE"...: an SVG, on standard output, of values
# a second. PANEL is calls or loops, FILE has lines "PANEL_NAME VALUE TURN"; the
# medians are drawn. TEXT names the machine.
#
# The colours are readable on white and on black: a picture in a page does not
# always know which one is behind it.
use strict;
use warnings;

my ($text, @panels) = @ARGV;
my @systems = (
	[ get_code   => 'coderring_get_code' ],
	[ select_1   => 'SELECT 1 (no value)' ],
	[ nextval    => 'nextval' ],
	[ cache32    => 'nextval, CACHE 32' ],
	[ permuteseq => 'permuteseq' ],
	[ hashids    => 'pg_hashids of nextval' ],
	[ uuid       => 'gen_random_uuid' ],
	[ counter    => 'UPDATE ... RETURNING' ],
	[ retry_0    => 'random, retry: 0 % used' ],
	[ retry_50   => 'random, retry: 50 % used' ],
	[ retry_90   => 'random, retry: 90 % used' ],
	[ retry_99   => 'random, retry: 99 % used' ],
	[ coder_ring => 'CoderRing (Elixir)' ]);
my %titles = (
	call => 'One call a statement',
	loop => 'In loops, many in one statement');
my %colours = (
	own   => { 1 => '#58a6ff', 8 => '#1f6feb' },
	other => { 1 => '#a3abb5', 8 => '#6e7781' });
my $grey = '#6e7781';
my ($left, $right, $width, $bar) = (200, 80, 860, 12);
my %value;

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);

	return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# Three digits, which is more than a machine gives twice.
sub show
{
	my ($value) = @_;

	return sprintf "%.3g million", $value / 1e6 if $value >= 999_500;
	$value = sprintf "%.0f", $value if $value >= 100;
	$value = sprintf "%.3g", $value if $value < 100;
	if ($value >= 1000)
	{
		my $unit = 10**(length($value) - 3);

		$value = int($value / $unit + 0.5) * $unit;
	}
	1 while $value =~ s/^(\d+)(\d{3})/$1,$2/;
	return $value;
}

sub escape
{
	my ($string) = @_;

	$string =~ s/&/&amp;/g;
	$string =~ s/</&lt;/g;
	return $string;
}

for (@panels)
{
	my ($panel, $clients, $file) = split ' ', $_, 3;
	my %all;

	open my $in, '<', $file or die "$file: $!";
	while (<$in>)
	{
		my ($name, $value) = split;

		push @{ $all{$name} }, $value;
	}
	$value{$_}{$clients} = median(@{ $all{$_} }) for keys %all;
}

my @values = sort { $a <=> $b } map { values %$_ } values %value;
die "nothing to draw\n" if !@values || $values[0] <= 0;
my $low = int(log($values[0]) / log(10) + 1e-9);
my $high = int(log($values[-1]) / log(10)) + 1;
# without room for its own tick, a bar at the foot of the scale has no length
$low-- if log($values[0]) / log(10) - $low < 0.1;
my $scale = ($width - $left - $right) / ($high - $low);

sub at { return $left + (log($_[0]) / log(10) - $low) * $scale }

my @out;
my $y = 28;

push @out, qq(<text x="4" y="$y" class="title">Values a second, with one and with eight clients</text>);
$y += 22;
push @out, sprintf '<text x="4" y="%d">%s; logarithmic, longer is faster</text>', $y, escape($text);
$y += 16;
for my $panel ('call', 'loop')
{
	my @shown = grep { $value{ $panel . '_' . $_->[0] } } @systems;
	my $top;

	next if !@shown;
	$y += 24;
	push @out, qq(<text x="4" y="$y" class="panel">$titles{$panel}</text>);
	my $x = $left;
	for my $clients (1, 8)
	{
		my $words = $clients == 1 ? '1 client' : "$clients clients";

		push @out, sprintf '<rect x="%d" y="%d" width="10" height="10" fill="%s"/>' .
			'<rect x="%d" y="%d" width="10" height="10" fill="%s"/>' .
			'<text x="%d" y="%d">%s</text>',
			$x + 100, $y - 9, $colours{own}{$clients}, $x + 112, $y - 9, $colours{other}{$clients},
			$x + 128, $y, $words;
		$x += 110;
	}
	$y += 12;
	$top = $y;
	my @bars;
	for my $system (@shown)
	{
		my ($name, $title) = @$system;
		my $of = $value{"${panel}_$name"};
		my $kind = $name eq 'get_code' ? 'own' : 'other';
		my @clients = sort { $a <=> $b } keys %$of;

		push @bars, sprintf '<text x="%d" y="%d" class="%s">%s</text>', $left - 8,
			$y + 4 + @clients * $bar / 2, "name $kind", escape($title);
		for my $clients (@clients)
		{
			my $length = at($of->{$clients}) - $left;

			push @bars, sprintf '<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>' .
				'<text x="%.1f" y="%d" class="value">%s</text>',
				$left, $y, $length, $bar - 1, $colours{$kind}{$clients},
				$left + $length + 4, $y + $bar - 3, show($of->{$clients});
			$y += $bar;
		}
		$y += 8;
	}
	for my $power ($low .. $high)
	{
		my $x = $left + ($power - $low) * $scale;

		push @out, sprintf '<line x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>', $x, $top - 4, $x, $y;
		push @out, sprintf '<text x="%.1f" y="%d" class="tick">%s</text>', $x, $y + 12, show(10**$power);
	}
	push @out, @bars;
	$y += 16;
}
$y += 8;

print <<"END";
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $y" width="$width" height="$y" role="img">
<title>Values a second: coderring beside other systems</title>
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: $grey; }
.title { font-size: 17px; font-weight: 600; }
.panel { font-size: 13px; font-weight: 600; }
.name { text-anchor: end; }
.own { font-weight: 600; fill: #1f6feb; }
.value { font-size: 10px; }
.tick { font-size: 10px; text-anchor: middle; }
line { stroke: $grey; stroke-opacity: 0.3; }
</style>
END
print "$_\n" for @out;
print "</svg>\n";
