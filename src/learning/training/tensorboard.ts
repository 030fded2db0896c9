import { hostname } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type * as crc32 from '@node-rs/crc32';
import type protobuf from 'protobufjs/light.js';
import { appendWhole, makeFolder } from '../../data/files.ts';

/** The part of tensorboard/compat/proto/event.proto and summary.proto that scalars need. */
const schema = {
  nested: {
    tensorboard: {
      nested: {
        Event: {
          oneofs: { what: { oneof: ['file_version', 'summary'] } },
          fields: {
            wall_time: { type: 'double', id: 1 },
            step: { type: 'int64', id: 2 },
            file_version: { type: 'string', id: 3 },
            summary: { type: 'Summary', id: 5 },
          },
        },
        Summary: {
          fields: { value: { rule: 'repeated', type: 'Value', id: 1 } },
          nested: {
            Value: {
              oneofs: { value: { oneof: ['simple_value'] } },
              fields: { tag: { type: 'string', id: 1 }, simple_value: { type: 'float', id: 2 } },
            },
          },
        },
      },
    },
  },
};

const load = createRequire(import.meta.url);
let loaded: protobuf.Type | undefined;

/** Loaded with the first curve: many commands know of training, few train. */
function eventProto(): protobuf.Type {
  const { Root } = load('protobufjs/light.js') as typeof protobuf;
  return (loaded ??= Root.fromJSON(schema).lookupType('tensorboard.Event'));
}

export interface EventFile {
  /** Appends scalars of one step, by tag. */
  write(step: number, scalars: Readonly<Record<string, number>>): void;
}

/** A file of training curves for TensorBoard in `folder`, made at the first write; a resumed run adds another beside it. */
export function openEventFile(folder: string): EventFile {
  const startedMs = Date.now();
  const name = `events.out.tfevents.${Math.floor(startedMs / 1000)}.${hostname()}.${process.pid}.${startedMs % 1000}`;
  let file: string | undefined;
  const append = (event: object): void => {
    if (file === undefined) {
      makeFolder(folder);
      file = join(folder, name);
      append({ file_version: 'brain.Event:2' });
    }
    const bytes = eventProto()
      .encode({ wall_time: Date.now() / 1000, ...event })
      .finish();
    appendWhole(file, tfRecord(bytes));
  };
  return {
    write(step, scalars) {
      const value = Object.entries(scalars).map(([tag, simple_value]) => ({ tag, simple_value }));
      if (value.length > 0) append({ step, summary: { value } });
    },
  };
}

/** A record of a TFRecord file: length (uint64), its masked CRC, the bytes, theirs (tensorflow/core/lib/io/record_writer.cc). */
export function tfRecord(bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(bytes, 12);
  record.writeUInt32LE(maskedCrc(bytes), 12 + bytes.length);
  return record;
}

/** Rotated right by 15 bits plus a constant, so that the CRC of data that holds CRCs stays meaningful (crc32c.h). */
export function maskedCrc(bytes: Uint8Array): number {
  const { crc32c } = load('@node-rs/crc32') as typeof crc32;
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
