CREATE TABLE sku(id int PRIMARY KEY, available int NOT NULL CHECK (available >= 0),
                 reserved int NOT NULL DEFAULT 0 CHECK (reserved >= 0), sold int NOT NULL DEFAULT 0)
  WITH (fillfactor = 50);
INSERT INTO sku SELECT number, 1000000000 FROM generate_series(1, 10000) number;
CREATE TABLE orders(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL,
                    sku1 int NOT NULL, sku2 int NOT NULL, placed_at timestamptz NOT NULL DEFAULT now())
  WITH (fillfactor = 70);
-- The audit trail, 8 rows an order; the primary key is the index by order as well.
CREATE TABLE event(order_id bigint NOT NULL, seq smallint NOT NULL, kind text NOT NULL, sku int, amount int,
                   at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (order_id, seq));

-- SKUs are locked in the order of their numbers: no deadlocks.
CREATE FUNCTION place_order(a int, b int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE oid bigint; lo int := least(a, b); hi int := greatest(a, b);
BEGIN
  INSERT INTO orders(status, sku1, sku2) VALUES ('placed', a, b) RETURNING id INTO oid;
  INSERT INTO event(order_id, seq, kind) VALUES (oid, 1, 'placed');
  UPDATE sku SET available = available - 1, reserved = reserved + 1 WHERE id = lo AND available >= 1;
  IF NOT FOUND THEN RAISE EXCEPTION 'insufficient stock for %', lo; END IF;
  INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (oid, 2, 'reserved', lo, 1);
  UPDATE sku SET available = available - 1, reserved = reserved + 1 WHERE id = hi AND available >= 1;
  IF NOT FOUND THEN RAISE EXCEPTION 'insufficient stock for %', hi; END IF;
  INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (oid, 3, 'reserved', hi, 1);
  INSERT INTO event(order_id, seq, kind, amount) VALUES (oid, 4, 'authorized', 200);
  UPDATE sku SET reserved = reserved - 1, sold = sold + 1 WHERE id = lo;
  INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (oid, 5, 'committed', lo, 1);
  UPDATE sku SET reserved = reserved - 1, sold = sold + 1 WHERE id = hi;
  INSERT INTO event(order_id, seq, kind, sku, amount) VALUES (oid, 6, 'committed', hi, 1);
  INSERT INTO event(order_id, seq, kind, amount) VALUES (oid, 7, 'captured', 200);
  UPDATE orders SET status = 'confirmed' WHERE id = oid;
  INSERT INTO event(order_id, seq, kind) VALUES (oid, 8, 'confirmed');
  RETURN oid;
END $$;
