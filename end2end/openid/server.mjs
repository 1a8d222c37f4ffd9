// A real identity provider for tests: `node end2end/openid/server.mjs`. Whoever comes says which address they have there.
//
// Standard output: one line, its address (on 127.0.0.1).
// It ends when its standard input closes, so it can't outlive the test that started it.
//
// Environment:
//   OPENID_CALLBACK=url [url …]       where it sends browsers back to
//   OPENID_CLIENT, OPENID_SECRET      by which it knows who asks

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// The library warns that it forgets everything when it ends: that is what a test wants.
console.warn = () => {};
const { Provider } = await import('oidc-provider');

const { OPENID_CALLBACK, OPENID_CLIENT, OPENID_SECRET } = process.env;

const page = (uid) => `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Acme</title><link rel="icon" href="data:,"></head>
  <body>
    <h1>Who are you?</h1>
    <form method="post" action="/interaction/${uid}">
      <label>Your address here <input name="email" type="email" required></label>
      <button>Go back</button>
    </form>
  </body>
</html>`;

/** Who somebody is here doesn't hang on their address. */
const subject = (email) => `person-${Buffer.from(email).toString('hex')}`;
const address = (id) => Buffer.from(id.slice('person-'.length), 'hex').toString();

function describe(issuer) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new Provider(issuer, {
    clients: [{ client_id: OPENID_CLIENT, client_secret: OPENID_SECRET, redirect_uris: OPENID_CALLBACK.split(' ') }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: address(id), email_verified: !address(id).startsWith('unverified') }),
    }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test' }] },
    pkce: { required: () => true },
    ttl: { Session: 600, Interaction: 600, Grant: 600 },
    // Nobody is asked what Latchkey may know of them.
    async loadExistingGrant({ oidc: { client, session, provider } }) {
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
}

async function form(request) {
  let body = '';
  for await (const piece of request) body += piece;
  return new URLSearchParams(body);
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = describe(issuer);
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    const uid = /^\/interaction\/([\w-]+)$/.exec(request.url)?.[1];
    if (!uid) return answer(request, response);
    if (request.method === 'GET') return response.setHeader('content-type', 'text/html').end(page(uid));
    const login = { accountId: subject((await form(request)).get('email')) };
    return provider.interactionFinished(request, response, { login });
  });
  console.log(issuer);
});

process.stdin.on('close', () => process.exit(0)).resume();
