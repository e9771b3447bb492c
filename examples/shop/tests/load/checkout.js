// Customers who fill a cart and buy.
import http from 'k6/http';
import { check } from 'k6';
import { base, options as load } from './options.js';

export const options = load({ 'http_req_duration{step:checkout}': ['p(95)<3000'] });

export default function () {
  const basket = JSON.stringify({ items: [{ product: 'mug', quantity: 1 + (__ITER % 3) }, { product: 'lamp', quantity: 1 }] });
  const json = { headers: { 'Content-Type': 'application/json' } };

  const cart = http.post(`${base}/cart`, basket, json);
  check(cart, { 'the cart has a price': (r) => r.status === 200 && r.json('totalCents') > 0 });

  const order = http.post(`${base}/checkout`, basket, Object.assign({ tags: { step: 'checkout' } }, json));
  check(order, {
    'the order has a number': (r) => r.status === 201 && r.json('order') !== '',
    'the order costs what the cart said': (r) => r.json('totalCents') === cart.json('totalCents'),
  });
}
