import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that takes time. */
export interface SlowProxy {
  readonly endpoint: string;
  close(): void;
}

/**
 * Hands bytes on in both directions, those of the server `delayMs` late, so that every request takes that much longer, and
 * a connection as much once more, as its making would. The bytes are not looked at: a signature covers the name of the
 * host, which is that of the proxy, and a server takes what its clients call it.
 */
export async function openSlowProxy(endpoint: string, delayMs: number): Promise<SlowProxy> {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const behind = connect({ host: hostname, port: Number(port) });
    keep(client);
    keep(behind);
    client.pause();
    setTimeout(() => client.on('data', (chunk) => behind.write(chunk)).resume(), delayMs);
    behind.on('data', (chunk) => setTimeout(() => client.write(chunk), delayMs));
    client.on('close', () => behind.destroy());
    behind.on('close', () => setTimeout(() => client.destroy(), delayMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
