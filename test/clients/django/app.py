"""Django: a program of test/clients.sh"""

import django
from django.db import InternalError, connection, models, transaction
from django.db.models import Func, Value

django.setup()

from shop.models import Booking

print("version Django", django.get_version())
guests = [f"guest {n}" for n in range(1, 1001)]

# docs: begin django insert
booking = Booking.objects.create(guest="Ada")
print("default", booking.reference)
# docs: end

for _ in range(10):
    with connection.cursor() as cursor:
        # docs: begin django code
        cursor.execute("SELECT coderring_get_code(%s)", ["order"])
        code, = cursor.fetchone()
        # docs: end
        print("raw", code)

# docs: begin django function
booking = Booking.objects.create(
    guest="Grace",
    reference=Func(Value("order"), Value("26"), function="coderring_get_code"))
# docs: end
if not isinstance(booking.reference, str):
    booking.refresh_from_db()
print("function", booking.reference)

# docs: begin django bulk
bookings = Booking.objects.bulk_create(Booking(guest=guest) for guest in guests)
# docs: end
for booking in bookings:
    print("bulk", booking.reference)

booking.guest = "Hedy"
booking.save()
print("ok" if Booking.objects.get(guest="Hedy").reference == booking.reference else "not ok",
      "- the code stays as it is when the row is saved again")
booking.guest = "guest 1000"
booking.save()

try:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute("SELECT coderring_get_code('order')")
    print("not ok - read only: 25006")
except InternalError as error:
    cause = error.__cause__     # of psycopg 3, or of psycopg2
    state = cause.sqlstate if hasattr(cause, "sqlstate") else cause.pgcode
    print("ok" if state == "25006" else "not ok", "- read only: 25006")
