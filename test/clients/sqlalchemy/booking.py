"""The model of app.py and env.py"""

# docs: begin sqlalchemy
from sqlalchemy import BigInteger, Column, Identity, Text, text
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Booking(Base):
    __tablename__ = "booking"
    __mapper_args__ = {"eager_defaults": True}      # INSERT ... RETURNING reference

    id = Column(BigInteger, Identity(always=True), primary_key=True)
    reference = Column(
        Text, nullable=False, unique=True,
        # written as PostgreSQL shows it, so that Alembic finds no difference
        server_default=text("coderring_get_code('order'::text)"))
    guest = Column(Text, nullable=False)
# docs: end
