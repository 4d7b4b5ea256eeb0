/**
 * How Cairn itself is doing: Prometheus metrics, the health answer, and the status that `cairn doctor` reads. Reports
 * of requests flow in; text and JSON flow out.
 */
export { openMetrics, type Measurements, type Metrics } from './metrics.ts';
export { monitorRoutes } from './routes.ts';
export { openUpkeep } from './upkeep.ts';
export { findProblems } from './problems.ts';
