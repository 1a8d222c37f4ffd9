#!/usr/bin/env node
// Packs the pieces into which cargo-leptos parted the browser's half: what at least half of the pages need into one file,
// what else a page needs into one of its own. See `frontend/pieces.js`, which loads them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = new URL('../target/site/pkg/', import.meta.url);
const at = (name) => new URL(name, folder);
const read = (name) => readFileSync(at(name));
const splitter = '__wasm_split.______________________.js';
const manifest = '__wasm_split_manifest.json';
const shared = 'shared';

function write(name, bytes) {
  writeFileSync(at(name), bytes);
  writeFileSync(at(`${name}.gz`), gzipSync(bytes, { level: 9 }));
  writeFileSync(at(`${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }));
}

/** A number as WebAssembly writes it (LEB128). */
function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** A WebAssembly module that has these pieces as custom sections, and nothing else. */
function pack(pieces) {
  const sections = pieces.map((piece) => {
    const content = Buffer.concat([number(piece.length), Buffer.from(piece), read(`${piece}.wasm`)]);
    return [Buffer.from([0]), number(content.length), content];
  });
  return Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), ...sections.flat()]);
}

/** What a page is called: its pieces are named by a function and its hash. */
const called = (view) => view.replace(/^_+|_view_\d+$|_\d+$/g, '').replace(/_view_\d+$/, '');

const views = Object.entries(JSON.parse(read(manifest).toString()));
if (views.some(([, pieces]) => pieces.includes(shared))) {
  console.log('The pieces are packed already.');
  process.exit();
}
const uses = new Map();
for (const piece of views.flatMap(([, pieces]) => pieces)) uses.set(piece, (uses.get(piece) ?? 0) + 1);
const isShared = (piece) => uses.get(piece) * 2 >= views.length;

const packs = new Map([[shared, [...uses.keys()].filter(isShared)]]);
const loads = views.map(([view, pieces]) => {
  const own = pieces.filter((piece) => !isShared(piece));
  packs.set(called(view), own);
  const files = { [shared]: pieces.filter(isShared), [called(view)]: own };
  return `export const __wasm_split_load_${view} = load(${JSON.stringify(files)});\n`;
});
if (packs.size !== views.length + 1) throw new Error('Two pages have the same name');

const loader = readFileSync(new URL('../frontend/pieces.js', import.meta.url), 'utf8');
const code = loader.split('\n').filter((line) => line.trim() && !/^\s*(\/\/|\/\*\*)/.test(line));
const packed = [...packs].map(([name, pieces]) => [name, pack(pieces)]);
for (const name of readdirSync(folder)) if (/^(chunk|split)_.*\.wasm(\.\w+)?$/.test(name)) rmSync(at(name));
for (const [name, bytes] of packed) write(`${name}.wasm`, bytes);
write(splitter, `${code.join('\n')}\n${loads.join('')}`);
write(manifest, JSON.stringify(Object.fromEntries(views.map(([view]) => [view, [shared, called(view)]]))));
console.log(`Packed ${uses.size} pieces into ${packs.size} files.`);
