-- 't' when every order is confirmed with its 8 events and the stock is exact.
SELECT (SELECT count(*) FROM event) = 8 * count(*)
   AND bool_and(status = 'confirmed')
   AND (SELECT sum(sold) = 2 * count(orders.id) AND sum(1000000000::bigint - available) = sum(sold) AND sum(reserved) = 0
          FROM sku)
  FROM orders;
