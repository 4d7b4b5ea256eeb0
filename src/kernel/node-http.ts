/**
 * `node:http` and `node:https`, as they are. An `import` of `node:http` reads every export of it, one of which loads Node's WebSocket
 * client: 70 ms of processor time at every start, of the server and of every command.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');
