/*
 * latency.c
 *		How long callers wait: several clients send one statement again and
 *		again, and the time from question to answer is taken each time.
 *
 *	latency CLIENTS SECONDS STATEMENT
 *
 * Connects as psql would, by the environment.  Prints one line for each of
 * p50, p99, p99.9 and max: the name and microseconds.  (pgbench reads the
 * clock once for question and answer where the answer is there at once, and
 * then says 0.)
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define MAX_CALLS	(4 * 1024 * 1024)	/* of a client */

typedef struct Client
{
	uint32_t	calls;
	uint32_t	ns[MAX_CALLS];
} Client;

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static void
fail(PGconn *connection, const char *what)
{
	fprintf(stderr, "latency: %s: %s", what, PQerrorMessage(connection));
	_exit(1);
}

/* The first tenth of the time is for warming up. */
static void
run(Client *client, double seconds, const char *statement)
{
	PGconn	   *connection = PQconnectdb("");
	PGresult   *result;
	uint64_t	begin;
	uint64_t	count_from;
	uint64_t	end;

	if (PQstatus(connection) != CONNECTION_OK)
		fail(connection, "no connection");
	result = PQprepare(connection, "s", statement, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(connection, "cannot prepare");
	PQclear(result);
	begin = now();
	count_from = begin + (uint64_t) (seconds * 1e8);
	end = begin + (uint64_t) (seconds * 1e9);
	for (;;)
	{
		uint64_t	sent = now();
		uint64_t	took;

		if (sent >= end || client->calls == MAX_CALLS)
			break;
		result = PQexecPrepared(connection, "s", 0, NULL, NULL, NULL, 1);
		took = now() - sent;
		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			fail(connection, "call failed");
		PQclear(result);
		if (sent >= count_from)
			client->ns[client->calls++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t) took;
	}
	PQfinish(connection);
}

static int
compare(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	int			clients = argc == 4 ? atoi(argv[1]) : 0;
	double		seconds = argc == 4 ? atof(argv[2]) : 0;
	Client	   *client;
	uint32_t   *all;
	size_t		calls = 0;
	int			status;

	if (clients < 1 || clients > 64 || seconds <= 0)
	{
		fprintf(stderr, "usage: latency CLIENTS SECONDS STATEMENT\n");
		return 2;
	}
	client = mmap(NULL, sizeof(Client) * (size_t) clients, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (client == MAP_FAILED)
	{
		perror("latency");
		return 1;
	}
	for (int i = 0; i < clients; i++)
	{
		pid_t		pid = fork();

		if (pid < 0)
		{
			perror("latency");
			return 1;
		}
		if (pid == 0)
		{
			run(&client[i], seconds, argv[3]);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
	{
		if (status != 0)
			return 1;
	}
	for (int i = 0; i < clients; i++)
		calls += client[i].calls;
	if (calls < 1000)
	{
		fprintf(stderr, "latency: only %zu calls came to their end\n", calls);
		return 1;
	}
	all = malloc(calls * sizeof(uint32_t));
	if (all == NULL)
		return 1;
	calls = 0;
	for (int i = 0; i < clients; i++)
	{
		memcpy(all + calls, client[i].ns, client[i].calls * sizeof(uint32_t));
		calls += client[i].calls;
	}
	qsort(all, calls, sizeof(uint32_t), compare);
	printf("p50 %.3f\n", all[calls / 2] / 1000.0);
	printf("p99 %.3f\n", all[calls / 100 * 99] / 1000.0);
	printf("p99.9 %.3f\n", all[(size_t) ((double) calls * 0.999)] / 1000.0);
	printf("max %.3f\n", all[calls - 1] / 1000.0);
	free(all);
	return 0;
}
