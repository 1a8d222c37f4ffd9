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

async function answer(options, more) {
  const kind = window.PublicKeyCredential;
  if (!kind?.parseRequestOptionsFromJSON) throw new DOMException('', 'NotSupportedError');
  const credential = options.user
    ? await navigator.credentials.create({ publicKey: kind.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: kind.parseRequestOptionsFromJSON(options), ...more });
  return JSON.stringify(credential);
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
