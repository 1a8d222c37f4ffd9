// What stands between the document and its WASM: it begins only if the page is as the server sent
// it, and when it has died, the browser does by itself what links and forms say.
const html = document.documentElement;
const page = document.getElementById('page');
const died = () => 'dead' in html.dataset;
let last;
// All that the page listens to, heard before any listener of the WASM.
for (const kind of ['click', 'submit', 'change', 'input', 'close', 'popstate']) {
  addEventListener(kind, (event) => {
    if (!died()) return void (last = { event, link: event.target.closest?.('a[href]')?.href });
    event.stopImmediatePropagation();
    if (kind == 'popstate') location.reload();
  }, true);
}
// A link that it was about to follow is followed. Otherwise only who has seen the page live misses something.
addEventListener('died', () => {
  if (died()) return;
  html.dataset.dead = '';
  const { event, link } = last ?? {};
  if (link && event.defaultPrevented && link != location.href) location.assign(link);
  else if ('alive' in page.dataset) document.getElementById('dead').hidden = false;
});
// As the server counts it (`server/src/shape.rs`). Scripts that others left have run.
const shape = () => {
  for (const script of [...page.getElementsByTagName('script')]) script.remove();
  page.normalize();
  let hash = 0x811c9dc5;
  const add = (text) => {
    for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x1000193);
  };
  const walk = (parent) => {
    for (const node of parent.childNodes) {
      if (node.nodeType == 3) add('#');
      else if (node.nodeType == 8) add('!');
      else {
        add('<' + node.localName.toLowerCase());
        walk(node);
        add('/');
      }
    }
  };
  walk(page);
  return (hash >>> 0).toString(16);
};
init({ module_or_path: wasm }).then(async () => {
  if (shape() != page.dataset.shape) return console.warn('This page was changed on its way: it stays as it is');
  await hydrate();
  page.dataset.alive = '';
});
// What is asked once more is asked over the page, by what the page says that asks. It is gone to where that
// can't be had, or is for somebody else by now.
const ask = async (address) => {
  const answer = await fetch(address);
  const asking = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const question = asking.querySelector('main > .confirm');
  if (!question || asking.documentElement.dataset.madeFor != html.dataset.madeFor) return location.assign(address);
  const dialog = document.createElement('dialog');
  const heading = question.querySelector('h1');
  dialog.className = 'dialog dialog-question';
  dialog.ariaLabel = heading.textContent;
  dialog.closedBy = 'any';
  dialog.append(question);
  dialog.onclose = () => dialog.remove();
  dialog.onclick = (event) => {
    if (!event.target.closest('a')) return;
    event.preventDefault();
    dialog.close();
  };
  // It is sent once, however often it is clicked.
  dialog.onsubmit = (event) => {
    if (event.submitter.ariaBusy) event.preventDefault();
    event.submitter.ariaBusy = 'true';
  };
  document.body.append(dialog);
  dialog.showModal();
  // Nothing is done by whoever presses Enter once too often.
  heading.tabIndex = -1;
  heading.focus();
};
addEventListener('submit', (event) => {
  const { target, submitter } = event;
  if (!target.matches('[data-asks]')) return;
  event.preventDefault();
  submitter.ariaBusy = 'true';
  ask(target.action).catch(() => location.assign(target.action)).finally(() => (submitter.ariaBusy = null));
});
addEventListener('pageshow', () => document.querySelector('.dialog-question')?.close());
// What was entered isn't thrown away unasked: on a page that says that something is unsaved, and in a
// dialog. `lost` asks, and stands before this, in the reader's language.
const unsaved = () => document.querySelector('form:not([aria-busy]) [data-unsaved]');
const forget = () => unsaved()?.removeAttribute('data-unsaved');
const isChanged = ({ type, checked, defaultChecked, value, defaultValue }) =>
  /^(checkbox|radio)$/.test(type) ? checked != defaultChecked : value != defaultValue;
const isFilledIn = (dialog) => [...dialog.querySelectorAll('input')].some(isChanged);
const guard = (event, loses) => {
  if (!loses) return;
  if (confirm(lost)) return forget();
  event.preventDefault();
  event.stopImmediatePropagation();
};
addEventListener('beforeunload', (event) => unsaved() && event.preventDefault());
// Back and forward within the pages, where the browser lets these have a say.
window.navigation?.addEventListener('navigate', (event) => {
  const leaves = event.navigationType == 'traverse' && new URL(event.destination.url).pathname != location.pathname;
  guard(event, leaves && event.cancelable && unsaved());
});
addEventListener('click', (event) => {
  const { target, ctrlKey, metaKey, shiftKey } = event;
  const link = target.closest?.('a[href]');
  const stays = !link || link.target || link.pathname == location.pathname || ctrlKey || metaKey || shiftKey;
  const closed = target.closest?.('.dialog-head button')?.closest('dialog');
  guard(event, (!stays && unsaved()) || (closed && isFilledIn(closed)));
}, true);
addEventListener('submit', (event) => {
  const form = unsaved()?.closest('form');
  guard(event, form && form != event.target && !event.target.matches('[data-asks], .dialog-question *'));
}, true);
// What the browser itself sends takes along what was entered.
addEventListener('submit', (event) => event.defaultPrevented || forget());
addEventListener('cancel', (event) => guard(event, isFilledIn(event.target)), true);
// Where Escape is pressed a second time, browsers close a dialog whatever that says.
addEventListener('keydown', (event) => {
  const dialog = event.key == 'Escape' && event.target.closest?.('dialog');
  if (!dialog || !isFilledIn(dialog)) return;
  event.preventDefault();
  if (confirm(lost)) dialog.close();
}, true);
