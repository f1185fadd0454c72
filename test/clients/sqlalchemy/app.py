"""SQLAlchemy and Alembic: a program of test/clients.sh"""

import os

import alembic
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.orm import Session

from booking import Booking

print("version SQLAlchemy", sqlalchemy.__version__ + ", Alembic", alembic.__version__)
guests = [f"guest {n}" for n in range(1, 1001)]
engine = create_engine(os.environ["DATABASE_URL"])

config = Config()
config.set_main_option("script_location", os.getcwd())
command.upgrade(config, "head")

with Session(engine) as session:
    # docs: begin sqlalchemy insert
    booking = Booking(guest="Ada")
    session.add(booking)
    session.commit()
    # docs: end
    print("default", booking.reference, flush=True)

    for _ in range(10):
        with session.begin_nested() if session.in_transaction() else session.begin():
            print("raw", session.execute(
                text("SELECT coderring_get_code(:ring)"), {"ring": "order"}).scalar())

    # docs: begin sqlalchemy function
    code = session.scalar(select(func.coderring_get_code("order", "26")))
    # docs: end
    print("function", code)
    session.commit()

    statements = []
    event.listen(engine, "before_cursor_execute", lambda c, cur, sql, *_: statements.append(sql))
    # docs: begin sqlalchemy bulk
    bookings = [Booking(guest=guest) for guest in guests]
    session.add_all(bookings)
    session.flush()
    # docs: end
    inserts = len(statements)
    for booking in bookings:
        print("bulk", booking.reference)
    session.commit()
    print("ok" if inserts <= 2 and len(statements) == inserts else "not ok",
          f"- {len(statements)} statements for a thousand rows")

with engine.connect().execution_options(postgresql_readonly=True) as reader:
    try:
        reader.execute(select(func.coderring_get_code("order")))
        print("not ok - read only: 25006")
    except InternalError as error:
        print("ok" if error.orig.pgcode == "25006" else "not ok", "- read only: 25006")


def proposals(**attributes):
    """What "alembic revision --autogenerate" would write"""
    found = []

    def look(context, revision, directives):
        found.extend(directives[0].upgrade_ops.as_diffs())
        directives[:] = []

    config.attributes.clear()
    config.attributes.update(attributes)
    command.revision(config, autogenerate=True, process_revision_directives=look)
    return found


for title, attributes in [
        ("autogenerate", {}),
        ("autogenerate with include_schemas", {"include_schemas": True})]:
    found = proposals(**attributes)
    print("not ok" if found else "ok", "- migrations:", title, "proposes nothing", *found)

# Without include_name it is up to PostgreSQL.
found = proposals(include_schemas=True, include_name=False)
print("ok" if {diff[1].schema for diff in found if diff[0] == "remove_table"} == {"coderring"}
      and {diff[0] for diff in found} <= {"remove_table", "remove_index"} else "not ok",
      "- include_schemas without include_name proposes to drop our tables, and no other change")
for diff in found:
    if diff[0] == "remove_table":
        try:
            with engine.begin() as conn:
                conn.execute(text(f"DROP TABLE {diff[1]} CASCADE"))
            print("not ok - PostgreSQL refuses to drop", diff[1])
        except DBAPIError as error:
            print("ok" if error.orig.pgcode in ("2BP01", "42501") else "not ok",
                  "- PostgreSQL refuses to drop", diff[1], "-", error.orig.pgcode)

# A check that would not notice anything is none.
with engine.begin() as conn:
    conn.execute(text("CREATE TABLE stray (id int)"))
found = proposals(include_schemas=True)
print("ok" if [diff[0] for diff in found] == ["remove_table"] else "not ok",
      "- autogenerate notices a table that is in no model")
