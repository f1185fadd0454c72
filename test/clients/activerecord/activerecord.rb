# ActiveRecord: a program of test/clients.sh

require "active_record"
require "stringio"

puts "version ActiveRecord #{ActiveRecord::VERSION::STRING}"
guests = (1..1000).map { |n| "guest #{n}" }
url = ENV.fetch("DATABASE_URL")
options = {}
unless ENV["POOLED"].empty?
  # docs: begin activerecord pooled
  options.update(prepared_statements: false)
  # docs: end
end
$stdout.sync = true
ActiveRecord::Migration.verbose = false

def check(passed, title)
  puts "#{passed ? "ok" : "not ok"} - #{title}"
end

def dump
  output = StringIO.new
  source = ActiveRecord::Base.respond_to?(:connection_pool) && ActiveRecord.version >= Gem::Version.new("7.2") ?
    ActiveRecord::Base.connection_pool : ActiveRecord::Base.connection
  ActiveRecord::SchemaDumper.dump(source, output)
  output.string
end

ActiveRecord::Base.establish_connection(url: url, **options)
load "./schema.rb"
# docs: begin activerecord seeds
ActiveRecord::Base.connection.execute("SELECT coderring_create('order', if_not_exists => true)")
# docs: end

class Booking < ActiveRecord::Base
end

# docs: begin activerecord insert
booking = Booking.create!(guest: "Ada")
booking.reload unless booking.reference     # Rails before 7.1
puts "default #{booking.reference}"
# docs: end

10.times do
  # docs: begin activerecord code
  code = Booking.connection.select_value("SELECT coderring_get_code('order')")
  # docs: end
  puts "raw #{code}"
end

# docs: begin activerecord bulk
rows = Booking.insert_all!(guests.map { |guest| { guest: guest } }, returning: :reference)
# docs: end
rows.each { |row| puts "bulk #{row["reference"]}" }

text = dump
check(text.include?('enable_extension "coderring"'), "migrations: schema.rb has the extension")
check(text.include?(%q(default: -> { "coderring_get_code('order'::text)" })), "migrations: schema.rb has the default")
check(text.scan(/create_table "([^"]*)"/) == [["bookings"]], "migrations: schema.rb has the application's table alone")

# The dump as Rails from 7.1 on writes it, in an empty database
text.sub!(/^  # These are extensions/) { %(  create_schema "coderring"\n\n#{$&}) } unless text.include?("create_schema")
name = "#{ENV["PGDATABASE"]}_loaded"
ActiveRecord::Base.connection.execute(%(CREATE DATABASE "#{name}"))
ActiveRecord::Base.establish_connection(url: url.sub(/#{ENV["PGDATABASE"]}$/, name), **options)
eval(text)
again = dump
again.sub!(/^  # These are extensions/) { %(  create_schema "coderring"\n\n#{$&}) } unless again.include?("create_schema")
check(again == text, "migrations: schema.rb, loaded and dumped, is the same")
begin
  Booking.reset_column_information
  Booking.create!(guest: "Eve")
  check(false, "a schema that was loaded has no ring before the seeds")
rescue ActiveRecord::StatementInvalid => e
  check(e.message.include?("coderring_create"), "a schema that was loaded has no ring before the seeds")
end
ActiveRecord::Base.remove_connection
