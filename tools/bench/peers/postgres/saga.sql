\set a random(1, :nsku)
\set b random(1, :nsku)
\set lo least(:a, :b)
\set hi greatest(:a, :b)
-- 1 placed
BEGIN;
INSERT INTO orders(status, sku1, sku2) VALUES ('placed', :a, :b) RETURNING id AS oid \gset
INSERT INTO event(order_id, seq, kind) VALUES (:oid, 1, 'placed');
COMMIT;
-- 2 reserve both lines (\gset fails the client when no row comes back = insufficient stock)
BEGIN;
UPDATE sku SET available = available - 1, reserved = reserved + 1 WHERE id = :lo AND available >= 1 RETURNING id AS r1 \gset
UPDATE sku SET available = available - 1, reserved = reserved + 1 WHERE id = :hi AND available >= 1 RETURNING id AS r2 \gset
INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (:oid, 2, 'reserved', :lo, 1), (:oid, 3, 'reserved', :hi, 1);
COMMIT;
-- 3 authorized
BEGIN;
UPDATE orders SET status = 'authorized' WHERE id = :oid;
INSERT INTO event(order_id, seq, kind, amount) VALUES (:oid, 4, 'authorized', 200);
COMMIT;
-- 4 commit both reservations
BEGIN;
UPDATE sku SET reserved = reserved - 1, sold = sold + 1 WHERE id = :lo;
UPDATE sku SET reserved = reserved - 1, sold = sold + 1 WHERE id = :hi;
INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (:oid, 5, 'committed', :lo, 1), (:oid, 6, 'committed', :hi, 1);
COMMIT;
-- 5 captured, confirmed
BEGIN;
UPDATE orders SET status = 'confirmed' WHERE id = :oid;
INSERT INTO event(order_id, seq, kind, amount) VALUES (:oid, 7, 'captured', 200), (:oid, 8, 'confirmed', NULL);
COMMIT;
