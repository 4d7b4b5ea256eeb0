/**
 * HTTP: bytes on a socket become a request whose head is known and whose body can be read within bounds; an answer
 * becomes bytes again, as fast as the client reads. Nothing here knows AWS beyond the names of a few headers.
 */
export { type Answer } from './answer.ts';
export { openBodyMemory, readWhole, type BodyMemory, type WholeBody } from './incoming-body.ts';
export type { BodyFaults, ReceivedRequest } from './received.ts';
export { openHttpServer, type HandledRequest, type HttpServer, type HttpServerOptions } from './server.ts';
