import { connect } from 'node:net';

/**
 * Sends `head`, and then a byte a second, until the other side closes. How many it sent says how long that took: a machine
 * that stood still sent fewer.
 */
export async function trickle(
  port: number,
  head: string,
  giveUpMs: number,
): Promise<{ text: string; sent: number; closed: boolean }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  // It may be reset while a byte is on its way.
  socket.on('error', () => {});
  const end = new Promise<boolean>((resolve) => {
    socket.once('close', () => resolve(true));
    setTimeout(resolve, giveUpMs, false).unref();
  });
  socket.write(head);
  let halfSeconds = 0;
  let sent = 0;
  const drip = setInterval(() => {
    halfSeconds += 1;
    // In the middle between two seconds: limits are whole ones, and a byte that meets one may count or not.
    if (halfSeconds % 2 === 0) return;
    sent += 1;
    socket.write('x');
  }, 500);
  const closed = await end;
  clearInterval(drip);
  socket.destroy();
  return { text, sent, closed };
}
