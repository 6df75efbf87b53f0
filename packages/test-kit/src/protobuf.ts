/** The values of a message by the number of their field: numbers as they are, everything with a length as its bytes. */
export type Fields = Map<number, (bigint | Buffer)[]>;

/** Reads Protobuf without knowing the schema, as far as a test needs to look inside. */
export function readMessage(bytes: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('The message ends inside a number.');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const forms: Record<number, () => bigint | Buffer> = {
    0: varint,
    1: () => take(8),
    2: () => take(Number(varint())),
    5: () => take(4),
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    const value = forms[tag & 7]?.();
    if (value === undefined) throw new Error(`Field ${field} has a form that is not known: ${tag & 7}.`);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}
