<?php
// PDO: a program of test/clients.sh

$guests = array_map(fn ($n) => "guest $n", range(1, 1000));

$db = new PDO('pgsql:');    // PGHOST, PGDATABASE ... as for psql
$db->exec("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
$db->exec("SELECT coderring_create('order', if_not_exists => true)");
$db->exec("CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
    guest text NOT NULL
)");
echo 'version PHP ', PHP_VERSION, "\n";
if (getenv('POOLED')) {
    // docs: begin pdo pooled
    $db->setAttribute(PDO::PGSQL_ATTR_DISABLE_PREPARES, true);
    // docs: end
}

// docs: begin pdo insert
$insert = $db->prepare('INSERT INTO booking (guest) VALUES (?) RETURNING reference');
$insert->execute(['Ada']);
$reference = $insert->fetchColumn();
// docs: end
echo "default $reference\n";

$query = $db->prepare('SELECT coderring_get_code(?)');
for ($i = 0; $i < 10; $i++) {
    $query->execute(['order']);
    echo 'raw ', $query->fetchColumn(), "\n";
}

// docs: begin pdo bulk
$values = implode(', ', array_fill(0, count($guests), '(?)'));
$insert = $db->prepare("INSERT INTO booking (guest) VALUES $values RETURNING reference");
$insert->execute($guests);
$references = $insert->fetchAll(PDO::FETCH_COLUMN);
// docs: end
foreach ($references as $reference) {
    echo "bulk $reference\n";
}
