# picture.pl: an SVG, on standard output, of a terminal of 80 columns that shows the
# text on standard input. Blocks are drawn as rectangles, so that it looks the same with
# every font.

use strict;
use warnings;

use utf8;
binmode STDIN, ':encoding(UTF-8)';
binmode STDOUT, ':encoding(UTF-8)';

my ($columns, $cell, $line_height, $margin) = (80, 9.6, 21, 16);
my @part = split //, '▏▎▍▌▋▊▉█';
my %eighths = map { $part[$_] => $_ + 1 } 0 .. $#part;
my @lines = <STDIN>;
my @out;
my $row = 0;

chomp @lines;
pop @lines while @lines && $lines[-1] eq '';

sub escape { return $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr }

# a run of text, as wide as its columns
sub text_at
{
	my ($column, $width, $class, $text) = @_;

	push @out, sprintf '<text x="%.1f" y="%d" textLength="%.1f"%s>%s</text>', $margin + $column * $cell,
	  $margin + $row * $line_height + 15, $width * $cell, $class ? qq( class="$class") : '', escape($text);
	return;
}

sub block_at
{
	my ($column, $width, $class) = @_;

	push @out, sprintf '<rect x="%.2f" y="%d" width="%.2f" height="%d" class="%s"/>', $margin + $column * $cell,
	  $margin + $row * $line_height + 1, $width * $cell, $line_height - 3, $class;
	return;
}

foreach my $line (@lines)
{
	my $column = 0;
	my $class = $row == 0 ? 'typed' : $line =~ / !$/ ? 'soon' : $line =~ /^ring and extra / ? 'head' : '';

	while ($line =~ /\G(?:( +)|([▏▎▍▌▋▊▉█]+)|(░+)|([^ ▏▎▍▌▋▊▉█░]+))/g)
	{
		if (defined $1) { $column += length $1 }
		elsif (defined $2)
		{
			my $eighths = 0;

			$eighths += $eighths{$_} foreach split //, $2;
			block_at($column, $eighths / 8, $class eq 'soon' ? 'full soon' : 'full');
			$column += length $2;
		}
		elsif (defined $3)
		{
			block_at($column, length $3, 'rest');
			$column += length $3;
		}
		else
		{
			my $width = 0;

			$width += /[\x{1100}-\x{115f}\x{2e80}-\x{a4cf}\x{ac00}-\x{d7a3}\x{f900}-\x{faff}\x{fe30}-\x{fe6f}\x{ff00}-\x{ff60}]/ ? 2 : 1
			  foreach split //, $4;
			text_at($column, $width, $class, $4);
			$column += $width;
		}
	}
	die "more than $columns columns: $line\n" if $column > $columns;
	$row++;
}

my ($width, $height) = ($columns * $cell + 2 * $margin, $row * $line_height + 2 * $margin);
print <<"END";
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" height="$height" role="img">
<title>The rings of a database and how full they are, as bars in a terminal</title>
<style>
text { font: 16px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d6dbe1; }
.typed, .head { fill: #8b949e; }
.full { fill: #58a6ff; }
.rest { fill: #30363d; }
text.soon { fill: #f0b429; }
.full.soon { fill: #f0b429; }
</style>
<rect width="$width" height="$height" rx="8" fill="#0d1117"/>
END
print "$_\n" foreach @out;
print "</svg>\n";
