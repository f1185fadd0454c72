-- Rings for the picture docs/rings.svg, and for 020_rings_script.pl: as a shop has
-- them after some time.
SELECT coderring_create('order');
SELECT coderring_advance('order', '24', 0, 801544);
SELECT coderring_advance('order', '25', 0, 960512);
SELECT coderring_advance('order', '26', 0, 372206);
SELECT coderring_create('coupon', 5, alphabet => coderring_alphabet('crockford'), check_character => true);
SELECT coderring_advance('coupon', '', 0, 14200077);
SELECT coderring_create('table', 2, max_length => 2);
SELECT coderring_advance('table', '', 0, 981);
SELECT coderring_create('invitation', 3);
SELECT coderring_advance('invitation', '', 11, 20480);
SELECT coderring_create('café');
SELECT coderring_advance('café', '', 0, 77000);
SELECT coderring_create('ticket', 8, alphabet => coderring_alphabet('digits'));
