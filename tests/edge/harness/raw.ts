import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends `head`, then a byte a second, until the other side closes. */
export async function trickle(port: number, head: string, giveUpMs: number): Promise<{ text: string; ms: number }> {
  const socket = connect(port, '127.0.0.1');
  const startedAt = performance.now();
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  const closed = Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, giveUpMs))]);
  socket.write(head);
  const drip = setInterval(() => socket.write('x'), 1_000);
  await closed;
  clearInterval(drip);
  socket.destroy();
  return { text, ms: performance.now() - startedAt };
}
