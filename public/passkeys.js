// Asks the browser for a passkey before a form that needs one is sent, and puts the answer into the
// form. Without an answer the form gets the error's name, and the server says what that means.

const seconds = 1000;

/** The forms that take a passkey, each with the server function that asks the browser for it. */
const questions = new Map([
  ['security/add-passkey', 'security/ask-to-make-passkey'],
  ['security/remove-passkey', 'security/ask-for-proof'],
  ['security/renew-codes', 'security/ask-for-proof'],
  ['security/turn-app-off', 'security/ask-for-proof'],
  ['sign-in/confirm-by-factor', 'security/ask-for-proof'],
  ['sign-in/passkey', 'sign-in/ask-for-passkey'],
  ['sign-in/second-factor', 'sign-in/ask-for-second-step'],
]);

/** Those of them on the page as it came from the server, each with its field for the answer. */
const fields = new Map();
for (const field of document.querySelectorAll('main form input[type="hidden"][name="credential"]')) {
  if (questions.has(nameOf(field.form))) fields.set(field.form, field);
}

const ready = new WeakSet();
const asking = new WeakSet();
const conditional = new AbortController();

/** The server function that a form is for: the first that it names counts. */
function nameOf(form) {
  return new FormData(form).get('form');
}

/** The server's question, made for what is in the form; none when the form itself would be refused. */
async function question(form) {
  const given = new FormData(form);
  const values = ['name', 'made_for'].map((name) => [name, given.get(name) ?? '']);
  const answer = await fetch(`/api/${questions.get(nameOf(form))}`, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams(values),
  });
  return answer.ok ? JSON.parse(await answer.json()) : null;
}

// The conversions are made here, not by the browser: some browsers can't, and in some password managers
// theirs fail.
const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));

const encode = (bytes) => {
  if (bytes == null || typeof bytes === 'string') return bytes;
  const { buffer, byteOffset, byteLength } = bytes;
  const all = buffer ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(bytes);
  return btoa(String.fromCharCode(...all)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
};

const known = (credentials) => credentials?.map((one) => ({ ...one, id: decode(one.id) }));

async function answer(options, more) {
  const credentials = navigator.credentials;
  if (!credentials?.get || !window.PublicKeyCredential) throw new DOMException('', 'NotSupportedError');
  const { user } = options;
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    ...(user && { user: { ...user, id: decode(user.id) } }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
  };
  const credential = await (user ? credentials.create({ publicKey }) : credentials.get({ publicKey, ...more }));
  if (!credential) throw new DOMException('', 'NotAllowedError');
  const { id, rawId, type, response } = credential;
  return JSON.stringify({
    id,
    rawId: encode(rawId),
    type,
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      attestationObject: encode(response.attestationObject),
      authenticatorData: encode(response.authenticatorData),
      signature: encode(response.signature),
      userHandle: encode(response.userHandle),
    },
  });
}

function send(form, value, button) {
  fields.get(form).value = value;
  ready.add(form);
  form.requestSubmit(button);
}

async function ask(form, button) {
  asking.add(form);
  button?.setAttribute('aria-busy', 'true');
  try {
    const options = await question(form);
    send(form, options ? await answer(options) : 'NotAllowedError', button);
  } catch (error) {
    send(form, error.name, button);
  } finally {
    asking.delete(form);
    button?.removeAttribute('aria-busy');
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!fields.has(form) || ready.delete(form)) return;
  event.preventDefault();
  if (asking.has(form)) return;
  conditional.abort();
  ask(form, event.submitter);
});

/** Until somebody looks at the page. */
const seen = async () => {
  while (document.hidden) {
    await new Promise((look) => document.addEventListener('visibilitychange', look, { once: true }));
  }
};

/** Has the browser offer passkeys in the field for the address, for as long as the page is open. */
async function offer(form) {
  for (;;) {
    await seen();
    const options = await question(form);
    if (!options || conditional.signal.aborted) return;
    // The server forgets its question: ask anew in time.
    const renewed = AbortSignal.timeout(options.timeout - 60 * seconds);
    const signal = AbortSignal.any([conditional.signal, renewed]);
    try {
      return send(form, await answer(options, { mediation: 'conditional', signal }));
    } catch (error) {
      if (!renewed.aborted || conditional.signal.aborted) return;
    }
  }
}

const signsIn = [...fields.keys()].find((form) => nameOf(form) === 'sign-in/passkey');
const offered = signsIn && document.querySelector('input[autocomplete~="webauthn"]');
if (offered && (await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) {
  offer(signsIn).catch(() => {});
}
