// JDBC: a program of test/clients.sh

import java.sql.*;
import java.util.Properties;

public class Booking {
    public static void main(String[] args) throws SQLException {
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT")
            + "/" + System.getenv("PGDATABASE");
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        if (!System.getenv("POOLED").isEmpty()) {
            // docs: begin jdbc pooled
            url += "?prepareThreshold=0";
            // docs: end
        }

        try (Connection connection = DriverManager.getConnection(url, properties)) {
            System.out.println("version JDBC driver " + connection.getMetaData().getDriverVersion());

            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
                statement.execute("SELECT coderring_create('order', if_not_exists => true)");
                statement.execute(
                    "CREATE TABLE booking ("
                    + " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                    + " reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),"
                    + " guest text NOT NULL)");
            }

            // docs: begin jdbc insert
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO booking (guest) VALUES (?)", new String[] {"reference"})) {
                insert.setString(1, "Ada");
                insert.executeUpdate();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    keys.next();
                    System.out.println("default " + keys.getString("reference"));
                }
            }
            // docs: end

            try (PreparedStatement query = connection.prepareStatement("SELECT coderring_get_code(?)")) {
                for (int i = 0; i < 10; i++) {
                    query.setString(1, "order");
                    try (ResultSet result = query.executeQuery()) {
                        result.next();
                        System.out.println("raw " + result.getString(1));
                    }
                }
            }

            // docs: begin jdbc function
            try (CallableStatement call = connection.prepareCall("{? = call coderring_get_code(?, ?)}")) {
                call.registerOutParameter(1, Types.VARCHAR);
                call.setString(2, "order");
                call.setString(3, "26");
                call.execute();
                System.out.println("function " + call.getString(1));
            }
            // docs: end

            // docs: begin jdbc bulk
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO booking (guest) VALUES (?)", new String[] {"reference"})) {
                for (int n = 1; n <= 1000; n++) {
                    insert.setString(1, "guest " + n);
                    insert.addBatch();
                }
                insert.executeBatch();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    while (keys.next()) {
                        System.out.println("bulk " + keys.getString("reference"));
                    }
                }
            }
            // docs: end

            // what a router to replicas does
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT coderring_get_code('order')");
                System.out.println("not ok - read only: 25006");
            } catch (SQLException e) {
                System.out.println((e.getSQLState().equals("25006") ? "ok" : "not ok") + " - read only: 25006");
            }
            connection.rollback();
        }
    }
}
