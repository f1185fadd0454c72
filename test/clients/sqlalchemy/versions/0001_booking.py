"""rings and bookings"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


# docs: begin alembic
def upgrade():
    op.execute("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public")
    op.execute("SELECT coderring_create('order', if_not_exists => true)")
    op.create_table(
        "booking",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("reference", sa.Text, nullable=False, unique=True,
                  server_default=sa.text("coderring_get_code('order'::text)")),
        sa.Column("guest", sa.Text, nullable=False))
# docs: end


def downgrade():
    op.drop_table("booking")
