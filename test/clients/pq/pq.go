// lib/pq: a program of test/clients.sh

package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/lib/pq"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	var guests []string
	for n := 1; n <= 1000; n++ {
		guests = append(guests, fmt.Sprintf("guest %d", n))
	}
	// PGHOST, PGDATABASE ... as for psql
	options := "sslmode=disable"
	if os.Getenv("POOLER") != "" {
		// docs: begin pq pooled
		options += " binary_parameters=yes"
		// docs: end
	}
	db, err := sql.Open("postgres", options)
	check(err)
	for _, statement := range []string{
		"CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public",
		"SELECT coderring_create('order', if_not_exists => true)",
		`CREATE TABLE booking (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
			guest text NOT NULL
		)`,
	} {
		_, err = db.Exec(statement)
		check(err)
	}

	// docs: begin pq insert
	var reference string
	check(db.QueryRow("INSERT INTO booking (guest) VALUES ($1) RETURNING reference", "Ada").Scan(&reference))
	fmt.Println("default", reference)
	// docs: end

	for i := 0; i < 10; i++ {
		var code string
		check(db.QueryRow("SELECT coderring_get_code($1)", "order").Scan(&code))
		fmt.Println("raw", code)
	}

	// docs: begin pq bulk
	rows, err := db.Query(
		"INSERT INTO booking (guest) SELECT unnest($1::text[]) RETURNING reference", pq.Array(guests))
	check(err)
	for rows.Next() {
		check(rows.Scan(&reference))
		fmt.Println("bulk", reference)
	}
	check(rows.Err())
	// docs: end
}
