// Loads the pieces of the browser's half, in the place of what cargo-leptos wrote for that: there every piece is a
// request of its own, and most are smaller than what a request takes. `scripts/front.mjs` puts this there, with what
// hangs together and where each page is below, and packs the pieces of a page into one file. That is a WebAssembly
// module without code, whose custom sections are the pieces.
import { initSync } from './latchkey.js';

const packs = new Map();
const pieces = new Map();

/** What is asked for again if it failed once, as when the reader goes to another page: then this one ends waiting. */
const again = async (ask) => {
  try {
    return await ask();
  } catch {
    await new Promise((done) => setTimeout(done, 500));
    return ask();
  }
};

/** One of these, made when it is first asked for. What failed is made anew. */
const once = (made, name, make) => {
  if (!made.has(name)) {
    const coming = make();
    made.set(name, coming);
    coming.catch(() => made.delete(name));
  }
  return made.get(name);
};

const fetched = (file) =>
  once(packs, file, () => again(() => WebAssembly.compileStreaming(fetch(new URL(`./${file}.wasm`, import.meta.url)))));

/** Loads these pieces, each from the pack that it is in, and says so to the WASM. */
const load = (files) => async (callback, data) => {
  const shared = initSync();
  const begin = (piece, pack) =>
    once(pieces, piece, () =>
      WebAssembly.instantiate(WebAssembly.Module.customSections(pack, piece)[0], { __wasm_split: shared }),
    );
  const loaded = Promise.all(
    Object.entries(files).map(async ([file, names]) => {
      const pack = await fetched(file);
      await Promise.all(names.map((piece) => begin(piece, pack)));
    }),
  );
  const success = await loaded.then(() => true, (error) => void console.error(error));
  shared.__indirect_function_table.get(callback)(data, Boolean(success));
};

/** What the page behind a link takes: what the link says itself, or else what is at its address. */
const behind = ({ dataset, origin, pathname }) =>
  dataset.opens ?? (origin == location.origin && pages.find(([address]) => address.test(pathname))?.[1]);

/** Fetches it ahead, once. What fails is asked for again when it is needed. */
const tried = new Set();
const ahead = (link) => {
  const pack = link && behind(link);
  if (!pack || tried.has(pack)) return;
  tried.add(pack);
  fetched(pack).catch(() => {});
};

// As soon as the pointer, a finger or the keyboard comes to it.
for (const kind of ['pointerover', 'focusin']) {
  addEventListener(kind, ({ target }) => ahead(target.closest?.('a[href]')));
}

/** Fetches ahead what opens over the page, unless its reader pays for every byte. */
const opening = () => {
  if (!navigator.connection?.saveData) document.querySelectorAll('a[data-opens]').forEach(ahead);
};
// The line is free while the page comes to life: as soon as the largest of what that takes has come.
new PerformanceObserver((list, observer) => {
  if (!list.getEntries().some(({ name }) => name.endsWith('/latchkey.wasm'))) return;
  observer.disconnect();
  opening();
}).observe({ type: 'resource', buffered: true });
// As soon as it is shown and there is nothing else to do (`app/src/ui/go.rs`).
addEventListener('opens', () => (window.requestIdleCallback ?? setTimeout)(opening));

