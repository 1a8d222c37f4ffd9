// A key and a self-signed certificate (X.509 v3, EC P-256) for localhost and 127.0.0.1, made anew at every start.
// Node can read certificates but not make them, so the few lines of DER are written here.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const DAY = 24 * 60 * 60 * 1000;

function tagged(tag, ...parts) {
  const content = Buffer.concat(parts);
  const bytes = [];
  for (let left = content.length; left > 0; left >>= 8) bytes.unshift(left & 0xff);
  const length = content.length < 128 ? [content.length] : [0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts) => tagged(0x30, ...parts);
const set = (...parts) => tagged(0x31, ...parts);
const octets = (content) => tagged(0x04, content);
const text = (value) => tagged(0x0c, Buffer.from(value));
const bits = (content) => tagged(0x03, Buffer.from([0]), content);
const objectId = (hex) => tagged(0x06, Buffer.from(hex, 'hex'));
const time = (date) => tagged(0x17, Buffer.from(date.toISOString().replace(/^..|[-:T]|\.\d+/g, '')));

const COMMON_NAME = objectId('550403');
const SUBJECT_ALT_NAME = objectId('551d11');
const ECDSA_WITH_SHA256 = objectId('2a8648ce3d040302');

/** Makes `{ key, cert }`, both PEM, valid from yesterday for 30 days. */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const serial = randomBytes(8);
  serial[0] = (serial[0] & 0x7f) | 0x40;
  const name = sequence(set(sequence(COMMON_NAME, text('localhost'))));
  const names = sequence(
    tagged(0x82, Buffer.from('localhost')),
    tagged(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, serial),
    sequence(ECDSA_WITH_SHA256),
    name,
    sequence(time(new Date(Date.now() - DAY)), time(new Date(Date.now() + 30 * DAY))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(sequence(SUBJECT_ALT_NAME, octets(names)))),
  );
  const certificate = sequence(body, sequence(ECDSA_WITH_SHA256), bits(sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g).join('\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
