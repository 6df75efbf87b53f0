import { connect, createServer, type Socket } from 'node:net';

export interface SmtpGate {
  port: number;
  /** Senders that connected while the gate is shut: each has a job, and has sent nothing. */
  waiting(): number;
  shut(): void;
  open(): void;
  close(): void;
}

/** A door before the mail server. While it is shut, a sender is connected and hears nothing: it is "between commit and send". */
export async function openSmtpGate(target: number): Promise<SmtpGate> {
  let shut = false;
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  const server = createServer((sender) => {
    sockets.add(sender);
    sender.on('error', () => {});
    sender.once('close', () => {
      sockets.delete(sender);
      held.delete(sender);
    });
    if (shut) held.add(sender);
    else passOn(sender, target);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('The gate has no port.');
  return {
    port: address.port,
    waiting: () => held.size,
    shut() {
      shut = true;
      // Kept connections would pass mail through a gate that is shut.
      for (const socket of sockets) socket.destroy();
    },
    open() {
      shut = false;
      for (const sender of held) passOn(sender, target);
      held.clear();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function passOn(sender: Socket, target: number): void {
  const server = connect(target, '127.0.0.1');
  sender.pipe(server).pipe(sender);
  server.on('error', () => sender.destroy());
  sender.once('close', () => server.destroy());
}
