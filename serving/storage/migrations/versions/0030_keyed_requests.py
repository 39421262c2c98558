"""requests that were sent with an idempotency key, and their answers"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyed_requests",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(96), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("limited_to", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_keyed_requests")),
        sa.UniqueConstraint("request_id", name=op.f("uq_keyed_requests_request_id")),
        sqlite_autoincrement=True,
    )
    for columns in (["principal", "place"], ["at"]):
        name = "_".join(["ix_keyed_requests", *columns])
        op.create_index(op.f(name), "keyed_requests", columns)


def downgrade() -> None:
    op.drop_table("keyed_requests")
