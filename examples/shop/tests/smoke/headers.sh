#!/bin/sh
# The headers that browsers protect customers by.
. "$(dirname "$0")/tap.sh"

answers 'types are not guessed' 200 'X-Content-Type-Options: nosniff' /
answers 'scripts from elsewhere do not run' 200 "Content-Security-Policy: default-src 'self'" /
answers 'other sites do not learn where a customer was' 200 'Referrer-Policy: no-referrer' /
answers 'methods that nobody needs are refused' 405 'Allow: ' /catalog -X DELETE
done_testing
