// Asks the browser for a passkey before a form that needs one is sent, and puts the answer into the
// form. Without an answer the form gets the error's name, and the server says what that means.

const seconds = 1000;
const ready = new WeakSet();
const asking = new WeakSet();
const conditional = new AbortController();

/** The server's question, made for what is in the form; none when the form itself would be refused. */
async function question(form, field) {
  const answer = await fetch(`/api/${field.dataset.askedBy}`, {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams(new FormData(form)),
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

function send(form, field, value, button) {
  field.value = value;
  ready.add(form);
  form.requestSubmit(button);
}

async function ask(form, field, button) {
  asking.add(form);
  button?.setAttribute('aria-busy', 'true');
  try {
    const options = await question(form, field);
    send(form, field, options ? await answer(options) : 'NotAllowedError', button);
  } catch (error) {
    send(form, field, error.name, button);
  } finally {
    asking.delete(form);
    button?.removeAttribute('aria-busy');
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  const field = form.querySelector('input[data-asked-by]');
  if (!field || ready.delete(form)) return;
  event.preventDefault();
  if (asking.has(form)) return;
  conditional.abort();
  ask(form, field, event.submitter);
});

/** Until somebody looks at the page. */
const seen = async () => {
  while (document.hidden) {
    await new Promise((look) => document.addEventListener('visibilitychange', look, { once: true }));
  }
};

/** Has the browser offer passkeys in the field for the address, for as long as the page is open. */
async function offer(form, field) {
  for (;;) {
    await seen();
    const options = await question(form, field);
    if (!options || conditional.signal.aborted) return;
    // The server forgets its question: ask anew in time.
    const renewed = AbortSignal.timeout(options.timeout - 60 * seconds);
    const signal = AbortSignal.any([conditional.signal, renewed]);
    try {
      return send(form, field, await answer(options, { mediation: 'conditional', signal }));
    } catch (error) {
      if (!renewed.aborted || conditional.signal.aborted) return;
    }
  }
}

const offered = document.querySelector('input[autocomplete~="webauthn"]');
const field = offered && document.querySelector('input[data-asked-by]');
if (field && (await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) {
  offer(field.form, field).catch(() => {});
}
