import django
from django.db import models

if django.VERSION >= (5, 0):
    # docs: begin django 5
    from django.db.models import Func, Value

    class Booking(models.Model):
        reference = models.TextField(
            unique=True, db_default=Func(Value("order"), function="coderring_get_code"))
        guest = models.TextField()
    # docs: end
else:
    # docs: begin django
    from django.db.models import Func

    class CodeField(models.TextField):
        """A text that is left to the column's default, and read back, where it is None."""

        db_returning = True     # INSERT ... RETURNING

        def pre_save(self, instance, add):
            value = super().pre_save(instance, add)
            if add and value is None:
                return Func(template="DEFAULT")
            return value

    class Booking(models.Model):
        reference = CodeField(unique=True, default=None, editable=False)
        guest = models.TextField()
    # docs: end
