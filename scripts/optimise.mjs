// Makes WASM files smaller, in a thread of its own: `scripts/front.mjs` shares them out.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';

const { packages, files } = workerData;
const { default: binaryen } = await import(pathToFileURL(createRequire(packages).resolve('binaryen')));
const { BulkMemory, BulkMemoryOpt, Multivalue, MutableGlobals, NontrappingFPToInt, ReferenceTypes, SignExt } =
  binaryen.Features;

// As small as can be.
binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
for (const file of files) {
  const module = binaryen.readBinary(readFileSync(file));
  // What the compiler uses, and browsers have had for years.
  module.setFeatures(
    BulkMemory | BulkMemoryOpt | Multivalue | MutableGlobals | NontrappingFPToInt | ReferenceTypes | SignExt,
  );
  module.optimize();
  writeFileSync(file, module.emitBinary());
  module.dispose();
}
