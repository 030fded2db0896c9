import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** One end of a connection, as far as RFC 6455 is needed here: whole text messages, pings and closing. */
export interface WebSocketEnd {
  readonly path: string;
  send(text: string): void;
  /** Bytes as they are, frames or not. */
  sendRaw(bytes: Buffer): void;
  /** Without a closing handshake, as a network does that fails. */
  drop(): void;
}

const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
/** RFC 6455, section 1.3. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Takes every upgrade of `server`; `onMessage` is given what clients send. Returns the ends that are open. */
export function acceptWebSockets(
  server: Server,
  onMessage: (end: WebSocketEnd, text: string) => void,
): ReadonlySet<WebSocketEnd> {
  const ends = new Set<WebSocketEnd>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}${MAGIC}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const end: WebSocketEnd = {
      path: request.url ?? '/',
      send: (text) => void socket.write(frame(OPCODE.text, Buffer.from(text))),
      sendRaw: (bytes) => void socket.write(bytes),
      drop: () => socket.destroy(),
    };
    ends.add(end);
    socket.on('close', () => ends.delete(end));
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let read = readFrame(bytes); read !== undefined; read = readFrame(bytes)) {
        bytes = bytes.subarray(read.length);
        if (read.opcode === OPCODE.text) onMessage(end, read.payload.toString());
        if (read.opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, read.payload));
        if (read.opcode === OPCODE.close) socket.end(frame(OPCODE.close, read.payload));
      }
    });
  });
  return ends;
}

/** A whole, unmasked frame, as servers send them (section 5.2). */
export function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** The first frame of a client, which is masked; `undefined`: it is not all there yet. */
function readFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const at = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < at + 4) return undefined;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const length = at + 4 + size;
  if (bytes.length < length) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, length).map((byte, i) => byte ^ mask[i % 4]));
  return { opcode: bytes[0] & 0x0f, payload, length };
}
