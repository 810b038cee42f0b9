import { generateKeyPairSync, sign } from 'node:crypto';

/** A fresh self-signed certificate for the names, as PEM. Valid from a day ago for two days. */
export function selfSigned(names: readonly string[], nowMs: number): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = seq(der(0x31, seq(oid('550403'), der(0x0c, Buffer.from('test authority')))));
  const time = (days: number) => der(0x17, Buffer.from(utcTime(nowMs + days * 86_400_000)));
  const algorithm = seq(oid('2a8648ce3d040302'));
  const body = seq(
    der(0xa0, integer(2)),
    integer(1),
    algorithm,
    name,
    seq(time(-1), time(1)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, seq(isAuthority(), alternativeNames(names))),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = seq(body, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function isAuthority(): Buffer {
  return seq(oid('551d13'), der(0x01, Buffer.from([0xff])), der(0x04, seq(der(0x01, Buffer.from([0xff])))));
}

function alternativeNames(names: readonly string[]): Buffer {
  return seq(oid('551d11'), der(0x04, seq(...names.map((name) => der(0x82, Buffer.from(name))))));
}

function utcTime(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`;
}

function seq(...parts: Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]));
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
