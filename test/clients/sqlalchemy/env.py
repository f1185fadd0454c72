"""Alembic's env.py, in two ways: with all schemas, or with public alone"""

import os

from alembic import context
from sqlalchemy import create_engine

from booking import Base

attributes = context.config.attributes


# docs: begin alembic env
def include_name(name, type_, parent_names):
    return not (type_ == "schema" and name == "coderring")


def compare_server_default(context, column, model_column, default, model_default, rendered):
    if "coderring_get_code" in (default or ""):
        return model_default is None or str(model_default.arg) != default
    return None     # Alembic compares the others
# docs: end


with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=compare_server_default,
        include_schemas=attributes.get("include_schemas", False),
        include_name=include_name if attributes.get("include_name", True) else None,
    )
    with context.begin_transaction():
        context.run_migrations()
