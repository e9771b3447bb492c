// Customers who look at the list and at one product.
import http from 'k6/http';
import { check } from 'k6';
import { base, options as load } from './options.js';

export const options = load({ http_req_duration: ['p(95)<3000'] });

export default function () {
  const list = http.get(`${base}/catalog`);
  check(list, { 'the list is shown': (r) => r.status === 200 });
  const products = list.json('products');
  const product = products[__ITER % products.length];
  const page = http.get(`${base}/catalog/${product.id}`, { tags: { name: '/catalog/{id}' } });
  check(page, { 'the product has the price of the list': (r) => r.json('cents') === product.cents });
}
