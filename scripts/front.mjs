// Makes target/site, what browsers load, of what the compiler left of the browser's half: the WASM parted, bound to
// JavaScript, optimised and packed, the styles, what stands in public/, and compressed copies of all of it.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

process.chdir(new URL('..', import.meta.url).pathname);
const packages = `${process.cwd()}/end2end/`;
const require = createRequire(packages);
const { browserslistToTargets, bundle } = require('lightningcss');
const browserslist = require('browserslist');
const { transformSync } = require('esbuild');

const [browserHalf, compiled] = process.argv.slice(2);
const site = 'target/site.new';
const folder = join(site, 'pkg');
const splitter = '__wasm_split.______________________.js';
const manifest = '__wasm_split_manifest.json';

const read = (name) => readFileSync(join(folder, name));
const write = (name, content) => writeFileSync(join(folder, name), content);

rmSync(site, { recursive: true, force: true });
cpSync('public', site, { recursive: true });
mkdirSync(folder);

execFileSync(browserHalf, [compiled, folder], { stdio: 'inherit' });
renameSync(join(folder, 'latchkey_bg.wasm'), join(folder, 'latchkey.wasm'));
const isWasm = (name) => name.endsWith('.wasm');
await optimise(readdirSync(folder).filter(isWasm).map((name) => join(folder, name)));
pack();
for (const name of ['latchkey.js', splitter]) {
  write(name, transformSync(read(name).toString(), { minify: true, format: 'esm', target: 'es2022' }).code);
}
const targets = browserslistToTargets(browserslist('defaults'));
write('latchkey.css', bundle({ filename: 'style/main.css', minify: true, targets }).code);
for (const name of readdirSync(site, { recursive: true })) compress(join(site, name));

rmSync('target/site', { recursive: true, force: true });
renameSync(site, 'target/site');

/** Makes WASM files smaller, as many at once as there are processors. */
async function optimise(files) {
  const bySize = files.map((file) => [statSync(file).size, file]).sort(([one], [other]) => other - one);
  const shares = Array.from({ length: availableParallelism() }, () => ({ size: 0, files: [] }));
  for (const [size, file] of bySize) {
    const least = shares.reduce((one, other) => (other.size < one.size ? other : one));
    least.size += size;
    least.files.push(file);
  }
  const work = ({ files }) =>
    // What it says of names that it doesn't know isn't shown.
    once(new Worker(new URL('optimise.mjs', import.meta.url), { workerData: { packages, files }, stderr: true }), 'exit');
  const codes = await Promise.all(shares.map(work));
  if (codes.some(([code]) => code !== 0)) throw new Error('The WASM could not be optimised');
}

/**
 * Packs the pieces into which the WASM was parted, most of which are smaller than what a request takes: what at least half
 * of the pages need into one file, what else a page needs into one of its own. `frontend/pieces.js` loads them.
 */
function pack() {
  const shared = 'shared';
  const views = Object.entries(JSON.parse(read(manifest).toString()));
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

  for (const [name, pieces] of packs) write(`${name}.wasm`, holding(pieces));
  for (const piece of uses.keys()) rmSync(join(folder, `${piece}.wasm`));
  const pages = pagesOf(packs);
  const entry = ([path, page]) => `[/^${path.replace(/:\w+/g, '[^/]+').replaceAll('/', '\\/')}$/, ${JSON.stringify(page)}]`;
  const table = `const pages = [${pages.map(entry).join(',\n')}];\n`;
  write(splitter, readFileSync('frontend/pieces.js', 'utf8') + table + loads.join(''));
  // What a page's document has fetched besides the main module (`app/src/assets.rs`).
  const files = (page) => [splitter, `${shared}.wasm`, `${page}.wasm`];
  write('pages.json', JSON.stringify(pages.map(([path, page]) => [path, files(page)])));
  rmSync(join(folder, manifest));
}

/** Where each page is, as the router has it, and the pack that it takes. */
function pagesOf(packs) {
  const routes = readFileSync('app/src/routes.rs', 'utf8').matchAll(/^ +"([^"]+)" => (\w+),$/gm);
  const pages = [...routes].map(([, path, page]) => [path, page.replace(/\B[A-Z]/g, '_$&').toLowerCase()]);
  const found = pages.filter(([, page]) => packs.has(page));
  const lost = [...packs.keys()].filter((pack) => pack.endsWith('_page') && !found.some(([, page]) => page === pack));
  if (lost.length > 0) throw new Error(`app/src/routes.rs doesn't say where these are: ${lost.join(', ')}`);
  return found;
}

/** What a page is called: the function that shows it has a hash in its name. */
function called(view) {
  return view.replace(/_\d+$/, '').replace(/_view$/, '').replace(/^_+/, '');
}

/** A WebAssembly module that has these pieces as custom sections, and nothing else. */
function holding(pieces) {
  const sections = pieces.map((piece) => {
    const content = Buffer.concat([number(piece.length), Buffer.from(piece), read(`${piece}.wasm`)]);
    return Buffer.concat([Buffer.of(0), number(content.length), content]);
  });
  return Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), ...sections]);
}

/** A number as WebAssembly writes it (LEB128). */
function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** Lays compressed copies beside a file that browsers fetch. */
function compress(file) {
  if (!/\.(css|js|svg|txt|wasm)$/.test(file)) return;
  const content = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}
