// A real SMTP server for tests: `node end2end/smtp/server.mjs`.
//
// Standard output: first line the port (on 127.0.0.1), then one JSON line {from, to, raw} per accepted message.
// It ends when its standard input closes, so it can't outlive the test that started it.
//
// What happens is decided by the recipient's local part:
//   ok@      accepted (as is every other name)
//   defer@   451 4.3.0, try again later
//   refuse@  550 5.1.1, mailbox unknown
//   hang@    RCPT TO is never answered
//   stall@   RCPT TO is accepted, the end of DATA never answered
//   drop@    the connection is closed without an answer
//
// Environment:
//   SMTP_TLS=none|starttls|implicit   default none
//   SMTP_CERTIFICATE_FILE=path        where to write the self-signed certificate (PEM), to be trusted by the test
//   SMTP_USER, SMTP_PASSWORD          if set, mail is taken only after AUTH with these
//   SMTP_MAX_BYTES=n                  larger messages get 552 5.3.4

import { writeFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';
import { selfSigned } from './certificate.mjs';

const { SMTP_TLS = 'none', SMTP_CERTIFICATE_FILE, SMTP_USER, SMTP_PASSWORD, SMTP_MAX_BYTES } = process.env;

const pair = selfSigned();
if (SMTP_CERTIFICATE_FILE) writeFileSync(SMTP_CERTIFICATE_FILE, pair.cert);

function refusal(responseCode, message) {
  return Object.assign(new Error(message), { responseCode });
}

function localPart(address) {
  return address.slice(0, address.lastIndexOf('@')).toLowerCase();
}

const server = new SMTPServer({
  ...pair,
  secure: SMTP_TLS === 'implicit',
  authOptional: !SMTP_USER,
  allowInsecureAuth: SMTP_TLS === 'none',
  disabledCommands: [...(SMTP_TLS === 'none' ? ['STARTTLS'] : []), ...(SMTP_USER ? [] : ['AUTH'])],
  disableReverseLookup: true,
  logger: false,
  size: Number(SMTP_MAX_BYTES) || undefined,

  onAuth({ username, password }, _session, answer) {
    if (username === SMTP_USER && password === SMTP_PASSWORD) answer(null, { user: username });
    else answer(refusal(535, '5.7.8 Authentication credentials invalid'));
  },

  onRcptTo({ address }, session, answer) {
    switch (localPart(address)) {
      case 'defer':
        return answer(refusal(451, '4.3.0 Try again later'));
      case 'refuse':
        return answer(refusal(550, '5.1.1 Mailbox unknown'));
      case 'hang':
        return;
      case 'drop':
        for (const connection of server.connections) {
          if (connection.id === session.id) connection._socket.destroy();
        }
        return;
      default:
        answer();
    }
  },

  onData(stream, session, answer) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      const to = session.envelope.rcptTo.map((recipient) => recipient.address);
      if (to.some((address) => localPart(address) === 'stall')) return;
      if (stream.sizeExceeded) return answer(refusal(552, '5.3.4 Message too big'));
      const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
      process.stdout.write(`${JSON.stringify({ from, to, raw: Buffer.concat(chunks).toString('utf8') })}\n`);
      answer(null, '2.6.0 Message accepted');
    });
  },
});

// A client that goes away in the middle of a conversation is one of the cases under test.
server.on('error', (error) => process.stderr.write(`${error.message}\n`));

server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.server.address().port}\n`));

process.stdin.resume();
process.stdin.on('close', () => process.exit(0));
