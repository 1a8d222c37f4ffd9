import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decode, encode } from 'dns-packet';

/** A name server that a test makes hold what it likes. */
export class NameServer {
  private readonly texts = new Map<string, string>();

  private constructor(private readonly socket: Socket) {
    socket.on('message', (message, from) => {
      const { id, questions } = decode(message);
      const [question] = questions ?? [];
      const text = question && this.texts.get(question.name.toLowerCase());
      const found = text !== undefined && question?.type === 'TXT';
      const answer = encode({
        type: 'response',
        id,
        flags: found ? 0 : NO_SUCH_NAME,
        questions,
        answers: found ? [{ type: 'TXT', name: question.name, ttl: 1, data: text }] : [],
      });
      socket.send(answer, from.port, from.address);
    });
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket);
  }

  /** Where it listens. */
  get address(): string {
    const { address, port } = this.socket.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** Has the name hold this text. */
  holds(name: string, text: string) {
    this.texts.set(name, text);
  }

  async stop() {
    this.socket.close();
    await once(this.socket, 'close');
  }
}

/** RFC 1035 section 4.1.1. */
const NO_SUCH_NAME = 3;
