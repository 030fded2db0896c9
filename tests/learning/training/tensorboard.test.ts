import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { describe, expect, it } from 'vitest';
import { maskedCrc, openEventFile, tfRecord } from '../../../src/learning/training/tensorboard.ts';
import { temporaryFolder } from '../../support/folder.ts';

describe('an event file', () => {
  it('is checked with the CRC of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('masks it by a rotation of 15 bits and a constant', () => {
    // By hand: 8a9136aa rotated right by 15 is 6d551522; plus a282ead8, modulo 2^32, is 0fd7fffa.
    expect(maskedCrc(new Uint8Array(32))).toBe(0x0fd7fffa);
  });

  it('holds whole records, the version first, then scalars by tag', () => {
    const folder = join(temporaryFolder(), 'tft');
    const events = openEventFile(folder);
    events.write(7, { loss: 0.5, validationLoss: 0.25 });
    const [name] = readdirSync(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./);
    const bytes = readFileSync(join(folder, name));
    const records: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = Number(bytes.readBigUInt64LE(at));
      const data = bytes.subarray(at + 12, at + 12 + length);
      expect(tfRecord(data).equals(bytes.subarray(at, at + length + 16))).toBe(true);
      records.push(data);
      at += length + 16;
    }
    expect(records).toHaveLength(2);
    expect(records[0].toString('latin1')).toContain('brain.Event:2');
    // Field 1 (tag) "loss", field 2 (simple_value) 0.5 as little-endian float: protobuf's encoding guide.
    expect(records[1].toString('hex')).toContain('0a046c6f7373150000003f');
  });
});
