# PostgreSQL's official image with coderring:
#
#   docker build -t postgres-coderring --build-arg PG_MAJOR=17 .
#   docker run -e POSTGRES_PASSWORD=... postgres-coderring
#
# then CREATE EXTENSION coderring WITH SCHEMA public in a database. 64 MB of /dev/shm, Docker's default, are enough.
ARG PG_MAJOR=17
FROM postgres:${PG_MAJOR}-bookworm
ARG PG_MAJOR=17

COPY . /tmp/coderring

RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc make libssl-dev libssl3 postgresql-server-dev-${PG_MAJOR} \
 && cd /tmp/coderring \
 && make clean \
 && make with_llvm=no PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config \
 && make install with_llvm=no PG_CONFIG=/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config \
 && rm -rf /tmp/coderring \
 && apt-get purge -y --auto-remove gcc make libssl-dev postgresql-server-dev-${PG_MAJOR} \
 && rm -rf /var/lib/apt/lists/*
