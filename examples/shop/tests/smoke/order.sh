#!/bin/sh
# One order, as a customer would place it.
. "$(dirname "$0")/tap.sh"

product=${PRODUCT:-mug}
basket="{\"items\":[{\"product\":\"$product\",\"quantity\":1}]}"

answers "the shop sells $product" 200 '"cents":' "/catalog/$product"
answers 'the cart has a price' 200 '"totalCents":' /cart -d "$basket"
answers 'the order gets a number' 201 '"order":"A-' /checkout -d "$basket"
done_testing
