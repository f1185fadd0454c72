"""Alembic's env.py, in two ways: with all schemas, or with public alone"""

import os

import alembic
from alembic import context
from sqlalchemy import create_engine

from booking import Base

attributes = context.config.attributes
version = tuple(int(number) for number in alembic.__version__.split(".")[:3])


# docs: begin alembic env
def include_name(name, type_, parent_names):
    return not (type_ == "schema" and name == "coderring")
# docs: end


with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        # before, it makes wrong SQL of a text column's default that has quotes in it
        compare_server_default=version >= (1, 9, 1),
        include_schemas=attributes.get("include_schemas", False),
        include_name=include_name if attributes.get("include_name", True) else None,
    )
    with context.begin_transaction():
        context.run_migrations()
