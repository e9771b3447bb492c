#!/bin/sh
# Everything that a customer sees, once.
. "$(dirname "$0")/tap.sh"

answers 'the shop is healthy' 200 '"status":"ok"' /healthz
answers 'it is the environment it should be' 200 "\"environment\":\"${EXPECTED_ENVIRONMENT}" /healthz
answers 'the page shows products' 200 '<li>Mug' /
answers 'the catalog is listed' 200 '"id":"mug"' /catalog
answers 'a product has its page' 200 '"id":"lamp"' /catalog/lamp
answers 'an unknown product is not found' 404 'no such product' /catalog/rocket
answers 'a cart gets a price' 200 '"totalCents":' /cart -d '{"items":[{"product":"mug","quantity":1}]}'
answers 'orders are counted' 200 'shop_orders_total' /metrics
done_testing
