SELECT count(coderring_get_code('widget')) FROM generate_series(1, 10000);
