import django
from django.db import migrations, models

import shop.models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    if django.VERSION >= (5, 0):
        reference = models.TextField(unique=True, db_default=models.Func(
            models.Value("order"), function="coderring_get_code"))
        column = []
    else:
        reference = shop.models.CodeField(default=None, editable=False, unique=True)
        column = [
            # docs: begin django column
            migrations.RunSQL(
                "ALTER TABLE shop_booking ALTER reference SET DEFAULT coderring_get_code('order')",
                "ALTER TABLE shop_booking ALTER reference DROP DEFAULT"),
            # docs: end
        ]

    operations = [
        # docs: begin django migration
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public", migrations.RunSQL.noop),
        migrations.RunSQL("SELECT coderring_create('order', if_not_exists => true)", migrations.RunSQL.noop),
        # docs: end
        migrations.CreateModel(
            name="Booking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", reference),
                ("guest", models.TextField()),
            ],
        ),
    ] + column
