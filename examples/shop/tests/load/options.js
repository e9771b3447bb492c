// The load is the environment's to say: VUS customers at once, ITERATIONS visits in all. The
// thresholds find a shop that hangs, also on a machine that is busy with other things.
export const base = __ENV.BASE_URL || 'http://shop';

export function options(thresholds) {
  return {
    scenarios: {
      visits: {
        executor: 'shared-iterations',
        vus: Number(__ENV.VUS || 1),
        iterations: Number(__ENV.ITERATIONS || 10),
        maxDuration: '30s',
      },
    },
    thresholds: Object.assign({ http_req_failed: ['rate<0.01'], checks: ['rate>0.99'] }, thresholds),
  };
}
