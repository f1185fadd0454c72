SELECT coderring_get_code('widget');
