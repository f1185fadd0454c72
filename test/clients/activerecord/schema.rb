# As Rails writes db/schema.rb from 7.1 on: schemas before extensions
# docs: begin activerecord
ActiveRecord::Schema.define(version: 2026_01_01_000000) do
  create_schema "coderring"

  # These are extensions that must be enabled in order to support this database
  enable_extension "coderring"
  enable_extension "plpgsql"

  create_table "bookings" do |t|
    t.text "reference", default: -> { "coderring_get_code('order'::text)" }, null: false
    t.text "guest", null: false
    t.index ["reference"], name: "index_bookings_on_reference", unique: true
  end
end
# docs: end
